"""Coordinate systems of files are converted where they are named and refused where not."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import geopandas as gpd
import pyogrio
import pytest
import shapely

from tests.rigs.reader_files import BY_NAME, refused, with_bytes


def frame(crs: str | None) -> gpd.GeoDataFrame:
    places = gpd.GeoDataFrame(
        {"ref": ["a"]}, geometry=[shapely.Point(16.3738, 48.2082)], crs="EPSG:4326"
    )
    moved = places.to_crs(crs or "EPSG:3857")
    return moved if crs else moved.set_crs(None, allow_override=True)


def saved(name: str, crs: str | None, folder: Path) -> Path:
    path = folder / f"made{BY_NAME[name].SUFFIXES[0]}"
    if name == "geoparquet":
        frame(crs).to_parquet(path)
    elif name == "shapefile":
        frame(crs).to_file(folder / "made.shp")
        parts = [part for part in folder.glob("made.*") if part != path]
        with zipfile.ZipFile(path, "w") as out:
            for part in parts:
                out.write(part, part.name)
    else:
        pyogrio.write_dataframe(frame(crs), path, layer="x")
    return path


@pytest.mark.parametrize("name", ["geopackage", "flatgeobuf", "geoparquet", "shapefile"])
@pytest.mark.parametrize("crs", ["EPSG:3857", "EPSG:31287"])
def test_coordinates_in_a_system_that_the_file_names_are_converted_and_reported(
    name: str, crs: str, tmp_path: Path
) -> None:
    (item,) = BY_NAME[name].read(saved(name, crs, tmp_path))
    lon, lat = item.geometry["coordinates"]
    assert (round(lat, 6), round(lon, 6)) == (48.2082, 16.3738)
    assert any("converted" in note and "WGS" in note for note in item.notes)


@pytest.mark.parametrize(
    ("meridian", "unit", "lon", "lat"),
    [
        ('"Ferro",-17.66666666666667', '"Degree",0.0174532925199433', 34.0404666667, 48.2082),
        ('"Paris",2.337229166666667', '"Degree",0.0174532925199433', 14.0365708333, 48.2082),
        ('"Greenwich",0', '"Grad",0.01570796326794897', 18.1931111111, 53.5646666667),
        ('"Greenwich",0', '"Radian",1', 0.2857767, 0.8413918),
    ],
)
def test_degrees_of_wgs84_count_from_greenwich_whatever_the_system_is_called(
    meridian: str, unit: str, lon: float, lat: float, tmp_path: Path
) -> None:
    places = gpd.GeoDataFrame({"ref": ["a"]}, geometry=[shapely.Point(lon, lat)], crs="EPSG:4326")
    places.to_file(tmp_path / "made.shp")
    datum = 'DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137,298.257223563]]'
    (tmp_path / "made.prj").write_text(
        f'GEOGCS["GCS_WGS_1984",{datum},PRIMEM[{meridian}],UNIT[{unit}]]'
    )
    with zipfile.ZipFile(tmp_path / "made.zip", "w") as out:
        for part in tmp_path.glob("made.[!z]*"):
            out.write(part, part.name)
    (item,) = BY_NAME["shapefile"].read(tmp_path / "made.zip")
    east, north = item.geometry["coordinates"]
    assert (round(north, 4), round(east, 4)) == (48.2082, 16.3738)
    assert any("converted" in note for note in item.notes)


@pytest.mark.parametrize("name", ["geopackage", "flatgeobuf", "geoparquet", "shapefile"])
def test_metres_in_a_system_that_the_file_does_not_name_are_refused(
    name: str, tmp_path: Path
) -> None:
    assert refused(name, saved(name, None, tmp_path)).code == "crs_unknown"


@pytest.mark.parametrize(
    "crs", ["urn:ogc:def:crs:EPSG::3857", "EPSG:31287", "urn:ogc:def:crs:OGC:1.3:CRS27"]
)
def test_geojson_in_another_system_is_refused_by_its_name(crs: str, tmp_path: Path) -> None:
    found = {
        "type": "FeatureCollection",
        "features": [],
        "crs": {"type": "name", "properties": {"name": crs}},
    }
    error = refused("geojson", with_bytes(tmp_path, json.dumps(found).encode()))
    assert error.code == "crs_unsupported"
    assert crs in error.detail


@pytest.mark.parametrize(
    "crs", ["urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326", "urn:ogc:def:crs:EPSG::4326", "EPSG:4269"]
)
def test_geojson_that_says_it_is_in_degrees_of_wgs84_is_read(crs: str, tmp_path: Path) -> None:
    feature = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [1, 2]},
        "properties": {},
    }
    found = {
        "type": "FeatureCollection",
        "features": [feature],
        "crs": {"type": "name", "properties": {"name": crs}},
    }
    (item,) = BY_NAME["geojson"].read(with_bytes(tmp_path, json.dumps(found).encode()))
    assert item.geometry == {"type": "Point", "coordinates": [1, 2]}
    assert bool(item.notes) is crs.endswith("4269")
