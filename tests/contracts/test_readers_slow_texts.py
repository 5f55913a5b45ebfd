"""Texts built to be slow to look at: each cost grows with their length, not with its square."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from geofence.importing import cells
from geofence.importing.opening_hours import day_column, hours_of
from regions.readers import FileError, formats
from regions.readers.geometry import looks_like_wkt
from regions.readers.values import radius_in
from regions.region import RegionError

BY_NAME = {form.NAME: form for form in formats()}
LONG = 200_000


def spent_s(work: Callable[[], object]) -> float:
    started_s = time.thread_time()
    work()
    return time.thread_time() - started_s


def grows_like_its_length(work: Callable[[int], object]) -> bool:
    """Twice as much may take three times as long; a square takes four times."""
    first, second = (spent_s(lambda n=n: work(n)) for n in (10_000, 20_000))
    return second < 3 * first + 0.1


def no_hours(*said: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match=r"time|characters"):
        hours_of((column, cell) for name, cell in said if (column := day_column(name)))


def no_length(cell: str) -> None:
    with pytest.raises(RegionError):
        radius_in(cell)


def kml_point(text: str, folder: Path) -> None:
    path = folder / "places.kml"
    path.write_text(
        f"<kml><Placemark><Point><coordinates>{text}</coordinates></Point></Placemark></kml>"
    )
    (item,) = BY_NAME["kml"].read(path)
    assert item.error is not None


TEXTS: dict[str, Callable[[int], object]] = {
    "a day's hours": lambda n: no_hours(("mon", "9" + " " * n + "x")),
    "a day's hours after its dash": lambda n: no_hours(("mon", "9-5" + " " * n + "x")),
    "a day's opening": lambda n: no_hours(("mon_open", "9" + " " * n + "x"), ("mon_close", "17")),
    "well-known text with blanks": lambda n: looks_like_wkt("POLYGON" + " " * n + "x"),
    "well-known text behind blanks": lambda n: looks_like_wkt(
        " " * n + "SRID=4326;" + " " * n + "x"
    ),
    "a time zone": lambda n: cells.zone("a" * n),
    "a radius": lambda n: no_length("1" * n + " " * n + "m!"),
}


@pytest.mark.parametrize("what", TEXTS)
def test_a_cell_costs_what_its_length_is_and_not_the_square_of_it(what: str) -> None:
    assert grows_like_its_length(TEXTS[what])
    assert spent_s(lambda: TEXTS[what](LONG)) < 5


def test_coordinates_with_blanks_between_them_cost_what_their_length_is(tmp_path: Path) -> None:
    assert grows_like_its_length(lambda n: kml_point("16" + " " * n + "x ,48", tmp_path))
    assert spent_s(lambda: kml_point("16" + " " * LONG + "x ,48", tmp_path)) < 5


@pytest.mark.parametrize("text", ["16.5 , 48.25", " 16.5,48.25\n", "16.5 ,\t48.25 , 0"])
def test_blanks_around_the_commas_of_coordinates_are_read_over(text: str, tmp_path: Path) -> None:
    path = tmp_path / "places.kml"
    path.write_text(
        f"<kml><Placemark><Point><coordinates>{text}</coordinates></Point></Placemark></kml>"
    )
    (item,) = BY_NAME["kml"].read(path)
    assert item.geometry == {"type": "Point", "coordinates": [16.5, 48.25]}


TOKENS = {
    "a comment": "<!--#--><Placemark/>",
    "an attribute": '<Placemark a="#"/>',
    "an instruction": "<?x #?><Placemark/>",
    "a tag": "<#/><Placemark/>",
    "the blanks in a tag": f"<Placemark {' ' * 1_900_000}#/>",
}


@pytest.mark.parametrize("what", TOKENS)
def test_a_document_with_one_endless_token_is_refused_before_it_is_read_again_and_again(
    what: str, tmp_path: Path
) -> None:
    path = tmp_path / "places.kml"
    path.write_text("<kml>" + TOKENS[what].replace("#", "x" * 1_900_000) + "</kml>")
    with pytest.raises(FileError) as caught:
        list(BY_NAME["kml"].read(path))
    assert caught.value.code == "too_large"
    path.write_text("<kml>" + TOKENS["a comment"].replace("#", "x" * 100_000) * 30 + "</kml>")
    assert len(list(BY_NAME["kml"].read(path))) == 30


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("text", ["#", "<![CDATA[#]]>", "&lt;#&gt;"])
def test_a_long_text_between_tags_is_no_endless_token(
    text: str, encoding: str, tmp_path: Path
) -> None:
    path = tmp_path / "places.kml"
    words = text.replace("#", "word " * 700_000)
    path.write_text(
        f"<kml><Placemark><description>{words}</description></Placemark></kml>", encoding=encoding
    )
    (item,) = BY_NAME["kml"].read(path)
    assert len(item.properties["description"]) >= 3_499_999


@pytest.mark.parametrize(
    "head",
    [
        "POINT(",
        " point (",
        "SRID=4326; POINT(",
        "MULTIPOLYGON ZM (",
        "POLYGONZ(",
        "POLYGON M(",
        "POINT EMPTY",
    ],
)
def test_well_known_text_is_reported_by_its_beginning(head: str) -> None:
    assert looks_like_wkt(head)
