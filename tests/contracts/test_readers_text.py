"""JSON lists of places that other services answer, and KML and Shapefiles as people send them."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from regions.geojson import canonical
from regions.readers import FileError, Item, format_of
from tests.rigs.reader_files import read

SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "places_files"
CIRCLE = {"type": "circle", "lat": 48.2, "lon": 16.3, "radius_m": 150.0}
POINT = {"type": "Point", "coordinates": [16.3, 48.2]}
SQUARE = [[[16.3, 48.1], [16.4, 48.1], [16.4, 48.2], [16.3, 48.2], [16.3, 48.1]]]


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
    "no geometry": (  # RFC 7946, 3.2
        feature(None, {"a": 1}),  # type: ignore[arg-type]  # see above
        [(None, {"a": 1}, None)],
    ),
    "members before the list": (
        {"crs": None, "extra": {"features": 1}, "features": [feature(POINT, {})]},
        [(None, {}, POINT)],
    ),
    "an empty list": ({"type": "FeatureCollection", "features": []}, []),
    "properties that are an array": (
        [feature(POINT, [1])],  # type: ignore[arg-type]  # this is the error
        [(None, {}, "not_a_region")],
    ),
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
    point = "<Point><coordinates>16.3,48.2,0</coordinates></Point>"
    place = f"<Placemark id='p1'><ExtendedData>{data}</ExtendedData>{point}</Placemark>"
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
