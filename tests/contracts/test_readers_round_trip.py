"""Places written in a format come back but for the losses that the writer reports."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from regions.readers import Format, Item, format_of
from regions.region import RegionError
from tests.rigs.formats import (
    NAMES,
    PLACES,
    SQUARE,
    each,
    same_place,
)

# Everything that some format cannot hold.
NESTED = {"hours": [["08:00", "20:00"]], "closed": None, "deep": {"n": [1, 2.5, True]}}
RICH_PROPERTIES: list[dict[str, Any]] = [
    {
        "ref": "1",
        "name": "Käse 東京 🧀",
        "open": True,
        "staff": 12,
        "share": 0.1 + 0.2,
        "since": "2026-01-02T03:04:05+01:00",
    },
    {
        "ref": "2",
        "name": "",
        "open": False,
        "staff": -3,
        "share": 1e-9,
        "metadata": NESTED,
        "opening_hours_in_summer": "Mo-Fr",
    },
    {
        "ref": "3",
        "name": None,
        "opening_hours_in_winter": "Sa",
        "staff": 2**60,
        "mixed": 5,
        "tags": ["a", "b"],
    },
    {
        "ref": "4",
        "name": "x" * 400,
        "mixed": "five",
        "looks": '{"like": "json"}',
        "huge": 2**80,
        "blank": " both sides ",
    },
    {
        "ref": "5",
        "name": "lat and lon are taken",
        "lat": 1.5,
        "lon": "east",
        "radius_m": 7,
        "wkt": "no",
        "id": "own",
        "fid": 3,
    },
    {
        "ref": "6",
        "name": 'quotes " and, commas; and\ttabs\nand <tags> & more',
        "": "nameless",
        "ünï": 1,
        "geom": "g",
    },
    {"ref": "7", "name": "one part", "Name": "other case", "subType": "flagship", "radius": 5},
]
RICH_PLACES: list[dict[str, Any] | None] = [
    {"type": "circle", "lat": -33.123456789012345, "lon": 151.1, "radius_m": 120.25},
    PLACES["A2"],
    PLACES["A3"],
    PLACES["A4"],
    None,
    {"type": "circle", "lat": 0.0, "lon": -180.0, "radius_m": 10.0},
    {"type": "MultiPolygon", "coordinates": [[SQUARE]]},
]
RICH_IDS = ["f-1", None, None, "f-4", None, None, None]


def rich() -> list[Item]:
    """Everything that some format cannot hold, as items."""
    rows = zip(RICH_PROPERTIES, RICH_PLACES, RICH_IDS, strict=True)
    return [Item(n, p, g, i) for n, (p, g, i) in enumerate(rows, 1)]


# What may differ after a way out and back, and the words that must report it.
LOSS_WORDS = {
    "retyped": r"as text",
    "renamed": r"became|cuts names|gave way",
    "none": r"no value|no property",
    "empty": r"empty text",
    "cut": r"cuts texts",
    "order": r"one after the other",
    "digits": r"15 places",
    "json": r"written as JSON|their JSON",
    "id": r"ids of features",
    "part": r"one part",
    "blanks": r"blanks",
}


def differences(before: list[Item], after: list[Item]) -> Iterator[tuple[str, str]]:
    """(kind of `LOSS_WORDS`, what) of everything that came back otherwise."""
    if [item.properties["ref"] for item in before] != [item.properties["ref"] for item in after]:
        yield "order", "items"
    by_ref = {item.properties["ref"]: item for item in after}
    assert len(by_ref) == len(before) == len(after)
    for old in before:
        new = by_ref[old.properties["ref"]]
        assert new.error is None
        assert same_place(old.geometry, new.geometry), (old, new)
        if (
            old.geometry is not None
            and new.geometry is not None
            and old.geometry["type"] != new.geometry["type"]
        ):
            yield "part", "geometry"
        if old.id != new.id:
            yield "id", "id"
        if set(new.properties) - set(old.properties):
            yield (
                ("none", "absent")
                if set(new.properties) > set(old.properties)
                else ("renamed", "added")
            )
        for name, value in old.properties.items():
            if name not in new.properties:
                yield ("none" if value is None else "renamed"), name
            elif (kind := difference(value, new.properties[name])) is not None:
                yield kind, name


def difference(old: Any, new: Any) -> str | None:
    if type(old) is type(new) and old == new:
        return None
    if old == "" and new is None:
        return "empty"
    if isinstance(old, str) and not isinstance(new, str):
        return "json"
    if isinstance(old, str) and len(new) < len(old):
        return "blanks" if new.strip() == old.strip() else "cut"
    if isinstance(old, float) and isinstance(new, float):
        return "digits"
    return "retyped"


@each()
def test_what_is_written_comes_back_but_for_the_losses_that_were_reported(
    form: Format, tmp_path: Path
) -> None:
    before, path = rich(), tmp_path / f"out{form.SUFFIXES[0]}"
    found = form.write(iter(before), path)
    assert format_of(path) is form
    after = list(form.read(path))
    for kind, what in set(differences(before, after)):
        assert any(re.search(LOSS_WORDS[kind], sentence) for sentence in found), (
            f"{kind} of {what} was not reported: {found}"
        )
    assert len(found) == len(set(found))
    nested = next(item.properties for item in after if item.properties["ref"] == "2")
    assert nested["metadata"] == before[1].properties["metadata"]


@each()
def test_a_format_tells_no_loss_where_nothing_is_lost(form: Format, tmp_path: Path) -> None:
    before = [
        Item(n, {"ref": str(n), "name": NAMES[ref], "city": "Wien"}, PLACES[ref])
        for n, ref in enumerate(("A2", "A2"), 1)
    ]
    path = tmp_path / f"out{form.SUFFIXES[0]}"
    assert form.write(before, path) == ()
    assert [item.properties for item in form.read(path)] == [item.properties for item in before]


@each()
def test_items_with_an_error_are_left_out_and_counted(form: Format, tmp_path: Path) -> None:
    bad = Item(
        1,
        {"ref": "bad"},
        None,
        error=RegionError("invalid_position", "a coordinate is not a number"),
    )
    good = Item(2, {"ref": "good"}, PLACES["A2"])
    found = form.write([bad, good], tmp_path / "out")
    assert [item.properties["ref"] for item in form.read(tmp_path / "out")] == ["good"]
    assert any("1 item that could not be read" in sentence for sentence in found)


@each()
def test_a_file_without_items_is_written_and_read(form: Format, tmp_path: Path) -> None:
    path = tmp_path / f"none{form.SUFFIXES[0]}"
    assert form.write([], path) == ()
    if form.NAME == "geojsonl":  # no lines are no bytes
        assert path.read_bytes() == b""
    else:
        assert format_of(path, path.name) is form
    assert list(form.read(path)) == []
