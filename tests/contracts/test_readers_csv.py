"""CSV as people write it.

Delimiters, encodings, odd rows, well-known text and formulas.
"""

from __future__ import annotations

import csv
import tracemalloc
from pathlib import Path

import pytest

from regions.readers import FileError, Item
from tests.rigs.reader_files import BY_NAME, read

CIRCLE = {"type": "circle", "lat": 48.2, "lon": 16.3, "radius_m": 150.0}
POINT = {"type": "Point", "coordinates": [16.3, 48.2]}
SQUARE = [[[16.3, 48.1], [16.4, 48.1], [16.4, 48.2], [16.3, 48.2], [16.3, 48.1]]]


HEADERS = {
    "commas": "name,lat,lon\nKäse,48.2,16.3\n",
    "semicolons and decimal commas": "name;lat;lon\nKäse;48,2;16,3\n",
    "tabs": "name\tlatitude\tlongitude\nKäse\t48.2\t16.3\n",
    "bars": "name|LAT|LNG\nKäse|48.2|16.3\n",
    "a comma in every text but the delimiter elsewhere": (
        'name;a,b,c;lat;lon\nKäse;1,2,3;48,2;16,3\n"x";1,2,3;1;2\n'
    ),
    "quoted decimal commas": '"name","lat","lon"\n"Käse","48,2","16,3"\n',
    "blanks after commas": 'name, "lat", "lon"\nKäse, "48.2", "16.3"\n',
    "Excel's own line": "sep=;\nname;lat;lon\nKäse;48,2;16,3\n",
    "empty lines": "\n\nname,lat,lon\n\nKäse,48.2,16.3\n\n",
    "Windows line ends": "name,lat,lon\r\nKäse,48.2,16.3\r\n",
    "old Macintosh line ends": "name,lat,lon\rKäse,48.2,16.3\r",
    "names in capitals with blanks": "Name, Latitude ,LONGITUDE \nKäse,48.2,16.3\n".replace(
        "Name", "name"
    ),
    "names with a path": "name,Address.Latitude,Address.Longitude\nKäse,48.2,16.3\n",
    "German names": "name;Breitengrad;Längengrad\nKäse;48,2;16,3\n",
    "x and y": "name,X,Y\nKäse,16.3,48.2\n",
    "well-known text": 'name,wkt\nKäse,"POINT (16.3 48.2)"\n',
    "well-known text with its system": 'name,geom\nKäse,"SRID=4326;POINT(16.3 48.2)"\n',
    "GeoJSON in a cell": 'name;geometry\nKäse;{"type":"Point","coordinates":[16.3,48.2]}\n',
    "altitudes": 'name,wkt\nKäse,"POINT Z (16.3 48.2 7)"\n',
}


@pytest.mark.parametrize("what", HEADERS)
def test_csv_is_understood_as_people_write_it(what: str, tmp_path: Path) -> None:
    first = read(tmp_path, HEADERS[what], "csv")[0]
    assert (first.error, first.properties["name"], first.geometry) == (None, "Käse", POINT)


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1"],
)
def test_csv_is_read_in_any_encoding(encoding: str, tmp_path: Path) -> None:
    items = read(
        tmp_path, ("name,lat,lon\n" + "Käse & Söhne,48.2,16.3\n" * 3).encode(encoding), "csv"
    )
    assert [(item.properties, item.geometry) for item in items] == [
        ({"name": "Käse & Söhne"}, POINT)
    ] * 3
    assert bool(items[0].notes) is (encoding in {"cp1252", "latin-1"})


def test_bytes_that_windows_has_no_letter_for_are_read_as_latin_1(tmp_path: Path) -> None:
    (item,) = read(tmp_path, b"name,lat,lon\nK\xe4se\x81,48.2,16.3\n", "csv")
    assert item.properties == {"name": "Käse\x81"}
    assert "Latin-1" in item.notes[0]


def test_rows_over_several_lines_count_where_they_start(tmp_path: Path) -> None:
    items = read(tmp_path, 'name,lat,lon\n\n"a\nb\nc",1,2\nd,1,2\n"e\r\nf",1,x\n\ng,1,2\n', "csv")
    assert [item.number for item in items] == [3, 6, 7, 10]
    assert items[2].error is not None
    assert items[0].properties["name"] == "a\nb\nc"


def test_columns_of_one_name_are_kept_apart_and_reported(tmp_path: Path) -> None:
    items = read(tmp_path, "name,name,,name_2,lat,lon\na,b,c,d,48.2,16.3\na,b,c,d,1,2\n", "csv")
    assert items[0].properties == {"name": "a", "name_2": "b", "column_3": "c", "name_2_2": "d"}
    assert any("name is there more than once" in note for note in items[0].notes)
    assert items[1].notes == ()


ROWS = {
    "48.2,16.3,150": (CIRCLE, None),
    "48.2,16.3,": (POINT, None),
    ",,150": (None, None),
    ",,": (None, None),
    "48.2,,": (None, "invalid_position"),
    "north,16.3,": (None, "invalid_position"),
    "nan,16.3,": (None, "invalid_position"),
    "inf,16.3,5": (None, "invalid_position"),
    "48.2,16.3,wide": (None, "invalid_radius"),
    "48.2,16.3,nan": (None, "invalid_radius"),
    "48.2,16.3,150 m": (CIRCLE, None),
    '48.2,16.3,"0,15 km"': (CIRCLE, None),
    "48.2,16.3": (None, "wrong_width"),
    "48.2,16.3,150,7": (None, "wrong_width"),
    "48.2,16.3,150,": (CIRCLE, None),
}


@pytest.mark.parametrize("row", ROWS)
def test_a_row_that_cannot_be_read_has_its_error_and_the_next_is_read(
    row: str, tmp_path: Path
) -> None:
    bad, good = read(tmp_path, f"name,lat,lon,radius_m\nx,{row}\ny,48.2,16.3,150\n", "csv")
    geometry, code = ROWS[row]
    assert (bad.geometry, bad.error and bad.error.code) == (geometry, code)
    assert (good.number, good.geometry) == (3, CIRCLE)
    assert bad.error is None or "48.2" not in bad.error.detail


WKT = {
    "POLYGON ((16.3 48.1, 16.4 48.1, 16.4 48.2, 16.3 48.2, 16.3 48.1))": {
        "type": "Polygon",
        "coordinates": SQUARE,
    },
    "GEOMETRYCOLLECTION (POLYGON ((16.3 48.1, 16.4 48.1, 16.4 48.2, 16.3 48.2, 16.3 48.1)))": {
        "type": "Polygon",
        "coordinates": SQUARE,
    },
    "POLYGON ((16.3 48.1, 16.4 48.1": "not_a_region",
    "POLYGON EMPTY": "empty",
    "POINT (nan nan)": "invalid_position",
    "POLYGON ((0 0, 1 nan, 1 1, 0 0))": "invalid_position",
    "CIRCULARSTRING (0 0, 1 1, 1 0)": "not_a_region",
    "SRID=3857;POINT (1 2)": "not_a_region",
    "GEOMETRYCOLLECTION (" * 20_000: "not_a_region",
}


@pytest.mark.parametrize("text", WKT, ids=range(len(WKT)))
def test_well_known_text_is_a_geometry_or_an_error_of_its_row(text: str, tmp_path: Path) -> None:
    _, item, last = read(
        tmp_path, f'name,wkt\na,"POINT (1 2)"\nb,"{text}"\nc,"POINT (16.3 48.2)"\n', "csv"
    )
    assert (item.error.code if item.error else item.geometry) == WKT[text]
    assert last.geometry == POINT


def test_a_quotation_mark_that_nothing_closes_does_not_swallow_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "open.csv"
    path.write_bytes(b'name,lat,lon\n"a,1,2\n' + b"x,1,2\n" * 2_000_000)
    tracemalloc.start()
    with pytest.raises(FileError) as caught:
        list(BY_NAME["csv"].read(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.code == "broken"
    assert peak < 100_000_000


def test_a_hundred_thousand_rows_are_read_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    path.write_text(
        "ref,name,lat,lon\n" + "".join(f"{n},Shop {n},48.2,16.3\n" for n in range(100_000))
    )
    tracemalloc.start()
    count = sum(item.error is None for item in BY_NAME["csv"].read(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 100_000
    assert peak < 5_000_000


def test_a_quotation_mark_that_nothing_closes_is_reported_and_swallows_no_rows_in_silence(
    tmp_path: Path,
) -> None:
    rows = "".join(f"{nth},Name,48.2,16.3\n" for nth in range(3, 50))
    with pytest.raises(FileError) as caught:
        read(tmp_path, f'id,name,lat,lon\n1,One,48.2,16.3\n2,"Two,48.2,16.3\n{rows}', "csv")
    assert caught.value.code == "broken"
    assert "line 3" in caught.value.detail
    whole = read(tmp_path, 'id,name,lat,lon\n1,"One\nand\nmore",48.2,16.3', "csv")
    assert [(item.number, item.properties["name"]) for item in whole] == [(2, "One\nand\nmore")]


@pytest.mark.parametrize("name", ["", "a"])
def test_a_header_of_a_million_columns_is_refused_before_they_are_named(
    name: str, tmp_path: Path
) -> None:
    wide = f",{name}" * 1_000_000
    with pytest.raises(FileError) as caught:
        read(tmp_path, f"lat,lon{wide}\n1,2{wide}\n", "csv")
    assert caught.value.code == "too_large"


@pytest.mark.parametrize("lat", ["4_8", "4_8.2", "1_0e0"])
def test_a_number_with_an_underscore_is_no_position(lat: str, tmp_path: Path) -> None:
    (item,) = read(tmp_path, f"name,lat,lon\nA,{lat},16.3\n", "csv")
    assert item.error is not None
    assert item.error.code == "invalid_position"
    assert lat not in item.error.detail


FORMULAS = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\t=1",
    "\r+1",
    "\n@1",
    "\n\t-1 + x",
    "'=1",
    "''=1",
    "＝1",
    "-",
    "+49 89 123",
]
HARMLESS = ["-5", "+5.2", "'s-Hertogenbosch", "'tis", "a=b", "' =1"]


def test_no_cell_that_is_written_is_a_formula_and_all_come_back_as_they_were(
    tmp_path: Path,
) -> None:
    path = tmp_path / "places.csv"
    BY_NAME["csv"].write(
        [Item(nth, {"name": text}, POINT) for nth, text in enumerate([*FORMULAS, *HARMLESS], 1)],
        path,
    )
    with path.open(encoding="utf-8", newline="") as file:
        cells = [row[0] for row in csv.reader(file)][1:]
    assert [cell[0] for cell in cells[: len(FORMULAS)]] == ["'"] * len(FORMULAS)
    assert cells[len(FORMULAS) :] == HARMLESS
    assert [item.properties["name"] for item in BY_NAME["csv"].read(path)] == [*FORMULAS, *HARMLESS]
