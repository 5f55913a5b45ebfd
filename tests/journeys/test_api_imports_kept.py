"""What an import must not take away, and ids that must not change between two of them."""

from __future__ import annotations

from typing import Any

import pytest

from geofence.importing.row import spot
from tests.rigs.shop import Shop

RINGS = [
    {"name": "near", "radius_m": 50, "profile": {"name": "strict"}},
    {"name": "wide", "radius_m": 500},
]


def _store_after(shop: Shop, body: str, **params: Any) -> list[tuple[str, float, Any]]:
    shop.client.put("/v1/stores/a", json={"name": "A", "lat": 1, "lon": 2, "rings": RINGS})
    report = shop.client.post(
        "/v1/imports", params={"kind": "stores", **params}, content=body
    ).json()
    assert (report["rows"], report["updated"]) == (1, 1)
    rings = shop.client.get("/v1/stores/a").json()["rings"]
    return [(ring["name"], ring["radius_m"], (ring["profile"] or {}).get("name")) for ring in rings]


@pytest.mark.parametrize("column", ["rings", "radius", "radius_units"])
def test_an_empty_cell_takes_no_ring_from_a_store(shop: Shop, column: str) -> None:
    assert _store_after(shop, f"external_id,lat,lon,{column},brand\na,1,2,,b\n") == [
        ("near", 50, "strict"),
        ("wide", 500, None),
    ]


def test_a_radius_is_that_of_the_near_ring_and_leaves_the_others(shop: Shop) -> None:
    assert _store_after(shop, "external_id,lat,lon,radius\na,1,2,70\n") == [
        ("near", 70, "strict"),
        ("wide", 500, None),
    ]


def test_rings_that_are_named_are_all_there_are(shop: Shop) -> None:
    assert _store_after(shop, "external_id,lat,lon,rings\na,1,2,far:900\n") == [("far", 900, None)]
    assert _store_after(shop, "external_id,lat,lon,rings\na,1,2,none\n") == []
    assert _store_after(shop, "external_id,lat,lon,rings,brand\na,1,2,,x\n", ring="far:900") == [
        ("far", 900, None)
    ]


def test_ids_that_come_only_later_in_a_file_are_ids_all_the_same(shop: Shop) -> None:
    rows = "".join(f",{nth / 100 + 1},2,N{nth}\n" for nth in range(120))
    body = f"external_id,lat,lon,name\n{rows}last,3,4,L\n"
    report = shop.client.post("/v1/imports", params={"kind": "stores"}, content=body).json()
    assert (report["created"], report["columns"]["external_id"]) == (121, "external_id")
    assert shop.client.get("/v1/stores/last").status_code == 200


def test_an_id_made_from_a_position_knows_that_minus_zero_is_zero_and_that_the_earth_is_round() -> (
    None
):
    assert spot(-0.0, -0.00001, 4) == spot(0.0, 0.00001, 4) == ("0.0000", "0.0000")
    assert (
        spot(1.0, -180.0, 4)
        == spot(1.0, 180.0, 4)
        == spot(1.0, -179.99999, 4)
        == ("1.0000", "180.0000")
    )
    assert spot(1.0, -179.9999, 4) != spot(1.0, 180.0, 4)
