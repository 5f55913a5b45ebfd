"""What those who open our files see in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyogrio
import pytest

from regions.readers import Item, format_of, formats

POINT: dict[str, Any] = {"type": "Point", "coordinates": [16.3, 48.2]}
CIRCLE: dict[str, Any] = {"type": "circle", "lat": 48.2, "lon": 16.3, "radius_m": 150.0}
AREA: dict[str, Any] = {
    "type": "Polygon",
    "coordinates": [[[16.3, 48.1], [16.4, 48.1], [16.4, 48.2], [16.3, 48.2], [16.3, 48.1]]],
}
BY_NAME: dict[str, Any] = {form.NAME: form for form in formats()}
STORES = [Item(nth, {"ref": f"00{nth}", "name": "Käse"}, POINT) for nth in (1, 2)]


def test_a_csv_is_written_as_spreadsheets_read_it_and_without_an_empty_column(
    tmp_path: Path,
) -> None:
    path = tmp_path / "stores.csv"
    assert BY_NAME["csv"].write(STORES, path) == ()
    assert path.read_bytes().startswith(b"\xef\xbb\xbfref,name,lat,lon\r\n")
    BY_NAME["csv"].write(
        [STORES[0]._replace(properties={"fence_radius": "5"}), STORES[1]._replace(geometry=POINT)],
        path,
    )
    assert [item.geometry for item in format_of(path).read(path)] == [POINT, POINT]


def test_kml_tells_a_name_once_and_that_its_circles_are_points(tmp_path: Path) -> None:
    path = tmp_path / "stores.kml"
    (found,) = BY_NAME["kml"].write([STORES[0]._replace(geometry=CIRCLE), STORES[1]], path)
    assert "radius_m" in found
    text = path.read_text(encoding="utf-8")
    assert 'SimpleField type="string" name="name"' not in text
    assert 'SimpleField type="string" name="ref"' in text
    assert [item.properties for item in format_of(path).read(path)] == [
        item.properties for item in STORES
    ]


@pytest.mark.parametrize("name", ["geopackage", "flatgeobuf"])
def test_a_layer_is_called_as_its_file_and_of_the_type_that_all_are(
    name: str, tmp_path: Path
) -> None:
    form = BY_NAME[name]
    for geometries, expected in (
        ((POINT, CIRCLE), "Point"),
        ((AREA, AREA), "Polygon"),
        ((POINT, AREA), "Unknown"),
    ):
        path = tmp_path / f"stores{form.SUFFIXES[0]}"
        form.write(
            [item._replace(geometry=each) for item, each in zip(STORES, geometries, strict=True)],
            path,
        )
        assert pyogrio.list_layers(path).tolist() == [["stores", expected]]
        assert [item.geometry for item in form.read(path)] == list(geometries)
