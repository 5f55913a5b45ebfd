"""How well visits are detected, measured on simulated phones whose truth is known.

    python -m bench.detection [--parts sampling,still,lies] [--trips 24] [--still-days 60] [--json
    FILE] [--svg FILE]

* `sampling`: people on foot in and out of shops for two hours each, at every sampling interval, under each profile. `exact` judges each
  fix for itself, as Tile38, Amazon Location and Traccar do. The same walks at every interval and under every profile.
* `still`: phones that lie still: on a bedside table inside no geofence, on a desk in the inner half of one, within 20 m of an edge.
* `lies`: the still phones on the desk again, while a lie (1.7 m claimed, 150 to 250 m off) lasts longer and longer.

What counts as found and as false is said in `bench/detection_score.py`; which way through the code
was taken (`follow` or `street`) in `bench/detection_runs.py`. The noise is printed. Figures do not
depend on the machine; the seconds at the end do.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from bench.detection_plot import plot
from bench.detection_runs import WAYS, Way
from bench.detection_score import Score, score
from geofence.model.place import Profile
from geofence.simulate.phone import PHONES, Phone
from geofence.simulate.world import InventedTown, simulate

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
) -> list[Row]:
    world = InventedTown(1, ("near",))
    rows: list[Row] = []
    for interval_s in intervals_s:
        traces = list(
            simulate(
                world,
                "trip",
                devices=trips,
                days=TRIP_DAYS,
                seed=seed,
                phone=replace(phone, interval_s=interval_s),
            )
        )
        for profile in profiles:
            found = score(way(world.geofences, Profile(profile), traces))  # type: ignore[arg-type]  # argparse checked the names
            rows.append(
                {"part": "sampling", "interval_s": interval_s, "profile": profile, **found.row()}
            )
            print(_sampling_line(rows[-1]), flush=True)
    return rows


def still(way: Way, profiles: Sequence[str], phone: Phone, days: float, seed: int) -> list[Row]:
    rows: list[Row] = []
    for scenario in STILL:
        for profile in profiles:
            found = _lying_still(way, profile, scenario, phone, days, seed)
            rows.append(
                {
                    "part": "still",
                    "scenario": scenario,
                    "interval_s": phone.interval_s,
                    "profile": profile,
                    **found.row(),
                }
            )
            print(_still_line(rows[-1], scenario), flush=True)
    return rows


def lies(way: Way, profiles: Sequence[str], phone: Phone, days: float, seed: int) -> list[Row]:
    rows: list[Row] = []
    for lie_s in LIE_S:
        for profile in profiles:
            found = _lying_still(
                way, profile, "still-work", replace(phone, lie_s=lie_s), days, seed
            )
            rows.append(
                {
                    "part": "lies",
                    "lie_s": lie_s,
                    "interval_s": phone.interval_s,
                    "profile": profile,
                    **found.row(),
                }
            )
            print(_still_line(rows[-1], f"a lie lasts {lie_s:g} s"), flush=True)
    return rows


def _lying_still(
    way: Way, profile: str, scenario: str, phone: Phone, days: float, seed: int
) -> Score:
    world = InventedTown(1, ("near",), (STILL_BRAND,))
    devices = max(1, round(days / STILL_DAYS_EACH))
    traces = simulate(
        world, scenario, devices=devices, days=min(days, STILL_DAYS_EACH), seed=seed, phone=phone
    )
    return score(way(world.geofences, Profile(profile), traces))  # type: ignore[arg-type]  # argparse checked the names


SAMPLING_HEAD = (
    f"{'every s':>7} {'profile':<9} {'pings':>9} {'visits':>6} {'found %':>8} {'false %':>8} {'split':>6} {'merged':>6} "
    f"{'enters/d':>9} {'exits/d':>9} {'enter s p50':>11} {'p90':>6} {'exit s p50':>10} {'p90':>6}"
)
STILL_HEAD = (
    f"{'':<22} {'profile':<9} {'device-days':>11} {'false enters':>12} {'false exits':>11} {'per 1,000 d':>11} {'by silence':>10} "
    f"{'phones that left':>17}"
)


def _sampling_line(row: Row) -> str:
    false = None if row["precision"] is None else 1.0 - float(str(row["precision"]))
    delays = [
        f"{_seconds(row[name]):>{wide}}"
        for name, wide in (("enter_median_s", 11), ("enter_p90_s", 6), ("exit_median_s", 10))
    ]
    return (
        f"{row['interval_s']:>7} {row['profile']:<9} {row['pings']:>9,} {row['true_visits']:>6} "
        f"{_percent(row['recall'])} {_percent(false)} {row['split']:>6} {row['merged']:>6} "
        f"{row['false_enters_per_day']:>9.2f} {row['false_exits_per_day']:>9.2f} {' '.join(delays)} {_seconds(row['exit_p90_s']):>6}"
    )


def _still_line(row: Row, what: str) -> str:
    per_1000 = 1000.0 * float(str(row["false_exits_per_day"]))
    return (
        f"{what:<22} {row['profile']:<9} {row['device_days']:>11,.0f} {row['false_enters']:>12,} {row['false_exits']:>11,} "
        f"{per_1000:>11,.1f} {row['silent_exits']:>10,} {row['devices_leaving']:>10} of {row['devices']}"
    )


def _percent(share: object) -> str:
    return f"{'':>8}" if share is None else f"{100.0 * float(str(share)):>8.2f}"


def _seconds(value: object) -> str:
    return "" if value is None else f"{float(str(value)):.0f}"


def verdicts(rows: Sequence[Row]) -> list[tuple[str, str, bool]]:
    """(claim, figure, kept) for `balanced`, of the claims these rows can speak to."""
    found: list[tuple[str, str, bool]] = []
    by = {
        (row["part"], row.get("scenario"), row["interval_s"], row["profile"]): row for row in rows
    }
    desk = by.get(("still", "still-work", 60.0, "balanced"))
    if desk is not None:
        each = 1000.0 * float(str(desk["false_exits_per_day"]))
        found.append(
            ("at most 1 false exit per 1,000 device-days lying still", f"{each:.2f}", each <= 1.0)
        )
    minute, exact = (
        by.get(("sampling", None, 60.0, "balanced")),
        by.get(("sampling", None, 60.0, "exact")),
    )
    if minute is not None:
        recall, precision = float(str(minute["recall"])), float(str(minute["precision"]))
        found.append(
            (
                "at least 95 % of visits of 5 min found at 60 s",
                f"{100 * recall:.1f} %",
                recall >= 0.95,
            )
        )
        found.append(
            (
                "at most 1 % false visits at 60 s",
                f"{100 * (1 - precision):.2f} %",
                precision >= 0.99,
            )
        )
    if minute is not None and exact is not None:
        later_s = float(str(minute["enter_median_s"])) - float(str(exact["enter_median_s"]))
        found.append(
            ("enter delay median within one ping of exact", f"{later_s:+.1f} s", later_s <= 60.0)
        )
    return found


def main() -> None:
    asked = _arguments()
    phone, at_rest = PHONES[asked.phone], PHONES[asked.still_phone]
    way, profiles, parts = WAYS[asked.through], asked.profiles.split(","), asked.parts.split(",")
    for name in dict.fromkeys((asked.phone, asked.still_phone)):
        print(f"phone {name}: {json.dumps(asdict(PHONES[name]))}")
    print(f"way: {asked.through}, seed {asked.seed}")
    begun_s, rows = time.perf_counter(), []
    if "sampling" in parts:
        print(f"\n{SAMPLING_HEAD}")
        rows += sampling(
            way,
            profiles,
            phone,
            [float(each) for each in asked.intervals.split(",")],
            asked.trips,
            asked.seed,
        )
    if "still" in parts:
        print(f"\n{STILL_HEAD}")
        rows += still(way, profiles, at_rest, asked.still_days, asked.seed)
    if "lies" in parts:
        print(f"\n{STILL_HEAD}")
        rows += lies(way, profiles, at_rest, asked.still_days, asked.seed)
    kept = verdicts(rows)
    print(
        "\n"
        + "\n".join(
            f"{'kept' if fine else 'MISSED':<7} {claim}: {figure}" for claim, figure, fine in kept
        )
    )
    print(
        f"{sum(int(str(row['pings'])) for row in rows):,} pings in {time.perf_counter() - begun_s:.0f} s"
    )
    _write(asked, rows, kept)


def _write(
    asked: argparse.Namespace, rows: Sequence[Row], kept: Sequence[tuple[str, str, bool]]
) -> None:
    if asked.json:
        claims = [{"claim": claim, "figure": figure, "kept": fine} for claim, figure, fine in kept]
        report = {
            "bench": "detection",
            "way": asked.through,
            "seed": asked.seed,
            "claims": claims,
            "rows": rows,
        }
        report["phones"] = {name: asdict(PHONES[name]) for name in (asked.phone, asked.still_phone)}
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        asked.json.write_text(json.dumps(report, indent=1) + "\n")
    shown = [row for row in rows if row["part"] == "sampling"]
    svg = asked.svg or (asked.json.with_suffix(".svg") if asked.json else None)
    if svg and shown:
        svg.write_text(
            plot(
                shown,
                f"Detection by sampling interval, phone '{asked.phone}', {shown[0]['device_days']} device-days a point",
            )
        )


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
