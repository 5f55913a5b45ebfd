"""The quality of detected visits, measured on simulated phones with known truth.

    python -m bench.detection [--parts sampling,still,lies] [--trips 24] [--still-days 60] [--json
    FILE] [--svg FILE]

* `sampling`: people on foot in and out of shops for two hours each, at every sampling interval and
  under each profile, on the same walks. `exact` judges each fix for itself, as Tile38, Amazon
  Location and Traccar do.
* `still`: phones that lie still: on a bedside table inside no geofence, on a desk in the inner half
  of one, within 20 m of an edge.
* `lies`: the phones on the desk again, while a lie (1.7 m claimed, 150 to 250 m off) lasts longer
  and longer.

`bench/detection_score.py` defines found and false, `bench/detection_runs.py` the two ways through
the code (`follow`, `street`). The noise is printed. The quality does not depend on the machine; the
times per ping do.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from bench.detection_plot import plot
from bench.detection_runs import WAYS, Way
from bench.detection_score import score
from bench.report import Clock, write
from geofence.model.place import Profile
from geofence.simulate.phone import PHONES, Phone
from geofence.simulate.world import InventedTown, Trace, World, simulate

INTERVALS_S = (1, 5, 15, 30, 60, 120, 300)
PROFILES = ("exact", "balanced", "strict")
STILL = ("still-home", "still-work", "still-edge")
LIE_S = (0.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0)
TRIP_DAYS = 2 / 24
# one brand's near rings, 150 m and 500 m apart: no phone lies at a second fence's edge by chance
STILL_BRAND = "pellwood"
STILL_DAYS_EACH = 5.0

Row = dict[str, object]


def sampling(
    way: Way,
    profiles: Sequence[str],
    phone: Phone,
    intervals_s: Sequence[float],
    trips: int,
    seed: int,
) -> Iterator[Row]:
    world = InventedTown(1, ("near",))
    for interval_s in intervals_s:
        carried = replace(phone, interval_s=interval_s)
        traces = list(
            simulate(world, "trip", devices=trips, days=TRIP_DAYS, seed=seed, phone=carried)
        )
        for profile in profiles:
            head: Row = {"part": "sampling", "interval_s": interval_s, "profile": profile}
            row = head | scored(way, world, profile, traces)
            print(_sampling_line(row), flush=True)
            yield row


def still(way: Way, profiles: Sequence[str], phone: Phone, days: float, seed: int) -> Iterator[Row]:
    for scenario in STILL:
        for profile in profiles:
            head: Row = {"part": "still", "scenario": scenario, "interval_s": phone.interval_s}
            row = head | {"profile": profile}
            row |= _lying_still(way, profile, scenario, phone, days, seed)
            print(_still_line(row, scenario), flush=True)
            yield row


def lies(way: Way, profiles: Sequence[str], phone: Phone, days: float, seed: int) -> Iterator[Row]:
    for lie_s in LIE_S:
        lying = replace(phone, lie_s=lie_s)
        for profile in profiles:
            head: Row = {"part": "lies", "lie_s": lie_s, "interval_s": phone.interval_s}
            row = head | {"profile": profile}
            row |= _lying_still(way, profile, "still-work", lying, days, seed)
            print(_still_line(row, f"a lie lasts {lie_s:g} s"), flush=True)
            yield row


def _lying_still(
    way: Way, profile: str, scenario: str, phone: Phone, days: float, seed: int
) -> Row:
    world = InventedTown(1, ("near",), (STILL_BRAND,))
    devices = max(1, round(days / STILL_DAYS_EACH))
    traces = simulate(
        world, scenario, devices=devices, days=min(days, STILL_DAYS_EACH), seed=seed, phone=phone
    )
    return scored(way, world, profile, list(traces))


def scored(way: Way, world: World, profile: str, traces: Sequence[Trace]) -> Row:
    """The score of these traces, with the seconds of their detection."""
    clock = Clock()
    found = score(way(world.geofences, Profile(profile), traces))  # type: ignore[arg-type]  # argparse checked the names
    return {**found.row(), "wall_s": clock.wall_s(), "cpu_s": clock.cpu_s()}


SAMPLING_HEAD = (
    f"{'every s':>7} {'profile':<9} {'pings':>9} {'visits':>6} {'found %':>8} {'false %':>8} "
    f"{'split':>6} {'merged':>6} {'enters/d':>9} {'exits/d':>9} {'enter s p50':>11} {'p90':>6} "
    f"{'exit s p50':>10} {'p90':>6} {'µs/ping':>8} {'CPU µs':>7}"
)
STILL_HEAD = (
    f"{'':<22} {'profile':<9} {'device-days':>11} {'false enters':>12} {'false exits':>11} "
    f"{'per 1,000 d':>11} {'by silence':>10} {'phones that left':>17} {'µs/ping':>8} {'CPU µs':>7}"
)


def _sampling_line(row: Row) -> str:
    false = None if row["precision"] is None else 1.0 - float(str(row["precision"]))
    delays = [
        f"{_seconds(row[name]):>{wide}}"
        for name, wide in (
            ("enter_median_s", 11),
            ("enter_p90_s", 6),
            ("exit_median_s", 10),
            ("exit_p90_s", 6),
        )
    ]
    return (
        f"{row['interval_s']:>7} {row['profile']:<9} {row['pings']:>9,} {row['true_visits']:>6} "
        f"{_percent(row['recall'])} {_percent(false)} {row['split']:>6} {row['merged']:>6} "
        f"{row['false_enters_per_day']:>9.2f} {row['false_exits_per_day']:>9.2f} "
        f"{' '.join(delays)} {_cost(row)}"
    )


def _still_line(row: Row, what: str) -> str:
    per_1000 = 1000.0 * float(str(row["false_exits_per_day"]))
    left = f"{row['devices_leaving']} of {row['devices']}"
    return (
        f"{what:<22} {row['profile']:<9} {row['device_days']:>11,.0f} {row['false_enters']:>12,} "
        f"{row['false_exits']:>11,} {per_1000:>11,.1f} {row['silent_exits']:>10,} {left:>17} "
        f"{_cost(row)}"
    )


def _cost(row: Row) -> str:
    """Wall and CPU time per ping."""
    pings = max(int(str(row["pings"])), 1)
    wall_us, cpu_us = (float(str(row[name])) / pings * 1e6 for name in ("wall_s", "cpu_s"))
    return f"{wall_us:>8.1f} {cpu_us:>7.1f}"


def _percent(share: object) -> str:
    return f"{'':>8}" if share is None else f"{100.0 * float(str(share)):>8.2f}"


def _seconds(value: object) -> str:
    return "" if value is None else f"{float(str(value)):.0f}"


def verdicts(rows: Sequence[Row]) -> list[tuple[str, str, bool]]:
    """(claim, figure, kept) for `balanced`, of the claims that these rows can test."""
    by = {
        (row["part"], row.get("scenario"), row["interval_s"], row["profile"]): row for row in rows
    }
    desk = by.get(("still", "still-work", 60.0, "balanced"))
    minute = by.get(("sampling", None, 60.0, "balanced"))
    exact = by.get(("sampling", None, 60.0, "exact"))
    found: list[tuple[str, str, bool]] = []
    if desk is not None:
        each = 1000.0 * _figure(desk, "false_exits_per_day")
        claim = "at most 1 false exit per 1,000 device-days lying still"
        found.append((claim, f"{each:.2f}", each <= 1.0))
    if minute is not None:
        found += _visits_found(minute)
    if minute is not None and exact is not None:
        later_s = _figure(minute, "enter_median_s") - _figure(exact, "enter_median_s")
        claim = "enter delay median within one ping of exact"
        found.append((claim, f"{later_s:+.1f} s", later_s <= 60.0))
    return found


def _visits_found(minute: Row) -> list[tuple[str, str, bool]]:
    recall, false = _figure(minute, "recall"), 1 - _figure(minute, "precision")
    found = "at least 95 % of visits of 5 min found at 60 s"
    few_false = "at most 1 % false visits at 60 s"
    return [
        (found, f"{100 * recall:.1f} %", recall >= 0.95),
        (few_false, f"{100 * false:.2f} %", false <= 0.01),
    ]


def _figure(row: Row, name: str) -> float:
    return float(str(row[name]))


def main() -> None:
    asked = _arguments()
    for name in dict.fromkeys((asked.phone, asked.still_phone)):
        print(f"phone {name}: {json.dumps(asdict(PHONES[name]))}")
    print(f"way: {asked.through}, seed {asked.seed}")
    clock = Clock()
    rows = list(measured(asked))
    kept = verdicts(rows)
    print()
    for claim, figure, fine in kept:
        print(f"{'kept' if fine else 'MISSED':<7} {claim}: {figure}")
    pings = sum(int(str(row["pings"])) for row in rows)
    print(f"{pings:,} pings in {clock.wall_s():.0f} s, {clock.cpu_s():.0f} s of CPU")
    _write(asked, rows, kept)


def measured(asked: argparse.Namespace) -> Iterator[Row]:
    """The rows of all parts that are asked for, in their order."""
    way, profiles, parts = WAYS[asked.through], asked.profiles.split(","), asked.parts.split(",")
    at_rest = PHONES[asked.still_phone]
    if "sampling" in parts:
        print(f"\n{SAMPLING_HEAD}")
        intervals_s = [float(each) for each in asked.intervals.split(",")]
        phone = PHONES[asked.phone]
        yield from sampling(way, profiles, phone, intervals_s, asked.trips, asked.seed)
    for part, run in (("still", still), ("lies", lies)):
        if part in parts:
            print(f"\n{STILL_HEAD}")
            yield from run(way, profiles, at_rest, asked.still_days, asked.seed)


def _write(
    asked: argparse.Namespace, rows: Sequence[Row], kept: Sequence[tuple[str, str, bool]]
) -> None:
    claims = [{"claim": claim, "figure": figure, "kept": fine} for claim, figure, fine in kept]
    phones = {name: asdict(PHONES[name]) for name in (asked.phone, asked.still_phone)}
    write(asked.json, "detection", way=asked.through, claims=claims, rows=rows, phones=phones)
    shown = [row for row in rows if row["part"] == "sampling"]
    svg = asked.svg or (asked.json.with_suffix(".svg") if asked.json else None)
    if svg and shown:
        days = f"{shown[0]['device_days']} device-days a point"
        heading = f"Detection by sampling interval, phone '{asked.phone}', {days}"
        svg.write_text(plot(shown, heading))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", default="sampling,still")
    parser.add_argument("--profiles", default=",".join(PROFILES))
    parser.add_argument(
        "--intervals", default=",".join(map(str, INTERVALS_S)), help="sampling intervals in s"
    )
    parser.add_argument("--trips", type=int, default=24, help="people on a trip of two hours")
    parser.add_argument(
        "--still-days", type=float, default=60.0, help="device-days of each kind of still phone"
    )
    parser.add_argument(
        "--phone", choices=sorted(PHONES), default="plain", help="carried by people in town"
    )
    parser.add_argument(
        "--still-phone", choices=sorted(PHONES), default="lying", help="of those that lie still"
    )
    parser.add_argument("--through", choices=sorted(WAYS), default="follow")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--svg", type=Path)
    asked = parser.parse_args()
    strange = sorted(
        {*asked.profiles.split(",")} - {*PROFILES}
        | {*asked.parts.split(",")} - {"sampling", "still", "lies"}
    )
    if strange:
        parser.error(f"unknown: {', '.join(strange)}")
    return asked


if __name__ == "__main__":
    main()
