"""Dates, ends and opening hours in the cells of a file."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from geofence.importing import cells
from geofence.importing.columns import make_plan
from geofence.importing.opening_hours import DayColumn, day_column, hours_of
from geofence.importing.report import RowError


def test_times_need_an_offset_and_a_date_begins_in_utc() -> None:
    assert cells.moment_ms("2026-11-22T10:00:00.250+01:00", "active_from") == 1_795_338_000_250
    assert cells.moment_ms("2026-11-22", "active_from") == 1_795_305_600_000
    for wrong in ("2026-11-22T10:00:00", "tomorrow", "5"):
        with pytest.raises(RowError):
            cells.moment_ms(wrong, "active_from")


@pytest.mark.parametrize(
    ("cell", "ended"),
    [
        *(
            (cell, True)
            for cell in (
                "2020-01-01",
                "2026-11-22",
                "2026-11-22T10:00:00Z",
                "20200101",
                "yes",
                "TRUE",
                "closed",
                True,
            )
        ),
        *(
            (cell, True)
            for cell in (
                "2025",
                2025,
                "2026-10",
                "31.12.2025",
                "1. 2. 2020",
                "12/31/2025",
                "31/12/2025",
                "05/06/2026",
            )
        ),
        *(
            (cell, False)
            for cell in (
                "2999-01-01",
                "no",
                "",
                None,
                False,
                0,
                "2030-12-31",
                "31.12.2030",
                "2030-12",
                "2030",
                2030,
            )
        ),
        *(
            (cell, False)
            for cell in ("12/31/2030", "31/12/2030", "05/06/2030", "2030/12/31", "20301231")
        ),
    ],
)
def test_a_place_is_closed_once_its_end_has_come(cell: Any, ended: bool) -> None:
    assert cells.has_ended(cell, date(2026, 11, 22)) is ended


@pytest.mark.parametrize(
    "cell",
    [
        "n/a",
        "soon",
        "-",
        "2026",
        "2026-11",
        "11/12/2026",
        "2026-13",
        "31.31.2030",
        "0000-00-00",
        "30.2.2030",
    ],
)
def test_an_end_that_nobody_can_read_is_reported(cell: str) -> None:
    with pytest.raises(RowError) as found:
        cells.has_ended(cell, date(2026, 11, 22))
    assert (found.value.field, found.value.code) == ("end_date", "invalid_time")


def test_columns_for_each_day_become_osm_hours() -> None:
    names = (
        "BeginTime.MF",
        "ThruTime.MF",
        "BeginTime.Sat",
        "ThruTime.Sat",
        "Is24Hours.Sat",
        "IsOpen.Sun",
        "Summary.MF",
    )
    row = ("8:00:00", "22:00:00", "", "", "TRUE", "FALSE", "whatever")
    found = [
        (column, cell)
        for name, cell in zip(names, row, strict=True)
        if (column := day_column(name))
    ]
    assert hours_of(found) == "Mo-Fr 08:00-22:00; Sa 00:00-24:00; Su off"


def test_a_span_in_one_cell_may_be_written_in_many_ways() -> None:
    days = ("monday", "tue", "hours_wed", "Thursday Hours", "fr", "sat", "su")
    spans = (
        "9:00-17:30",
        "9am - 5:30 PM",
        "09.00 – 17.30",
        "9:00-12:00, 13:00-17:30",
        "closed",
        "22:00-02:00",
        "12pm to 12am",
    )
    found = [(day_column(day), span) for day, span in zip(days, spans, strict=True)]
    assert hours_of((column, cell) for column, cell in found if column) == (
        "Mo-We 09:00-17:30; Th 09:00-12:00,13:00-17:30; Fr off; Sa 22:00-02:00; Su 12:00-24:00"
    )
    with pytest.raises(ValueError, match="span of time"):
        # it is a column of Mondays
        hours_of([(day_column("monday"), "by appointment")])  # type: ignore[list-item]  # see above


@pytest.mark.parametrize(
    "said", ["9-5", "8:30 to 5:30", "10-6", "12-12", "9:00-5:00", "9-12, 1-5, 8-2"]
)
def test_hours_that_need_am_and_pm_are_not_guessed(said: str) -> None:
    monday, opens, closes = (
        column for name in ("mon", "mon_open", "mon_close") if (column := day_column(name))
    )
    with pytest.raises(ValueError, match="am and pm"):
        hours_of([(monday, said)])
    with pytest.raises(ValueError, match="am and pm"):
        hours_of([(opens, "9"), (closes, "5:00")])


@pytest.mark.parametrize(
    ("said", "hours"),
    [
        ("9-5pm", "09:00-17:00"),
        ("9am-5pm", "09:00-17:00"),
        ("10-24", "10:00-24:00"),
        ("22-2", "22:00-02:00"),
        ("0-0", "00:00-24:00"),
    ],
)
def test_hours_that_can_only_be_one_thing_are_read(said: str, hours: str) -> None:
    monday = day_column("mon")
    assert monday is not None
    assert hours_of([(monday, said)]) == f"Mo {hours}"


def test_a_column_that_happens_to_be_called_like_a_day_is_no_opening_hours() -> None:
    assert make_plan(["id", "fr", "mo"], "stores", {}).days == ()
    assert len(make_plan(["id", "mo", "tu", "we", "th", "fr"], "stores", {}).days) == 5


@pytest.mark.parametrize("said", ["8-12,1-5", "9am-5", "11:30 am-2"])
def test_hours_that_go_back_in_time_or_say_am_once_are_not_guessed(said: str) -> None:
    with pytest.raises(ValueError, match="am and pm"):
        hours_of([(DayColumn((0,), "span"), said)])


def test_hours_that_end_in_the_first_hour_of_the_day_are_a_night() -> None:
    assert hours_of([(DayColumn((0,), "span"), "11:00-00:30")]) == "Mo 11:00-00:30"
