"""Every format of places reads its own sample, and answers rubbish with words.

The sample is `tests/samples/places_files/places` + suffix: the same four places in each, made with
other programs or by hand.
"""

from __future__ import annotations

import itertools
import random
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regions.readers import FileError, Format, Item, format_of
from tests.rigs.formats import (
    FORMATS,
    IN_THIS_PROCESS,
    NAMES,
    PLACES,
    each,
    same_place,
    sample,
)


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
