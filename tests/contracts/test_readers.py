"""Every format of places reads its own sample, writes what it reads, and tells what it loses.

The sample is `tests/samples/places_files/places` + suffix: the same four places in each, made with
other programs or by hand.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regions.geojson import read_region
from regions.readers import FileError, Format, Item, format_of, formats
from regions.region import Circle, RegionError

SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "places_files"
FORMATS = formats()
IN_THIS_PROCESS = tuple(
    f for f in FORMATS if f.NAME in {"csv", "geojson", "geojsonl", "kml", "kmz"}
)

SQUARE = [[16.3, 48.1], [16.4, 48.1], [16.4, 48.2], [16.3, 48.2], [16.3, 48.1]]
HOLE = [[16.33, 48.13], [16.33, 48.16], [16.36, 48.16], [16.36, 48.13], [16.33, 48.13]]
WEST = [[[179.9, -17.1], [180.0, -17.1], [180.0, -17.0], [179.9, -17.0], [179.9, -17.1]]]
EAST = [[[-180.0, -17.1], [-179.9, -17.1], [-179.9, -17.0], [-180.0, -17.0], [-180.0, -17.1]]]
PLACES: dict[str, dict[str, Any]] = {
    "A1": {"type": "circle", "lat": 48.2082, "lon": 16.3738, "radius_m": 120.5},
    "A2": {"type": "Polygon", "coordinates": [SQUARE, HOLE]},
    "A3": {"type": "MultiPolygon", "coordinates": [WEST, EAST]},
    "A4": {"type": "Point", "coordinates": [151.25, -33.5]},
}
NAMES = {
    "A1": 'Käse & Söhne, "Zum Hof"',
    "A2": "Einkaufs-Zentrum",
    "A3": "東京 南",
    "A4": "Two\nlines",
}


def each(chosen: tuple[Format, ...] = FORMATS) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("form", chosen, ids=lambda form: form.NAME)


def sample(form: Format) -> Path:
    return SAMPLES / f"places{form.SUFFIXES[0]}"


def same_place(one: dict[str, Any] | None, other: dict[str, Any] | None) -> bool:
    """Equal as places: rings may start and turn elsewhere, and a whole of one part is that part."""
    if one is None or other is None or "Point" in (one["type"], other["type"]):
        return one == other
    first, second = read_region(one).region, read_region(other).region
    if isinstance(first, Circle) or isinstance(second, Circle):
        return first == second
    return bool(shapely.equals_exact(first.shape.normalize(), second.shape.normalize(), 1e-12))


def test_the_drawer_is_not_empty_and_no_two_formats_share_a_name_or_a_suffix() -> None:
    assert {
        "csv",
        "geojson",
        "geojsonl",
        "shapefile",
        "geopackage",
        "kml",
        "kmz",
        "flatgeobuf",
        "geoparquet",
    } <= {f.NAME for f in FORMATS}
    for what in ("SUFFIXES", "MEDIA"):
        found = [word for form in FORMATS for word in getattr(form, what)]
        assert len(found) == len(set(found))
    assert all(
        form.COUNTED in ("line", "feature") and re.fullmatch(r"[a-z]+", form.NAME)
        for form in FORMATS
    )


@each()
def test_a_format_reads_the_places_of_its_sample(form: Format) -> None:
    found = {item.properties["ref"]: item for item in form.read(sample(form))}
    assert set(found) == set(PLACES)
    for ref, item in found.items():
        assert item.error is None
        assert item.properties["name"] == NAMES[ref]
        assert same_place(item.geometry, PLACES[ref]), ref
    assert str(found["A1"].properties["employees"]) == "12"
    assert found["A2"].properties.get("employees") is None


@each()
def test_items_are_counted_from_one_by_the_line_or_the_feature(form: Format) -> None:
    numbers = [item.number for item in form.read(sample(form))]
    assert numbers == ([2, 3, 4, 5] if form.NAME == "csv" else [1, 2, 3, 4])


@each()
@pytest.mark.parametrize(
    "name", [None, "list", "wrong.xyz", "wrong.csv", "wrong.zip", "wrong.geojson"]
)
def test_what_a_file_is_comes_from_its_content_and_not_from_its_name(
    form: Format, name: str | None, tmp_path: Path
) -> None:
    copy = tmp_path / "upload"
    copy.write_bytes(sample(form).read_bytes())
    assert format_of(copy, name) is form


@each()
def test_a_format_is_found_by_its_own_name_and_media_type(form: Format) -> None:
    for word in (
        form.NAME,
        *form.MEDIA,
        *(f"x{suffix}" for suffix in form.SUFFIXES),
        f"{form.MEDIA[0]}; charset=utf-8",
    ):
        assert format_of(sample(form), word) is form


# ---- writing


def rich() -> list[Item]:
    """Everything that some format cannot hold."""
    nested = {"hours": [["08:00", "20:00"]], "closed": None, "deep": {"n": [1, 2.5, True]}}
    properties: list[dict[str, Any]] = [
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
            "metadata": nested,
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
    places = [
        {"type": "circle", "lat": -33.123456789012345, "lon": 151.1, "radius_m": 120.25},
        PLACES["A2"],
        PLACES["A3"],
        PLACES["A4"],
        None,
        {"type": "circle", "lat": 0.0, "lon": -180.0, "radius_m": 10.0},
        {"type": "MultiPolygon", "coordinates": [[SQUARE]]},
    ]
    ids = ["f-1", None, None, "f-4", None, None, None]
    return [
        Item(n, p, g, i) for n, (p, g, i) in enumerate(zip(properties, places, ids, strict=True), 1)
    ]


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


# ---- what nobody meant

RUBBISH = {
    "empty": b"",
    "noise": b"\0\xff" * 50,
    "json": b"{",
    "xml": b"<kml><",
    "zip": b"PK\x03\x04" + b"\0" * 60,
    "parquet": b"PAR1PAR1",
}
RUBBISH["flatgeobuf"] = b"fgb\x03fgb\0" + b"\xff" * 64


def only_items_or_an_error_in_words(form: Format, path: Path) -> bool:
    """Whether it could be read at all."""
    try:
        for item in form.read(path):
            assert isinstance(item, Item)
            assert item.error is None or (item.error.code and item.error.detail)
    except FileError as error:
        return not (error.code and error.detail)
    return True


@each()
def test_a_file_that_is_not_there_is_an_error_in_words(form: Format, tmp_path: Path) -> None:
    for path in (tmp_path / "nothing", tmp_path):
        with pytest.raises(FileError):
            list(form.read(path))
        with pytest.raises(FileError) as caught:
            format_of(path)
        assert caught.value.code == "not_found"


@each()
@pytest.mark.parametrize("content", RUBBISH.values(), ids=RUBBISH)
def test_no_format_answers_rubbish_with_anything_but_words(
    form: Format, content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "rubbish"
    path.write_bytes(content)
    readable = only_items_or_an_error_in_words(form, path)
    assert not readable or form.NAME in {"csv", "geojsonl"}


@each()
def test_a_file_that_is_cut_off_gives_items_or_an_error_in_words(
    form: Format, tmp_path: Path
) -> None:
    whole = sample(form).read_bytes()
    parts = 40 if form in IN_THIS_PROCESS else 4
    path = tmp_path / "cut"
    outcomes = []
    for nth in range(parts):
        path.write_bytes(whole[: len(whole) * nth // parts])
        outcomes.append(only_items_or_an_error_in_words(form, path))
    if form.COUNTED == "feature":
        assert not any(outcomes[1:-1]), "half a file was taken for a whole one"


@each(tuple(form for form in FORMATS if form not in IN_THIS_PROCESS))
def test_a_damaged_binary_file_gives_items_or_an_error_in_words(
    form: Format, tmp_path: Path
) -> None:
    chance = random.Random(7)
    whole = sample(form).read_bytes()
    path = tmp_path / "damaged"
    for _ in range(5):
        damaged = bytearray(whole)
        for _ in range(chance.choice([1, 20, 300])):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        only_items_or_an_error_in_words(form, path)
    assert only_items_or_an_error_in_words(form, sample(form))


def found_or_said(path: Path) -> str:
    try:
        return "found" if format_of(path, "places") in FORMATS else "strange"
    except FileError as error:
        return error.code


WORDS = [
    b"[",
    b"{",
    b'"',
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"null",
    b"\0",
    b"<",
    b"&x;",
    b"\\ud800",
    b"\xff",
    b",",
    b"\x1e",
]
WORDS += [b"9" * 400, b"[" * 3000]
Mutation = tuple[str, list[tuple[float, int, bytes]]]


@st.composite
def mutations(draw: st.DrawFn) -> Mutation:
    """A format, and what to put in place of how many bytes where."""
    name = draw(st.sampled_from([form.NAME for form in IN_THIS_PROCESS]))
    words = st.sampled_from(WORDS)
    edits = st.tuples(st.floats(0, 1), st.integers(0, 30), words | st.binary(max_size=8))
    return name, draw(st.lists(edits, min_size=1, max_size=6))


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(mutations())
def test_no_damage_to_a_text_file_makes_anything_but_items_and_words(
    tmp_path: Path, mutation: Mutation
) -> None:
    name, edits = mutation
    form = next(form for form in FORMATS if name == form.NAME)
    content = sample(form).read_bytes()
    for place, length, put in edits:
        at = int(place * len(content))
        content = content[:at] + put + content[at + length :]
    path = tmp_path / "damaged"
    path.write_bytes(content)
    only_items_or_an_error_in_words(form, path)
    assert found_or_said(path) in {
        "found",
        "unknown_format",
        "empty",
        "broken",
    }  # broken: it begins as an archive does now


@each(tuple(form for form in FORMATS if form.NAME in {"csv", "geojsonl", "geojson"}))
def test_text_files_are_read_item_by_item(form: Format, tmp_path: Path) -> None:
    many = (Item(n, {"ref": str(n), "name": "x" * 200}, PLACES["A1"]) for n in itertools.count(1))
    path = tmp_path / f"many{form.SUFFIXES[0]}"
    form.write(itertools.islice(many, 20_000), path)
    read = form.read(path)
    first = next(read)
    with path.open("r+b") as file:  # what comes later is not in memory yet
        file.truncate(path.stat().st_size // 2)
    assert first.properties["ref"] == "1"
    with pytest.raises(FileError) if form.NAME == "geojson" else _nothing():
        assert len(list(read)) < 19_999


class _nothing:  # noqa: N801 - reads as `with nothing`
    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...
