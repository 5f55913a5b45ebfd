"""What the hint saves a commuter's phone, and what it costs, against a ping every 30 seconds.

    python -m bench.hint [--devices 12] [--days 1] [--seed 1] [--ways fixed,circle] [--fences
    FILE.csv] [--json FILE]

The same people walk, drive, work and shop (`geofence.simulate`, scenario "commuter", seeded); their
phones could take a fix every 10 s. Three ways choose which of these to post:

* `fixed`: every 30 s.
* `clock`: when the hint's `next_ping_s` is over. The phone has a timer and nothing else; the time
  is a proven one (35 m/s), so within a kilometre of a border it asks for more pings than `fixed`.
  It is for comparison, not recommended, and left out by default.
* `circle`: also when the phone's system notices that it left the circle; then the hint lets the
  phone sleep (`wake=circle`). The system is a poor one: it watches no circle below 100 m, and
  notices 100 m late. The geofences to watch are not used.

A visit is found, or merged with the next, as bench.detection_score defines. `lost` are true visits
of 5 minutes or more that the first way finds and this one does not; `gained` the other way round.
`lists` counts the answers with a list of geofences.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bench.detection_runs import Heard, by_follow
from bench.detection_score import score
from bench.report import Clock, write
from geofence.backends.sql.database import open_database
from geofence.clock import PingClock
from geofence.hints.safe_radius import WATCHABLE_M, Wake
from geofence.model.account import Project
from geofence.model.edit import EditResult
from geofence.model.ping import PingIn
from geofence.model.place import Geofence, Profile
from geofence.model.receipt import Hint
from geofence.simulate.phone import PLAIN, Phone
from geofence.simulate.world import AroundGeofences, InventedTown, Trace, World, simulate
from geofence.street.writer import Writer
from tests.rigs.closures import run_edit

DENSE_S, FIXED_S = 10.0, 30.0
GRANULARITY_M = 100.0
LEAST_MS = 300_000
PHONE: Phone = replace(PLAIN, interval_s=DENSE_S, jitter=0.0, gaps_per_day=0.0)
FIGURES = (
    "pings",
    "true_visits",
    "recall",
    "precision",
    "merged",
    "enter_median_s",
    "enter_p90_s",
    "exit_median_s",
    "exit_p90_s",
)
Name = tuple[str, str, int]


class Spoken(NamedTuple):
    """The rows of the posted fixes, and the number of answers with a list of geofences."""

    rows: list[int]
    lists: int


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--devices", type=int, default=12)
    parser.add_argument("--days", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--ways", default="fixed,circle", help="the first is what the others are compared with"
    )
    parser.add_argument(
        "--fences", type=Path, help="CSV with lat, lon (and radius_m); default: the invented town"
    )
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    found = {}
    for name, world in _worlds(asked.fences):
        traces = list(
            simulate(
                world,
                "commuter",
                devices=asked.devices,
                days=asked.days,
                seed=asked.seed,
                phone=PHONE,
            )
        )
        found[name] = measure(world.geofences, traces, asked.ways.split(","))
        people = f"{asked.devices} commuters, {asked.days:g} day(s)"
        show(f"{name}: {len(world.geofences)} geofences, {people}", found[name])
    write(asked.json, "hint", seed=asked.seed, rows=found)


def measure(
    fences: Sequence[Geofence], traces: Sequence[Trace], ways: Sequence[str]
) -> list[dict[str, float | str | None]]:
    """A row of figures for each way; `cpu_s` is of choosing its pings and detecting visits."""
    rows: list[dict[str, float | str | None]] = []
    known: set[Name] = set()
    for way in ways:
        clock = Clock()
        row, found = measured(fences, traces, way)
        known = known or found
        row |= {"lost": len(known - found), "gained": len(found - known)}
        row["fewer"] = 1.0 - row["pings"] / rows[0]["pings"] if rows else 0.0
        rows.append(row | {"wall_s": clock.wall_s(), "cpu_s": clock.cpu_s()})
    return rows


def measured(
    fences: Sequence[Geofence], traces: Sequence[Trace], way: str
) -> tuple[dict[str, Any], set[Name]]:
    """The figures of one way, and the true visits that it finds."""
    spoken = [
        every(trace, FIXED_S) if way == "fixed" else obey(fences, trace, way) for trace in traces
    ]
    chosen = [
        replace(trace, fixes=trace.fixes.taken(np.array(one.rows)))
        for trace, one in zip(traces, spoken, strict=True)
    ]
    heard = list(by_follow(fences, Profile(), chosen))
    figures = score(heard).row()
    row = {"way": way} | {name: figures[name] for name in FIGURES}
    row["lists"] = sum(one.lists for one in spoken)
    return row, {name for one in heard for name in found_in(one)}


def every(trace: Trace, seconds: float) -> Spoken:
    """A fix every so many seconds."""
    ts_ms = trace.fixes.ts_ms
    rows, next_ms = [], int(ts_ms[0])
    for row, at_ms in enumerate(ts_ms.tolist()):
        if at_ms >= next_ms:
            rows.append(row)
            next_ms = at_ms + int(seconds * 1000) - int(DENSE_S * 500)
    return Spoken(rows, 0)


def obey(fences: Sequence[Geofence], trace: Trace, wake: Wake) -> Spoken:
    """The fixes of a phone that follows the hint."""
    fixes, true = trace.fixes, true_places(trace)
    rows, lists, version, next_ms, leaves_m, centre = [], 0, None, 0, math.inf, (0.0, 0.0)
    with serving(fences) as street:
        for row, ts_ms in enumerate(fixes.ts_ms.tolist()):
            left = wake == "circle" and rows and _metres(true[row], centre) > leaves_m
            if ts_ms < next_ms and not left:
                continue
            centre = float(fixes.lat[row]), float(fixes.lon[row])
            hint = ask(street, trace, row, version, wake)
            rows.append(row)
            lists, version = lists + (hint.geofences is not None), hint.version
            next_ms = ts_ms + hint.next_ping_s * 1000
            leaves_m = noticed_at_m(hint)
    return Spoken(rows, lists)


def true_places(trace: Trace) -> list[tuple[float, float]]:
    """The true (lat, lon) at each fix."""
    at_s = (trace.fixes.at_ms - trace.start_ms) / 1000.0
    return list(zip(*trace.town.frame.degrees(*trace.path.spots(at_s)), strict=True))


def ask(street: Writer, trace: Trace, row: int, version: str | None, wake: Wake) -> Hint:
    """Post one fix and return the hint of its answer."""
    fixes = trace.fixes
    ping = PingIn(
        float(fixes.lat[row]),
        float(fixes.lon[row]),
        int(fixes.ts_ms[row]),
        trace.device_id,
        accuracy_m=float(fixes.accuracy_m[row]),
        hint_version=version,
    )
    posted = street.submit_pings("p", [(0, ping)], include=frozenset({"hint"}), wake=wake)
    hint = posted.result(30).devices[trace.device_id].hint
    assert hint is not None
    return hint


def noticed_at_m(hint: Hint) -> float:
    """How far from its centre the phone's system notices that the circle was left."""
    if hint.safe_radius_m is None:
        return math.inf
    return max(hint.safe_radius_m, WATCHABLE_M) + GRANULARITY_M


def found_in(heard: Heard) -> Iterator[Name]:
    """The true visits of 5 minutes or more of which detected ones cover half."""
    for true in heard.trace.visits:
        end_ms = heard.trace.start_ms + round(1000 * heard.trace.path.seconds)
        left_ms = true.departure_ms or end_ms
        spans = [
            (v.arrival_ms, v.departure_ms or end_ms)
            for v in heard.visits
            if v.geofence_id == true.geofence_id
        ]
        covered_ms = sum(
            max(0, min(left_ms, to_ms) - max(true.arrival_ms, from_ms)) for from_ms, to_ms in spans
        )
        if left_ms - true.arrival_ms >= LEAST_MS and 2 * covered_ms >= left_ms - true.arrival_ms:
            yield true.device_id, true.geofence_id, true.arrival_ms


@contextmanager
def serving(fences: Sequence[Geofence]) -> Iterator[Writer]:
    """A writer on a database of its own, with these geofences."""
    with tempfile.TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/record.db")
        database.migrate()
        street = Writer(database, PingClock())
        street.start()
        try:
            run_edit(
                street,
                "p",
                lambda unit: EditResult(
                    unit.accounts.put_project(Project("p", "bench", Profile()))
                ),
            ).result(30)
            run_edit(
                street,
                "p",
                lambda unit: EditResult(
                    unit.places.put_geofences("p", fences), changed=tuple(fences)
                ),
            ).result(30)
            yield street
        finally:
            street.stop()
            database.close()


def show(title: str, rows: Sequence[dict[str, Any]]) -> None:
    print(f"\n{title}")
    print(
        "| way | pings | fewer | visits of 5 min | recall | precision | merged | lost | gained |"
        " enter median, p90 s | exit median, p90 s | lists | wall, CPU s |"
    )
    print("|---" * 13 + "|")
    for row in rows:
        delays = [
            f"{row[f'{kind}_median_s']}, {row[f'{kind}_p90_s']}" for kind in ("enter", "exit")
        ]
        shares = [f"{row[name]:.1%}" for name in ("recall", "precision")]
        cells = [row["way"], row["pings"], f"{row['fewer']:.1%}", row["true_visits"], *shares]
        cells += [row["merged"], row["lost"], row["gained"], *delays, row["lists"]]
        cells += [f"{row['wall_s']:.1f}, {row['cpu_s']:.1f}"]
        print(f"| {' | '.join(map(str, cells))} |")


def _worlds(path: Path | None) -> Iterator[tuple[str, World]]:
    if path is None:
        yield "invented town, near rings", InventedTown(rings=("near",))
        yield "invented town, all rings", InventedTown()
        return
    import csv

    with path.open(newline="") as lines:
        read = [
            (float(row["lat"]), float(row["lon"]), float(row.get("radius_m") or 150.0))
            for row in csv.DictReader(lines)
        ]
    circles = [
        {"type": "circle", "lat": lat, "lon": lon, "radius_m": radius_m}
        for lat, lon, radius_m in read
    ]
    yield (
        path.stem,
        AroundGeofences([Geofence(f"gf_{n}", f"f{n}", circle) for n, circle in enumerate(circles)]),
    )


def _metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    east = (one[1] - other[1]) * math.cos(math.radians(one[0]))
    return 111_195.0 * math.hypot(one[0] - other[0], east)


if __name__ == "__main__":
    main()
