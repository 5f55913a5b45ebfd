"""No walk within the circle of a hint makes an event by its position.

And a circle that is too large is found out.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geofence.backends.sql.database import open_database
from geofence.clock import PingClock
from geofence.street.writer import Writer
from tests.rigs.walks_in_circles import Scene, chords, scene, walk

FARTHEST_M = 1_000_000.0  # as far as a test walks where nothing is near


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[Writer]:
    path = tmp_path_factory.mktemp("hint") / "record.db"
    shutil.copyfile(sqlite_template, path)
    database = open_database(f"sqlite:///{path}")
    street = Writer(database, PingClock())
    street.start()
    yield street
    street.stop()
    database.close()


def _radius_m(scene: Scene) -> float:
    return FARTHEST_M if scene.hint.safe_radius_m is None else scene.hint.safe_radius_m


def _timed(scene: Scene) -> bool:
    """Whether something opens later, by the calendar or after a cool-down.

    Then the promise ends with `next_ping_s`.
    """
    return any(
        fence.active_from_ms is not None
        or (
            fence.profile is not None
            and fence.profile.name != "exact"
            and fence.profile.cool_down_s != 0
        )
        for fence in scene.fences
    )


def _broken(street: Writer, seed: int, factor: float) -> list[str]:
    made = scene(street, seed)
    radius_m = _radius_m(made)
    if radius_m == 0.0:
        return []
    until_s = made.hint.next_ping_s if _timed(made) else math.inf
    return [one.kind for one in walk(street, made, radius_m * factor, until_s)]


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, 2**32))
def test_no_walk_within_the_circle_makes_an_event_by_its_position(
    street: Writer, seed: int
) -> None:
    assert _broken(street, seed, 1.0) == []


def test_a_circle_a_third_too_large_is_found_out_on_the_way_in_and_on_the_way_out(
    street: Writer,
) -> None:
    found = {
        kind
        for seed in range(10_000_000_000, 10_000_000_120)
        for kind in _broken(street, seed, 1.3)
    }
    assert {"geofence.entered", "geofence.exited"} <= found


def test_no_way_across_the_circle_passes_through_a_geofence_and_across_a_larger_one_it_does(
    street: Writer,
) -> None:
    assert chords(street, 1.0) == []
    assert "geofence.crossed" in chords(street, 1.2)
