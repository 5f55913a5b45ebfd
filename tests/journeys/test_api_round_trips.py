"""Out and in again.

Whatever a format cannot hold is reported, and everything else comes back as it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_args
from urllib.parse import unquote

import pytest

from api.routes.exports import LOSSES, MEDIA
from api.routes.imports import FormatName
from regions.readers import formats
from tests.rigs.shop import Running, Shop, open_shop

FORMATS = get_args(FormatName)
OUTER = [[11.0, 48.0], [11.1, 48.0], [11.1, 48.1], [11.0, 48.1], [11.0, 48.0]]
HOLE = [[11.04, 48.04], [11.04, 48.06], [11.06, 48.06], [11.06, 48.04], [11.04, 48.04]]
FAR = [[12.0, 48.0], [12.1, 48.0], [12.0, 48.1], [12.0, 48.0]]

STORES: dict[str, dict[str, Any]] = {
    "bare": {"name": "Bare", "lat": 48.1, "lon": 11.5},
    "full": {
        "name": "Käse & Ölhändler „Zum Eck“, <1>",
        "lat": 48.123456789,
        "lon": 11.987654321,
        "brand": "kette",
        "address": "Hauptstr. 5; Hof,\n80331 München",
        "time_zone": "Europe/Vienna",
        "opening_hours": "Mo-Fr 09:00-18:00; PH off",
        "tags": ["flagship", "drive-in"],
        "metadata": {"till": 3, "open": True, "note": "a\tb", "deep": {"list": [1, None, "x"]}},
        "rings": [{"name": "near", "radius_m": 150.0}, {"name": "wide", "radius_m": 800.5}],
    },
    "odd": {
        "name": "0123",
        "lat": -33.9,
        "lon": -179.99,
        "tags": ["a;b", "c,d"],
        "metadata": {"1": ["[", "{"]},
        "rings": [
            {
                "name": "a:b",
                "radius_m": 20.0,
                "profile": {"name": "strict", "confirm_s": 30, "dwell_s": [60, 300]},
            }
        ],
    },
}
GEOFENCES: dict[str, dict[str, Any]] = {
    "circle": {"region": {"type": "circle", "lat": 48.1, "lon": 11.5, "radius_m": 77.5}},
    "park": {
        "region": {"type": "Polygon", "coordinates": [OUTER, HOLE]},
        "name": "Park – Nord",
        "store": "full",
        "ring": "park",
        "tags": ["x", "y"],
        "metadata": {"k": [1, {"deep": None}]},
        "profile": {"name": "exact", "dwell_s": [60]},
        "active_from": "2026-11-22T10:00:00.250Z",
        "active_until": "2027-01-01T00:00:00.000Z",
    },
    "two": {
        "region": {"type": "MultiPolygon", "coordinates": [[OUTER], [FAR]]},
        "profile": "strict",
        "enabled": False,
    },
}


@pytest.fixture
def twin(running: Running) -> Iterator[Shop]:
    """A second tenant, to bring in what the first took out."""
    one = open_shop(running, "twin")
    yield one
    one.client.close()


@pytest.fixture
def full(shop: Shop) -> Shop:
    """A tenant with every field filled somewhere."""
    for name, body in STORES.items():
        assert shop.client.put(f"/v1/stores/{name}", json=body).status_code == 201
    for name, body in GEOFENCES.items():
        assert shop.client.put(f"/v1/geofences/{name}", json=body).status_code == 201
    return shop


def _held(shop: Shop, kind: str) -> dict[str, dict[str, Any]]:
    answer = shop.client.get(f"/v1/{kind}").json()["data"]
    return {
        one["external_id"]: {
            name: one[name] for name in one if name not in ("created_at", "updated_at")
        }
        for one in answer
    }


def test_every_format_of_the_drawer_can_be_asked_for_by_name() -> None:
    assert sorted(FORMATS) == sorted(member.NAME for member in formats())
    assert sorted(MEDIA) == sorted(member.MEDIA[0] for member in formats())


@pytest.mark.parametrize("form", FORMATS)
def test_a_map_taken_out_and_brought_in_again_is_the_same_map(
    form: str, full: Shop, twin: Shop
) -> None:
    for kind in ("stores", "geofences"):
        taken = full.client.get(f"/v1/exports/{kind}", params={"format": form})
        assert taken.status_code == 200, taken.text
        report = twin.client.post(
            "/v1/imports", params={"kind": kind, "format": form}, content=taken.content
        ).json()
        assert (report["created"], report["failed"], report["errors"]) == (3, 0, []), report
        assert report["format"] == form
        losses = json.loads(unquote(taken.headers.get(LOSSES, "[]")))
        _same(_held(full, kind), _held(twin, kind), losses)
        again = full.client.post(
            "/v1/imports",
            params={"kind": kind, "format": form, "dry_run": "true"},
            content=taken.content,
        ).json()
        if not losses:
            assert (again["unchanged"], again["updated"], again["created"]) == (3, 0, 0)


def _same(old: dict[str, Any], new: dict[str, Any], losses: list[str]) -> None:
    """Everything but text longer than a format takes, which it must have said."""
    cut = any("254" in loss for loss in losses)
    assert (
        old.keys()
        - {
            f"{store}/{ring['name']}"
            for store, body in STORES.items()
            for ring in body.get("rings", ())
        }
        <= new.keys()
    )
    for name, after in new.items():
        different = {field for field in after if after[field] != old[name][field]}
        assert not different or (cut and different <= {"metadata", "profile"}), (
            name,
            {field: (old[name][field], after[field]) for field in different},
        )
