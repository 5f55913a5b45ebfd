"""CSV as people write it, and the JSON lists of places that other services answer."""

from __future__ import annotations

import csv
import json
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest

from regions.geojson import canonical
from regions.readers import FileError, Item, format_of, formats

SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "places_files"
BY_NAME = {form.NAME: form for form in formats()}
CIRCLE = {"type": "circle", "lat": 48.2, "lon": 16.3, "radius_m": 150.0}
POINT = {"type": "Point", "coordinates": [16.3, 48.2]}
SQUARE = [[[16.3, 48.1], [16.4, 48.1], [16.4, 48.2], [16.3, 48.2], [16.3, 48.1]]]


def read(folder: Path, content: str | bytes, name: str) -> list[Item]:
    path = folder / "upload"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    form = format_of(path, name)
    assert name == form.NAME
    return list(form.read(path))


# ---- CSV

HEADERS = {
    "commas": "name,lat,lon\nKäse,48.2,16.3\n",
    "semicolons and decimal commas": "name;lat;lon\nKäse;48,2;16,3\n",
    "tabs": "name\tlatitude\tlongitude\nKäse\t48.2\t16.3\n",
    "bars": "name|LAT|LNG\nKäse|48.2|16.3\n",
    "a comma in every text but the delimiter elsewhere": 'name;a,b,c;lat;lon\nKäse;1,2,3;48,2;16,3\n"x";1,2,3;1;2\n',
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


# ---- JSON lists of other services


def feature(geometry: dict[str, Any], properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties, **more}


AREA = {"type": "Polygon", "coordinates": SQUARE}
RADAR = {
    "_id": "7",
    "externalId": "x",
    "live": True,
    "geometryCenter": POINT,
    "geometryRadius": 150,
}
RADAR_AREA = {**RADAR, "type": "polygon", "geometry": AREA}
LISTS: dict[str, tuple[object, list[tuple[str | None, dict[str, Any], object]]]] = {
    "Radar": (
        {
            "meta": {"code": 200},
            "geofences": [
                {**RADAR, "type": "circle"},
                RADAR_AREA,
                {**RADAR_AREA, "type": "isochrone"},
            ],
        },
        [("7", {"externalId": "x"}, place) for place in (CIRCLE, AREA, AREA)],
    ),
    "Amazon Location": (
        {
            "Entries": [
                {
                    "GeofenceId": "a",
                    "Geometry": {"Circle": {"Center": [16.3, 48.2], "Radius": 150}},
                    "GeofenceProperties": {"k": "v"},
                },
                {"GeofenceId": "b", "Geometry": {"Polygon": SQUARE}, "Status": "ACTIVE"},
                {"GeofenceId": "c", "Geometry": {"Geobuf": "Cg=="}, "Status": "FAILED"},
            ],
            "NextToken": "n",
        },
        [("a", {"k": "v"}, CIRCLE), ("b", {}, AREA), ("c", {"Status": "FAILED"}, "not_a_region")],
    ),
    "Tile38": (
        {
            "ok": True,
            "fields": ["speed"],
            "objects": [
                {"id": "p", "object": POINT, "fields": [5]},
                {
                    "id": "q",
                    "object": feature(
                        POINT, {"type": "Circle", "radius": 0.15, "radius_units": "km", "n": 1}
                    ),
                },
                {"id": "r", "object": AREA, "fields": {"speed": 9}},
            ],
            "count": 3,
            "cursor": 0,
        },
        [("p", {"speed": 5}, POINT), ("q", {"n": 1}, CIRCLE), ("r", {"speed": 9}, AREA)],
    ),
    "Tile38 POINTS": (
        {"ok": True, "points": [{"id": "p", "point": {"lat": 48.2, "lon": 16.3}}]},
        [("p", {}, POINT)],
    ),
    "Azure Maps": (
        {
            "type": "FeatureCollection",
            "features": [feature(POINT, {"geometryId": "1", "subType": "Circle", "radius": 150})],
        },
        [(None, {"geometryId": "1"}, CIRCLE)],
    ),
    "TomTom": (
        {
            "type": "FeatureCollection",
            "features": [
                feature({**POINT, "shapeType": "Circle", "radius": 150}, {"k": 1}, name="n", id="t")
            ],
        },
        [("t", {"name": "n", "k": 1}, CIRCLE)],
    ),
    "a plain array": (
        [
            {"id": 5, "name": "a", "lat": 48.2, "lng": 16.3},
            {"name": "b", "latitude": 48.2, "longitude": 16.3, "radius": 150},
            {"name": "c", "lat": "48.2", "lon": "16.3", "radius_m": None},
            {"name": "d", "lat": None, "lng": None},
            {"name": "e"},
            {"name": "f", "lat": [], "lng": 1},
            7,
        ],
        [
            ("5", {"id": 5, "name": "a"}, POINT),
            (None, {"name": "b"}, CIRCLE),
            (None, {"name": "c"}, POINT),
            (None, {"name": "d"}, None),
            (None, {"name": "e"}, None),
            (None, {"name": "f"}, "invalid_position"),
            (None, {}, "not_a_region"),
        ],
    ),
    "our own circles": ([CIRCLE], [(None, {}, CIRCLE)]),
    "one Feature": (feature(AREA, {"a": 1}, id=3), [("3", {"a": 1}, AREA)]),
    "one geometry": (AREA, [(None, {}, AREA)]),
    "a collection of geometries": (
        {"type": "GeometryCollection", "geometries": [POINT, AREA]},
        [(None, {}, POINT), (None, {}, AREA)],
    ),
    "no geometry": (feature(None, {"a": 1}), [(None, {"a": 1}, None)]),  # type: ignore[arg-type] # RFC 7946, 3.2
    "members before the list": (
        {"crs": None, "extra": {"features": 1}, "features": [feature(POINT, {})]},
        [(None, {}, POINT)],
    ),
    "an empty list": ({"type": "FeatureCollection", "features": []}, []),
    "properties that are an array": ([feature(POINT, [1])], [(None, {}, "not_a_region")]),  # type: ignore[arg-type] # the error
    "a radius that is no number": (
        [feature(POINT, {"radius": "wide"})],
        [(None, {"radius": "wide"}, "invalid_radius")],
    ),
}


@pytest.mark.parametrize("who", LISTS)
@pytest.mark.parametrize("indent", [None, 2])
def test_the_lists_of_other_services_are_read(who: str, indent: int | None, tmp_path: Path) -> None:
    content, found = LISTS[who]
    items = read(tmp_path, json.dumps(content, indent=indent), "geojson")
    assert [
        (item.id, item.properties, item.error.code if item.error else item.geometry)
        for item in items
    ] == found
    assert [item.number for item in items] == list(range(1, len(items) + 1))


def test_a_radar_area_is_that_area_wherever_it_is_read() -> None:
    assert canonical(RADAR_AREA) == canonical(AREA)
    assert canonical({**RADAR_AREA, "type": "circle"}) == CIRCLE


def test_areas_collected_in_one_feature_are_one_place_and_reported(tmp_path: Path) -> None:
    both = {
        "type": "GeometryCollection",
        "geometries": [AREA, {"type": "MultiPolygon", "coordinates": [SQUARE]}],
    }
    (item,) = read(tmp_path, json.dumps(feature(both, {})), "geojson")
    assert item.geometry == {"type": "MultiPolygon", "coordinates": [SQUARE, SQUARE]}
    assert "one place of several parts" in item.notes[0]


@pytest.mark.parametrize(
    "content", ['{"type":"Topology","objects":{},"arcs":[]}', '{"hello":"world"}', "{}"]
)
def test_json_that_holds_no_places_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_text(content)
    with pytest.raises(FileError) as caught:
        list(format_of(tmp_path / "x").read(tmp_path / "x"))
    assert caught.value.code == "unknown_format"


@pytest.mark.parametrize("separator", ["", "\x1e"])
def test_lines_of_geojson_are_counted_by_the_line_with_or_without_separators(
    separator: str, tmp_path: Path
) -> None:
    good = json.dumps(feature(POINT, {"a": 1}))
    items = read(
        tmp_path,
        f"{separator}{good}\n{separator}{good}\n{separator}{{broken\n\n{separator}{good}\n",
        "geojsonl",
    )
    assert [(item.number, item.error and item.error.code) for item in items] == [
        (1, None),
        (2, None),
        (3, "not_json"),
        (5, None),
    ]


def test_a_record_of_a_text_sequence_may_run_over_lines(tmp_path: Path) -> None:
    database = json.dumps(feature(POINT, {"a": 1}), indent=1)
    items = read(tmp_path, f"\x1e{database}\n\x1e{database}\n", "geojsonl")
    assert [item.geometry for item in items] == [POINT, POINT]
    assert items[1].number == 1 + len(database.splitlines())


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_geojson_with_a_mark_or_in_utf_16_is_read(encoding: str, tmp_path: Path) -> None:
    (item,) = read(
        tmp_path,
        json.dumps(feature(POINT, {"n": "Käse"}), ensure_ascii=False).encode(encoding),
        "geojson",
    )
    assert item.properties == {"n": "Käse"}


def test_half_characters_and_zero_characters_do_not_reach_a_database(tmp_path: Path) -> None:
    (item,) = read(
        tmp_path,
        '{"type":"Feature","geometry":null,"properties":{"a\\u0000b":"x\\ud800y\\u0000z"}}',
        "geojson",
    )
    assert item.properties == {"ab": "x?yz"}


# ---- KML and Shapefile as people send them


def test_a_circle_in_kml_is_a_point_whose_extended_data_tell_a_radius(tmp_path: Path) -> None:
    found = {"radius_m": "150", "hours": '{"Mo":[9]}'}
    data = "".join(
        f"<Data name='{name}'><value>{value}</value></Data>" for name, value in found.items()
    )
    place = f"<Placemark id='p1'><ExtendedData>{data}</ExtendedData><Point><coordinates>16.3,48.2,0</coordinates></Point></Placemark>"
    document = f"<Document><Folder><name>Wien</name>{place}</Folder></Document>"
    (item,) = read(tmp_path, f"<kml xmlns='http://www.opengis.net/kml/2.2'>{document}</kml>", "kml")
    assert item == Item(1, {"hours": {"Mo": [9]}, "folder": "Wien"}, CIRCLE, "p1")


def test_a_shapefile_without_its_companions_is_read_and_reported(tmp_path: Path) -> None:
    path = tmp_path / "bare.zip"
    with zipfile.ZipFile(SAMPLES / "places.zip") as good, zipfile.ZipFile(path, "w") as out:
        out.writestr("points.shp", good.read("export/points.shp"))
        out.writestr("__MACOSX/._points.shp", b"litter")
    items = list(format_of(path).read(path))
    assert [item.geometry["type"] for item in items] == ["Point", "Point"]
    assert any("no .dbf" in note for note in items[0].notes)


def test_a_workbook_is_refused_with_advice(tmp_path: Path) -> None:
    path = tmp_path / "shops.xlsx"
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(FileError, match="save the sheet as CSV"):
        format_of(path)


def test_an_archive_or_a_flatgeobuf_that_is_cut_off_is_reported_as_that(tmp_path: Path) -> None:
    whole = (SAMPLES / "places.zip").read_bytes()
    with zipfile.ZipFile(
        tmp_path / "long.zip", "w"
    ) as out:  # what tells a Shapefile stands behind the first 64 KB
        out.writestr("stores.dbf", b"\0" * 100_000)
        out.writestr("stores.shp", b"\0" * 100)
    long = (tmp_path / "long.zip").read_bytes()
    for content in (
        whole[: len(whole) // 2],
        long[:90_000],
        (SAMPLES / "places.fgb").read_bytes()[:200],
    ):
        (tmp_path / "x").write_bytes(content)
        with pytest.raises(FileError, match="cut off") as caught:
            list(format_of(tmp_path / "x").read(tmp_path / "x"))
        assert caught.value.code == "broken"
