"""Ways through geofences, found for whole batches on a few points.

The truth is a walk along every metre past every geofence.
"""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from geofence.detection.crossings import CrossingDetector, Crossings
from geofence.detection.segments import Segments
from geofence.model.ping import Fix, PingIn
from geofence.model.place import Geofence, Profile
from geofence.model.presence import DeviceKey, DeviceState
from geofence.places.catalogue import Catalogue
from geofence.street.normalise import normalise

T0 = 1_790_000_000_000
SHALLOW_M = 3.0  # what cuts less deep than this may go unseen: no phone is that good


def catalogue(dice: random.Random, lat: float, lon: float, radii_m: tuple[float, ...]) -> Catalogue:
    """Circles and thin rectangles within 2 km, every fifth of them `exact`."""
    fences = []
    for number in range(40):
        at_lat, at_lon = lat + dice.uniform(-0.015, 0.015), lon + dice.uniform(-0.02, 0.02)
        region: dict[str, object] = {
            "type": "circle",
            "lat": at_lat,
            "lon": _wrapped(at_lon),
            "radius_m": dice.choice(radii_m),
        }
        if number % 4 == 0 and abs(lon) < 179:
            corners = [
                (at_lon + x, at_lat + y)
                for x, y in ((0, 0), (0.004, 0), (0.004, 0.0003), (0, 0.0003), (0, 0))
            ]
            region = {"type": "Polygon", "coordinates": [corners]}
        fences.append(
            Geofence(
                f"gf_{number}",
                f"f{number}",
                region,
                profile=Profile("exact" if number % 5 == 0 else "balanced"),
            )
        )
    return Catalogue.build(1, Profile(), fences)


def walk(dice: random.Random, lat: float, lon: float) -> list[PingIn]:
    """Up and down between the geofences, a minute between pings."""
    places = [
        (lat + dice.uniform(-0.013, 0.013), _wrapped(lon + dice.uniform(-0.018, 0.018)))
        for _ in range(80)
    ]
    return [
        PingIn(*place, T0 + n * 60_000, "phone", accuracy_m=5.0) for n, place in enumerate(places)
    ]


def _wrapped(lon: float) -> float:
    return (lon + 180.0) % 360.0 - 180.0


def brute_force(of: Catalogue, segments: Segments, row: int) -> dict[int, float]:
    """By geofence, how deep the way to a ping cuts it.

    Every other metre of the way against every geofence, where neither end is inside.
    """
    leg = segments.of(np.array([row]))
    metres = max(2, math.ceil(float(leg.length_m()[0]) / 2))
    share = np.linspace(0.0, 1.0, metres + 1)
    lat, lon = leg.at(np.zeros(metres + 1, dtype=np.int64), share)
    found = {}
    for slot, fence in enumerate(of.fences):
        assert fence is not None
        assert fence.profile is not None
        edge_m = of.index.edge_m(lat, lon, np.full(metres + 1, slot))
        if fence.profile.name != "exact" and min(edge_m[0], edge_m[-1]) > 0 >= edge_m.min():
            found[slot] = float(edge_m.min())
    return found


@pytest.mark.parametrize(
    "radii_m", [(10, 15, 30), (60, 75), (100, 150, 400)], ids=["small", "middle", "large"]
)
@pytest.mark.parametrize(
    ("lat", "lon"),
    [(37.77, -122.42), (-17.8, 179.995), (64.1, -21.9)],
    ids=["town", "180th meridian", "north"],
)
def test_every_way_through_is_found_and_no_other(
    lat: float, lon: float, radii_m: tuple[float, ...]
) -> None:
    dice = random.Random(f"{lat} {radii_m}")
    of, missed, seen = catalogue(dice, lat, lon, radii_m), 0, 0
    items = walk(dice, lat, lon)
    pings, _ = normalise([list(enumerate(items))], None)
    key, rows = DeviceKey("p", "phone"), list(range(len(items)))
    segments = Segments.to(pings, [(key, rows)], {key: DeviceState()})
    crossings = CrossingDetector().prepare("p", of, pings, [(key, rows)], {key: DeviceState()})
    assert crossings is not None
    for row in rows[1:]:
        found = _listed(crossings, items, row)
        truth = brute_force(of, segments, row)
        assert found.keys() <= truth.keys() | {
            slot for slot, edge_m in found.items() if edge_m > -SHALLOW_M
        }
        for slot, edge_m in truth.items():
            missed += edge_m < -SHALLOW_M and slot not in found
            assert slot not in found or found[slot] == pytest.approx(edge_m, abs=1.0)
        seen += len(truth)
    assert missed == 0
    assert seen > 3


def _listed(crossings: Crossings, items: list[PingIn], row: int) -> dict[int, float]:
    start, end = (
        Fix(int(one.ts), one.lat, one.lon, one.accuracy_m) for one in items[row - 1 : row + 1]
    )  # type: ignore[arg-type]  # these times are numbers
    return {one.slot: one.edge_m for one in crossings.of(row, start, end)}


def test_geofences_piled_up_by_the_thousand_are_passed_in_parts_and_none_is_missed() -> None:
    of = Catalogue.build(
        1,
        Profile(),
        [
            Geofence(
                f"gf_{n}",
                f"f{n}",
                {"type": "circle", "lat": 48.0 + n * 1e-7, "lon": 16.0, "radius_m": 400.0},
            )
            for n in range(1200)
        ],
    )
    fixes = [Fix(T0 + 60_000 * n, 48.0, 15.99 if n % 2 else 16.01, 5.0) for n in range(8)]
    pings, _ = normalise(
        [
            [
                (n, PingIn(fix.lat, fix.lon, fix.ts_ms, "phone", accuracy_m=5.0))
                for n, fix in enumerate(fixes)
            ]
        ],
        None,
    )
    key = DeviceKey("p", "phone")
    crossings = CrossingDetector().prepare(
        "p", of, pings, [(key, list(range(len(fixes))))], {key: DeviceState()}
    )
    assert crossings is not None
    found = [len(crossings.of(row, fixes[row - 1], fixes[row])) for row in range(1, len(fixes))]
    assert found == [1200] * 7
