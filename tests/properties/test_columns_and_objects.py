"""Quiet devices as columns and all devices as objects: the same receipts and the same record.

A request that asks for its events makes all its devices busy, so the same requests sent twice, to
two streets, once with the question and once without, are the two ways of the pipeline.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from geofence.model.account import Project
from geofence.model.edit import EditResult
from geofence.model.ping import PingIn
from geofence.model.place import Profile
from geofence.street.jobs import Post
from tests.rigs.hostile_trace import HostileTrace, fences
from tests.rigs.street import StreetRig

REQUESTS = 120
RESTART_AT = 50
_ORDER = {
    "events": "id",
    "visits": "visit_id",
    "devices": "device_id",
    "presences": "device_id, geofence_uid",
}


def _street(url: str, trace: HostileTrace, profile: str) -> StreetRig:
    rig = StreetRig(url)
    project = Project("p", "shop", Profile("balanced"))
    rig.edit(lambda unit: EditResult(unit.accounts.put_project(project), reload=True))
    rig.put(*fences(trace.dice, profile))
    return rig


def _play(rig: StreetRig, requests: Sequence[list[PingIn]], include: frozenset[str]) -> list[Any]:
    """Post the requests in groups, with a restart on the way; the receipts without devices.

    The writer's thread would group them by chance, and timers run between groups: so the groups
    are made here, and its thread stands still.
    """
    rig.street.stop()
    dice, found, start = random.Random(7), list[Any](), 0
    while start < len(requests):
        end = start + dice.choice([1, 1, 2, 4, 9])
        if start < RESTART_AT <= end:
            rig.die_and_return()
            rig.street.stop()
        posts = [Post("p", list(enumerate(one)), include=include) for one in requests[start:end]]
        done = rig.street._commit_posts(posts)
        rig.street._tick()
        found += [(one.accepted, one.duplicates, one.rejected) for one in done.receipts]
        found += [(one.late, one.suspect) for one in done.tallies]
        start = end
    return found


def _tables(rig: StreetRig) -> dict[str, list[Any]]:
    rig.database.sequence()
    with rig.database.engine.connect() as connection:
        return {
            name: [
                {
                    key: value
                    for key, value in row.items()
                    if key not in ("recorded_ms", "place", "stream_seq")
                }
                for row in connection.execute(
                    sa.text(f"SELECT * FROM {name} ORDER BY {order}")
                ).mappings()
            ]
            for name, order in _ORDER.items()
        }


@pytest.mark.parametrize("profile", ["exact", "balanced", "mixed"])
@pytest.mark.parametrize("seed", range(2))
def test_columns_and_objects_leave_the_same_record(seed: int, profile: str, tmp_path: Path) -> None:
    requests = list(HostileTrace(seed).requests(REQUESTS))
    outcomes = []
    for name, include in (("columns", frozenset[str]()), ("objects", frozenset({"events"}))):
        rig = _street(f"sqlite:///{tmp_path}/{name}.db", HostileTrace(seed), profile)
        outcomes.append((_play(rig, requests, include), _tables(rig)))
        rig.close()
    (receipts, columns), (asked, objects) = outcomes
    assert receipts == asked
    assert len(columns["events"]) > 100
    for table in _ORDER:
        assert columns[table] == objects[table], table
