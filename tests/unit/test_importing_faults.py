"""What nobody thought of: a row costs itself, and once rows are in the report says so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from math import cos, sin
from typing import Any

import pytest

from geofence.importing import cells
from geofence.importing.loader import CHUNK, Loader
from geofence.importing.report import Kind, Report
from geofence.importing.sheet import Sheet
from geofence.importing.sink import PlacedRow
from regions.readers import FileError
from regions.readers.item import Item
from regions.readers.text.dialects import item_of

POINT = {"type": "Point", "coordinates": [16.25, 48.5]}


def taken(chunk: Sequence[PlacedRow]) -> list[Any]:
    return [("created", one.place) for one in chunk]


def loaded(items: Iterable[Item], kind: Kind = "stores", put: Any = taken, **more: Any) -> Report:
    report = Report(kind, "geojson", "feature", dry_run=False)
    Loader(Sheet(report, date(2026, 11, 30)), put, **more).load(items)
    return report


def good(count: int) -> Iterator[Item]:
    for nth in range(1, count + 1):
        yield Item(nth, {"id": f"s{nth}", "name": "Store", "radius": 50}, POINT)


CIRCLES: dict[str, tuple[dict[str, Any], str | None, str]] = {
    "nothing": ({}, "lat", "not_a_region"),
    "texts": ({"lat": "48", "lon": "16", "radius_m": 50}, "lat", "invalid_position"),
    "no radius": ({"lat": 48, "lon": 16}, "radius", "not_a_region"),
    "a radius in words": ({"lat": 48, "lon": 16, "radius_m": "50 m"}, "radius", "invalid_radius"),
    "a list": ({"lat": 48, "lon": [], "radius_m": {}}, "lon", "invalid_position"),
    "true and false": ({"lat": True, "lon": False, "radius_m": 50}, "lat", "invalid_position"),
    "a number beyond all": (
        {"lat": 48, "lon": 16, "radius_m": 10**400},
        "radius",
        "invalid_radius",
    ),
    "a small radius": ({"lat": 48, "lon": 16, "radius_m": 5}, "radius", "radius_too_small"),
}


@pytest.mark.parametrize("kind", ["stores", "geofences"])
@pytest.mark.parametrize("what", CIRCLES)
def test_a_circle_that_is_none_is_an_error_of_its_row_with_field_and_code(
    what: str, kind: Kind
) -> None:
    found, field, code = CIRCLES[what]
    feature = {
        "type": "Feature",
        "geometry": {"type": "circle", **found},
        "properties": {"id": "c", "name": "c"},
    }
    report = loaded([*good(1), item_of(2, feature)], kind)
    assert [(one.number, one.field, one.code) for one in report.errors] == [(2, field, code)]
    assert (report.rows, report.created, report.failed, report.complete) == (2, 1, 1, True)


def test_a_circle_in_our_own_form_is_a_store_with_a_ring() -> None:
    feature = {
        "type": "Feature",
        "geometry": {"type": "circle", "lat": 48, "lon": 16, "radius_m": 50},
        "properties": {"id": "c"},
    }
    seen: list[Any] = []
    loaded([item_of(1, feature)], on_place=seen.append)
    assert [(one.lat, one.lon, one.rings[0].radius_m) for one in seen] == [(48.0, 16.0, 50.0)]


@pytest.mark.parametrize(
    "cell", ["a/" * 499 + "b", "a/" * 60 + "b", "a/" * 100_000, "../" * 40, "\0/a"]
)
def test_a_time_zone_as_deep_as_a_cell_names_none(cell: str) -> None:
    assert cells.zone(cell) is None
    report = loaded([Item(1, {"id": "z", "name": "Z", "time_zone": cell}, POINT)])
    assert (report.created, [one.code for one in report.warnings]) == (1, ["invalid_time_zone"])


def test_a_row_that_nobody_thought_of_costs_itself_and_not_the_others() -> None:
    strange = Item(3, {"id": "s9", "brand": object()}, POINT)
    report = loaded([*good(2), strange, Item(4, {"id": "s4", "name": "Store"}, POINT)])
    assert [(one.number, one.code) for one in report.errors] == [(3, "internal")]
    assert "object" not in report.errors[0].detail
    assert (report.rows, report.created, report.failed, report.complete) == (4, 3, 1, True)


def test_a_fault_after_the_first_rows_are_in_ends_the_import_with_a_report() -> None:
    def once(chunk: Sequence[PlacedRow]) -> list[Any]:
        if chunk[0].number > CHUNK:
            raise ZeroDivisionError
        return taken(chunk)

    report = loaded(good(CHUNK + 10), put=once)
    assert (report.complete, report.rows, report.created, report.failed) == (False, CHUNK, CHUNK, 0)
    assert [(one.number, one.code) for one in report.errors] == [(None, "internal")]


def test_a_reader_that_breaks_after_the_first_rows_are_in_ends_the_import_with_a_report() -> None:
    def broken() -> Iterator[Item]:
        yield from good(CHUNK + 10)
        raise KeyError("x")

    report = loaded(broken())
    assert (report.complete, report.rows, report.created) == (False, CHUNK, CHUNK)
    assert report.errors[0].code == "internal"


def test_rows_are_counted_before_a_callback_runs() -> None:
    def failing(place: Any) -> None:
        raise ArithmeticError(place)

    report = loaded(good(5), on_place=failing)
    assert (report.complete, report.rows, report.created) == (False, 5, 5)


def holes_in_one_point(count: int) -> dict[str, Any]:
    """An area whose holes all meet in its middle.

    Nothing is wrong with it, and it costs more than others to understand.
    """
    angles = [6.2 * nth / count for nth in range(count)]
    holes = [
        [[0, 0], [3 * cos(a), 3 * sin(a)], [3 * cos(a + 3 / count), 3 * sin(a + 3 / count)], [0, 0]]
        for a in angles
    ]
    return {
        "type": "Polygon",
        "coordinates": [[[-4, -4], [4, -4], [4, 4], [-4, 4], [-4, -4]], *holes],
    }


def test_a_file_that_takes_too_long_to_understand_is_left_with_a_report() -> None:
    area = holes_in_one_point(20)
    items = (Item(nth, {"id": f"a{nth}"}, area) for nth in range(1, 401))
    report = loaded(items, "geofences", cpu_s=0.1)
    assert not report.complete
    assert [(one.number, one.code) for one in report.errors] == [(None, "too_costly")]
    assert 0 < report.rows == report.created < 400
    assert next(items, None) is not None  # the rest was not even read


def test_a_file_of_usual_areas_is_never_left() -> None:
    area = holes_in_one_point(20)
    report = loaded((Item(nth, {"id": f"a{nth}"}, area) for nth in range(1, 21)), "geofences")
    assert (report.complete, report.created) == (True, 20)


def test_a_fault_before_anything_is_in_is_raised() -> None:
    def never(chunk: Sequence[PlacedRow]) -> list[Any]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        loaded(good(5), put=never)

    def unreadable() -> Iterator[Item]:
        yield from ()
        raise FileError("broken", "no file at all")

    with pytest.raises(FileError):
        loaded(unreadable())
