"""GeoParquet as others write it, and ours as others read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas
import pytest
from shapely.geometry import Point, Polygon

from regions.readers import Item, geoparquet

SQUARE = Polygon([(16.0, 48.0), (16.01, 48.0), (16.01, 48.01), (16.0, 48.01), (16.0, 48.0)])


def frame(shapes: list[Any], crs: str = "OGC:CRS84") -> geopandas.GeoDataFrame:
    numbers = geopandas.pd.array([1, None], dtype="Int64")
    return geopandas.GeoDataFrame({"ref": ["a", "b"], "number": numbers}, geometry=shapes, crs=crs)


@pytest.mark.parametrize("shapes", [[Point(16.0, 48.0), Point(16.1, 48.1)], [SQUARE, SQUARE]])
def test_columns_of_coordinates_read_as_well_known_bytes_do(
    tmp_path: Path, shapes: list[Any]
) -> None:
    frame(shapes).to_parquet(tmp_path / "bytes.parquet")
    frame(shapes).to_parquet(
        tmp_path / "native.parquet", geometry_encoding="geoarrow", schema_version="1.1.0"
    )
    plain, native = (
        list(geoparquet.read(tmp_path / f"{name}.parquet")) for name in ("bytes", "native")
    )
    assert native == plain
    assert [item.properties for item in native] == [
        {"ref": "a", "number": 1},
        {"ref": "b", "number": None},
    ]


def test_another_coordinate_system_is_converted_and_reported(tmp_path: Path) -> None:
    frame([Point(16.0, 48.0), None]).to_crs("EPSG:32633").to_parquet(tmp_path / "utm.parquet")
    first, second = geoparquet.read(tmp_path / "utm.parquet")
    assert first.geometry is not None
    assert first.geometry["coordinates"] == pytest.approx([16.0, 48.0], abs=1e-9)
    assert first.notes == ("the coordinates were converted from WGS 84 / UTM zone 33N to WGS84",)
    assert second.geometry is None


def test_others_read_what_we_write(tmp_path: Path) -> None:
    circle = {"type": "circle", "lat": 48.0, "lon": 16.0, "radius_m": 150.0}
    items = [
        Item(1, {"name": "Ärgernis", "visits": 3}, circle),
        Item(2, {"name": None, "visits": None}, SQUARE.__geo_interface__),
    ]
    assert geoparquet.write(items, tmp_path / "places.parquet") == ()
    found = geopandas.read_parquet(tmp_path / "places.parquet")
    assert found.crs.to_authority() == ("OGC", "CRS84")
    assert found["name"].tolist()[0] == "Ärgernis"
    assert found["radius_m"].tolist()[0] == 150.0
    assert (found.geometry.iloc[0], found.geometry.iloc[1]) == (Point(16.0, 48.0), SQUARE)


def test_positions_in_text_have_a_decimal_point_or_a_decimal_comma(tmp_path: Path) -> None:
    places = geopandas.pd.DataFrame(
        {"id": ["a", "b", "c"], "lat": ["48,25", "48.5", "north"], "lon": ["16,5", "16", "17"]}
    )
    places.to_parquet(tmp_path / "texts.parquet")
    first, second, third = geoparquet.read(tmp_path / "texts.parquet")
    assert first.geometry == {"type": "Point", "coordinates": [16.5, 48.25]}
    assert second.geometry == {"type": "Point", "coordinates": [16.0, 48.5]}
    assert third.error is not None
    assert third.error.code == "invalid_position"
