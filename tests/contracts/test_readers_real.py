"""Files of the world, which lie beside the project, never in it.

Every one is read, written in each format, and read again.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from regions.geojson import read_region
from regions.readers import Item, format_of, formats
from regions.region import RegionError

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(
    not DATA.exists(), reason="the files of the world are not there (../shared/data)"
)
POLYGONS = {
    "bangalore_malls_osm": 31,
    "chicago_neighborhoods_with_invalid": 98,
    "dc_zcta_2010": 53,
    "helsinki_retail_osm": 57,
    "ne_110m_admin_0_countries": 177,
    "nyc_business_improvement_districts": 75,
    "sf_planning_neighborhoods": 37,
}
STORES = {
    "helsinki_osm_shops.csv": 887,
    "starbucks_bay_area_sample_import.csv": 829,
    "starbucks_world_2017_kaggle.csv": 25_597,
    "target_us.csv": 1_829,
}


def read(path: Path) -> list[Item]:
    return list(format_of(path).read(path))


@needs_data
@pytest.mark.parametrize("name", POLYGONS)
def test_polygons_of_the_world_are_read_as_places_or_refused_in_words(name: str) -> None:
    items = read(DATA / "polygons" / f"{name}.geojson")
    assert len(items) == POLYGONS[name]
    refused = []
    for item in items:
        assert item.error is None
        try:
            read_region(item.geometry)
        except RegionError as error:
            refused.append(error.code)
    assert set(refused) <= {"not_a_region", "area_too_large"}
    assert len(refused) == {"bangalore_malls_osm": 3}.get(
        name, len(refused)
    )  # three of them are points
    assert not refused or name in {"bangalore_malls_osm", "ne_110m_admin_0_countries"}


@needs_data
@pytest.mark.parametrize("name", STORES)
def test_stores_of_the_world_are_read_with_their_positions(name: str) -> None:
    items = read(DATA / "stores" / name)
    assert len(items) == STORES[name]
    assert all(
        item.error is None and item.geometry is not None and item.geometry["type"] == "Point"
        for item in items
    )
    if name == "target_us.csv":
        assert "Windows-1252" in items[0].notes[0]
        assert "Café" in items[0].properties["AllCapability"]


@needs_data
def test_a_plain_parquet_file_of_stores_is_read_by_its_columns() -> None:
    items = read(DATA / "stores" / "us_chains.parquet")
    assert len(items) == 165_366
    assert sum(item.error is None and item.geometry is not None for item in items) == 165_366
    assert {"brand", "ref", "name"} <= set(items[0].properties)
    assert not {"lat", "lon"} & set(items[0].properties)


@needs_data
def test_the_geofences_that_radar_answers_are_read() -> None:
    (item,) = read(DATA / "payloads" / "radar" / "search_geofences.json")
    assert (item.error, item.geometry["type"], item.properties["externalId"]) == (
        None,
        "Polygon",
        "admiralty",
    )


@needs_data
@pytest.mark.parametrize("form", formats(), ids=lambda form: form.NAME)
def test_neighbourhoods_are_the_same_areas_after_a_way_through_any_format(
    form: object, tmp_path: Path
) -> None:
    before = [
        item
        for item in read(DATA / "polygons" / "sf_planning_neighborhoods.geojson")
        if item.geometry
    ]
    form.write(before, tmp_path / "out")  # type: ignore[attr-defined] # a module of the drawer
    after = list(form.read(tmp_path / "out"))  # type: ignore[attr-defined] # a module of the drawer
    assert [item.properties["name"] for item in after] == [
        item.properties["name"] for item in before
    ]
    for old, new in zip(before, after, strict=True):
        one, other = read_region(old.geometry).region.shape, read_region(new.geometry).region.shape
        assert one.symmetric_difference(other).area <= 1e-12 * one.area
