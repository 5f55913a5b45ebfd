"""A seed's fences, its phone and its hint, and a walk inside the hint's circle.

The walker tries to make an event happen.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pyproj import Geod

from geofence.hints.safe_radius import Wake
from geofence.model.account import Project
from geofence.model.edit import EditResult
from geofence.model.event import Event
from geofence.model.ping import PingIn
from geofence.model.place import Geofence, Profile
from geofence.model.receipt import Hint
from geofence.street.writer import Writer
from regions.geojson import read_region
from regions.index.index import Index
from regions.region import RegionError
from tests.rigs.closures import run_edit

GEOD = Geod(ellps="WGS84")
SPHERE_M = 6_371_008.8
T0 = 1_790_000_000_000
DAY_MS = 86_400_000
BY_TIME = ("geofence.dwelled", "device.stopped", "visit.amended")

_numbers = itertools.count()

Place = tuple[float, float]
Rng = np.random.Generator


@dataclass
class Scene:
    """What a seed gave.

    Fences around `home`, the phone's pings so far, and what the answer to the last one said.
    """

    rng: Rng
    home: Place
    scale_m: float
    fences: list[Geofence]
    pings: list[PingIn]
    hint: Hint
    name: str
    index: Index = field(init=False)

    def __post_init__(self) -> None:
        self.index = Index.build([read_region(fence.region).region for fence in self.fences])

    @property
    def here(self) -> Place:
        return self.pings[-1].lat, self.pings[-1].lon


def step(place: Place, bearing: float, metres: float) -> Place:
    """So many metres away on the ellipsoid."""
    lon, lat, _ = GEOD.fwd(place[1], place[0], bearing, metres)
    return lat, (lon + 180.0) % 360.0 - 180.0


def step_on_a_sphere(place: Place, bearing: float, metres: float) -> Place:
    """Where a phone that takes the earth for a sphere believes to be so many metres away."""
    lat, turn, far = math.radians(place[0]), math.radians(bearing), metres / SPHERE_M
    sine = math.sin(lat) * math.cos(far) + math.cos(lat) * math.sin(far) * math.cos(turn)
    east = math.atan2(
        math.sin(turn) * math.sin(far) * math.cos(lat), math.cos(far) - math.sin(lat) * sine
    )
    return math.degrees(math.asin(max(-1.0, min(1.0, sine)))), (
        place[1] + math.degrees(east) + 180.0
    ) % 360.0 - 180.0


def scene(street: Writer, seed: int) -> Scene:
    """Fences and a phone's first pings, posted; the answer to the last one holds the hint."""
    rng, number = np.random.default_rng(seed), next(_numbers)
    name, start_ms = (
        f"p{number}",
        T0 + number * DAY_MS,
    )  # the clock follows the pings: it must never be ahead of a scene
    home, scale_m = _home(rng), float(10 ** rng.uniform(2, 4))
    fences = [
        fence
        for nth in range(int(rng.integers(1, 13)))
        for fence in _fence(rng, f"{name}-{nth}", home, scale_m, start_ms)
    ]
    run_edit(
        street,
        name,
        lambda unit: EditResult(unit.accounts.put_project(Project(name, name, Profile()))),
    ).result(30)
    run_edit(street, name, lambda unit: _put(unit, name, fences)).result(30)
    pings = _history(rng, home, scale_m, start_ms)
    street.submit_pings(name, list(enumerate(pings[:-1]))).result(30)
    wake: Wake = "circle" if rng.random() < 0.5 else "clock"
    watch = int(rng.choice([1, 2, 19, 99]))
    answer = (
        street.submit_pings(
            name, [(0, pings[-1])], include=frozenset({"hint"}), watch=watch, wake=wake
        )
        .result(30)
        .devices["phone"]
    )
    assert answer.hint is not None
    return Scene(rng, home, scale_m, fences, pings, answer.hint, name)


def walk(street: Writer, scene: Scene, radius_m: float, until_s: float) -> list[Event]:
    """Events by position, of pings within `radius_m` that come before `until_s` are over."""
    pings = _stroll(scene, radius_m, until_s)
    if not pings:
        return []
    events = (
        street.submit_pings(scene.name, list(enumerate(pings)), include=frozenset({"events"}))
        .result(30)
        .devices["phone"]
        .events
    )
    return [
        one for one in events if one.kind not in BY_TIME and not one.inferred and one.reason is None
    ]


def chords(street: Writer, factor: float) -> list[str]:
    """What happens on the ways across a hint's circle, next to a geofence 60 m wide.

    The ways run between any two of 24 points of the circle's rim.
    """
    number = next(_numbers)
    name, home, at_ms = f"p{number}", (48.0, 11.0), T0 + number * DAY_MS
    lat, lon = step(home, 0.0, 330.0)
    small = Geofence(name, name, {"type": "circle", "lat": lat, "lon": lon, "radius_m": 30.0})
    run_edit(
        street,
        name,
        lambda unit: EditResult(unit.accounts.put_project(Project(name, name, Profile()))),
    ).result(30)
    run_edit(street, name, lambda unit: _put(unit, name, [small])).result(30)
    first = [(0, PingIn(*home, at_ms, "phone", accuracy_m=1.0))]
    hint = (
        street.submit_pings(name, first, include=frozenset({"hint"}))
        .result(30)
        .devices["phone"]
        .hint
    )
    assert hint is not None
    assert hint.safe_radius_m is not None
    rim = [step(home, bearing, hint.safe_radius_m * factor) for bearing in range(0, 360, 15)]
    ends = [end for one in rim for other in rim if one != other for end in (one, other)]
    pings = [
        PingIn(*place, at_ms + nth * 60_000, "phone", accuracy_m=1.0)
        for nth, place in enumerate(ends, 1)
    ]
    events = (
        street.submit_pings(name, list(enumerate(pings)), include=frozenset({"events"}))
        .result(30)
        .devices["phone"]
        .events
    )
    return [event.kind for event in events]


def _stroll(scene: Scene, radius_m: float, until_s: float) -> list[PingIn]:
    """From one tempting spot of the circle to the next.

    Some twice, so that a second fix agrees with the first.
    """
    rng, at_ms, pings = scene.rng, scene.pings[-1].ts, []
    assert isinstance(at_ms, int)
    tempting = _tempting(scene, radius_m)
    ends_ms = at_ms + until_s * 1000
    for _ in range(30):
        lat, lon = tempting[int(rng.integers(len(tempting)))]
        accuracy_m = None if rng.random() < 0.1 else float(rng.choice([0.0, 1.0, 5.0, 20.0, 80.0]))
        for _ in range(int(rng.integers(1, 4))):
            at_ms += int(rng.choice([1_000, 21_000, 61_000, 200_000])) + int(rng.integers(0, 5_000))
            if at_ms < ends_ms:
                pings.append(PingIn(lat, lon, at_ms, "phone", accuracy_m=accuracy_m))
    return pings


def _tempting(scene: Scene, radius_m: float) -> list[Place]:
    """The centre and some spots of the circle.

    For each fence these include the spots of the rim that lie deepest in it and furthest out.
    """
    rng, bearings = scene.rng, np.linspace(0, 360, 48, endpoint=False) + scene.rng.uniform(0, 7.5)
    stepped: list[Callable[[Place, float, float], Place]] = [step, step_on_a_sphere]
    rim = [
        stepped[number % 2](scene.here, float(bearing), radius_m)
        for number, bearing in enumerate(bearings)
    ]
    lat, lon = (np.array(column) for column in zip(*rim, strict=True))
    spots = [
        scene.here,
        *(
            step(scene.here, rng.uniform(0, 360), radius_m * math.sqrt(rng.random()))
            for _ in range(4)
        ),
    ]
    for slot in range(len(scene.fences)):
        edge_m = scene.index.edge_m(lat, lon, np.full(len(lat), slot))
        spots += [rim[int(np.argmin(edge_m))], rim[int(np.argmax(edge_m))]]
    return spots


def _home(rng: Rng) -> Place:
    lat = float(
        rng.choice([rng.uniform(-65, 65), 0.0, rng.choice([-1, 1]) * (90.0 - rng.exponential(0.2))])
    )
    lon = float(rng.choice([rng.uniform(-180, 180), 180.0 - rng.exponential(0.02), -180.0, 0.0]))
    return max(-90.0, min(90.0, lat)), max(-180.0, min(180.0, lon))


def _history(rng: Rng, home: Place, scale_m: float, start_ms: int) -> list[PingIn]:
    """One to nine pings around home: good ones, coarse ones, mocked ones; in a hurry or not."""
    pings, at_ms = [], start_ms
    for _ in range(int(rng.integers(1, 10))):
        place = (
            home
            if rng.random() < 0.3
            else step(home, rng.uniform(0, 360), scale_m * rng.exponential(0.7))
        )
        accuracy_m = (
            None if rng.random() < 0.2 else float(rng.choice([1.0, 3.0, 5.0, 10.0, 30.0, 500.0]))
        )
        for _ in range(int(rng.choice([1, 1, 2]))):
            at_ms += int(rng.integers(1_000, 200_000))
            pings.append(
                PingIn(
                    *place, at_ms, "phone", accuracy_m=accuracy_m, mocked=bool(rng.random() < 0.05)
                )
            )
    return pings


def _fence(rng: Rng, uid: str, home: Place, scale_m: float, start_ms: int) -> list[Geofence]:
    region = _region(rng, home, scale_m)
    try:
        read_region(region)
    except RegionError:
        return []  # an area over a pole or so: another seed's business
    profile = Profile(
        name=_one_of(rng, "exact", "balanced", "strict"),
        exit_margin_m=_one_of(rng, None, None, 0.0, 5.0, 60.0),
        confirm_s=_one_of(rng, None, 0, 30),
        cool_down_s=_one_of(rng, None, 0, 30, 3600),
        max_accuracy_m=_one_of(rng, None, None, 50.0),
        presence_timeout_s=86_400,
        dwell_s=(60,) if rng.random() < 0.2 else (),
    )
    from_ms = start_ms + int(rng.integers(-100, 7_200)) * 1000 if rng.random() < 0.2 else None
    until_ms = start_ms + int(rng.integers(1, 7_200)) * 1000 if rng.random() < 0.2 else None
    return [
        Geofence(
            uid, uid, region, profile=profile, active_from_ms=from_ms, active_until_ms=until_ms
        )
    ]


def _region(rng: Rng, home: Place, scale_m: float) -> dict[str, Any]:
    size_m = max(10.0, scale_m * float(10 ** rng.uniform(-1.0, 0.3)))
    lat, lon = (
        home
        if rng.random() < 0.2
        else step(home, rng.uniform(0, 360), scale_m * rng.exponential(0.8))
    )
    if rng.random() < 0.6:
        return {"type": "circle", "lat": lat, "lon": lon, "radius_m": size_m}
    bearings = np.sort(rng.uniform(0, 360, int(rng.integers(3, 9))))[::-1]
    corners = [
        step((lat, lon), float(bearing), size_m * rng.uniform(0.5, 1.5)) for bearing in bearings
    ]
    ring = [[corner_lon, corner_lat] for corner_lat, corner_lon in corners]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}


def _one_of(rng: Rng, *choices: Any) -> Any:
    return choices[int(rng.integers(len(choices)))]


def _put(unit: Any, name: str, fences: list[Geofence]) -> EditResult:
    unit.places.put_geofences(name, fences)
    return EditResult(None, changed=tuple(fences))
