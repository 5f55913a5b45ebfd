"""`geofence simulate`.

Pings of invented people with a known truth, for trying rules and for measuring what they miss.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypedDict

import msgspec
import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

from geofence.model.place import Geofence
from geofence.places.export_rows import items_of_stores
from geofence.simulate.days import SCENARIOS
from geofence.simulate.phone import PHONES, Phone
from geofence.simulate.truth import Shape, TrueVisit
from geofence.simulate.world import START_MS, AroundGeofences, InventedTown, Trace, World, simulate
from regions.geojson import read_region, write_feature, write_region
from regions.readers import geojson_file
from regions.region import RegionError

MOST_PINGS = 20_000_000
FAILED, UNUSABLE = 1, 2
_CHUNK = 50_000
_NAMES = ("external_id", "geofence_id", "id", "ref", "name")

Kind = StrEnum("Kind", ["mixed", *SCENARIOS])  # type: ignore[misc]  # typer shows an enum's values as the choices
PhoneName = StrEnum("PhoneName", list(PHONES))  # type: ignore[misc]  # as above


class Format(StrEnum):
    """What the pings are written as."""

    CSV = "csv"
    NDJSON = "ndjson"


Out = Annotated[
    Path,
    typer.Argument(
        metavar="DIRECTORY", help="where the files are written; made if it is not there"
    ),
]
Fences = Annotated[
    Path | None,
    typer.Option(help="a GeoJSON FeatureCollection to live around [default: an invented town]"),
]
Devices = Annotated[int, typer.Option(min=1, max=100_000, help="how many phones")]
Days = Annotated[float, typer.Option(min=0.01, max=3_650.0, help="days each")]
Interval = Annotated[
    float, typer.Option("--interval-s", min=1.0, max=86_400.0, help="seconds between fixes")
]
Seed = Annotated[int, typer.Option(min=0, help="another seed, other people")]
Live = Annotated[Kind, typer.Option(help="how they spend their time")]
Carry = Annotated[
    PhoneName, typer.Option(help="how good the phones are; parameters.json says what that means")
]
Start = Annotated[str, typer.Option(help="when it begins, RFC 3339 with offset")]
As = Annotated[
    Format, typer.Option("--format", help="csv for `geofence replay`, ndjson for POST /v1/pings")
]
AsJson = Annotated[
    bool, typer.Option("--json", help="print one JSON object at the end, and nothing else")
]


def simulate_command(
    out: Out,
    geofences: Fences = None,
    devices: Devices = 20,
    days: Days = 1.0,
    interval_s: Interval = 60.0,
    seed: Seed = 1,
    scenario: Live = Kind("mixed"),  # noqa: B008  (a member of an enum, made once)
    phone: Carry = PhoneName("plain"),  # noqa: B008  (as above)
    start: Start = datetime.fromtimestamp(START_MS / 1000, UTC).isoformat(),  # noqa: B008  (a constant)
    written_as: As = Format.CSV,
    as_json: AsJson = False,
) -> None:
    """Write pings of invented people, the geofences they meet, and the visits they truly make.

    The same seed, the same files.

    Exit codes: 0 written; 1 the files cannot be written; 2 an argument or the geofences cannot be
    used.
    """
    console = Console(stderr=True, quiet=as_json)
    asked: _Asked = {"devices": devices, "days": days, "seed": seed}
    chosen = replace(PHONES[phone.value], interval_s=interval_s)
    carried = {"name": phone.value, **asdict(chosen)}
    facts = {**asked, "scenario": scenario.value, "start": start, "phone": carried}
    with _refusing(console, out, as_json):
        start_ms = _start_ms(start, asked, interval_s)
        world, left_out = _world(geofences, seed)
        traces = simulate(world, scenario.value, phone=chosen, start_ms=start_ms, **asked)
        made = _collect(console, traces, devices)
        files = _write(out, made, world, written_as, facts)
    _report(console, made, files, left_out, chosen, as_json)


@contextmanager
def _refusing(console: Console, out: Path, as_json: bool) -> Iterator[None]:
    """End the command with a clear text where an argument or the folder cannot be used."""
    try:
        yield
    except _Unusable as error:
        raise _failed(console, str(error), as_json, UNUSABLE) from None
    except OSError as error:
        why = f"cannot write {error.filename or out}: {error.strerror or error}"
        raise _failed(console, why, as_json, FAILED) from None


def _start_ms(start: str, asked: _Asked, interval_s: float) -> int:
    """When it begins. Raises `_Unusable`, also when that would be too many pings."""
    start_ms = _moment_ms(start)
    if asked["devices"] * asked["days"] * 86_400.0 / interval_s > MOST_PINGS:
        raise _Unusable(
            f"that is more than {MOST_PINGS:,} pings; "
            "take fewer devices or days, or a longer interval"
        )
    return start_ms


class _Asked(TypedDict):
    """How much to simulate."""

    devices: int
    days: float
    seed: int


def _collect(console: Console, traces: Iterable[Trace], devices: int) -> _Made:
    """Every trace, with a bar that shows how many devices are done."""
    made = _Made()
    with Progress(console=console, transient=True, disable=console.quiet) as progress:
        task = progress.add_task("living", total=devices)
        for trace in traces:
            made.add(trace)
            progress.advance(task)
    return made


class _Unusable(ValueError):
    """An argument that cannot be used, in words for the user."""


@dataclass(slots=True)
class _Made:
    """The traces so far, as columns."""

    names: list[str] = field(default_factory=list)
    device: list[NDArray[np.int32]] = field(default_factory=list)
    columns: list[tuple[NDArray[Any], ...]] = field(default_factory=list)
    visits: list[TrueVisit] = field(default_factory=list)

    @property
    def pings(self) -> int:
        return sum(map(len, self.device))

    def add(self, trace: Trace) -> None:
        fixes = trace.fixes
        self.device.append(np.full(len(fixes), len(self.names), dtype=np.int32))
        self.names.append(trace.device_id)
        self.columns.append(
            (
                fixes.ts_ms,
                fixes.lat,
                fixes.lon,
                fixes.accuracy_m,
                fixes.speed_mps,
                fixes.received_ms,
            )
        )
        self.visits += trace.visits

    def rows(self) -> Iterator[tuple[str, int, float, float, float, float | None, int]]:
        """Every ping in the order of arrival: device, ts, lat, lon, accuracy, speed, received."""
        device = np.concatenate(self.device)
        columns = [np.concatenate(parts) for parts in zip(*self.columns, strict=True)]
        order = np.lexsort((device, columns[-1]))
        for start in range(0, len(order), _CHUNK):
            some = order[start : start + _CHUNK]
            for number, ts, lat, lon, accuracy_m, speed_mps, received_ms in zip(
                device[some].tolist(), *(column[some].tolist() for column in columns), strict=True
            ):
                yield (
                    self.names[number],
                    ts,
                    lat,
                    lon,
                    accuracy_m,
                    None if speed_mps != speed_mps else speed_mps,
                    received_ms,
                )


def _moment_ms(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _Unusable("--start is no time; write it as 2026-03-02T00:00:00Z") from None
    if moment.tzinfo is None:
        raise _Unusable("--start has no offset from UTC, so its moment is unknown")
    return round(moment.timestamp() * 1000)


def _world(path: Path | None, seed: int) -> tuple[World, int]:
    """The world, and how many geofences it leaves out because no walk can be simulated there."""
    if path is None:
        return InventedTown(seed), 0
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _Unusable(f"{path.name} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise _Unusable(f"{path.name} is not JSON") from None
    features = document.get("features") if isinstance(document, dict) else None
    if not isinstance(features, list):
        raise _Unusable(f"{path.name} is no GeoJSON FeatureCollection")
    fences = [_fence(path, number, feature) for number, feature in enumerate(features, 1)]
    if len({fence.external_id for fence in fences}) < len(fences):
        raise _Unusable(f"{path.name}: two features have the same id")
    usable = [fence for fence in fences if _has_people(fence)]
    if not usable:
        raise _Unusable(f"{path.name} holds no geofence around which people could be simulated")
    return AroundGeofences(usable, seed), len(fences) - len(usable)


def _fence(path: Path, number: int, feature: object) -> Geofence:
    try:
        region = write_region(read_region(feature).region)
    except RegionError as error:
        raise _Unusable(f"{path.name}, feature {number}: {error.detail}") from None
    given = feature if isinstance(feature, dict) else {}
    properties = given.get("properties") or {}
    named = next((properties[name] for name in _NAMES if properties.get(name)), f"feature-{number}")
    name = str(given.get("id") or named)
    return Geofence(uid=name, external_id=name, region=region)


def _has_people(fence: Geofence) -> bool:
    try:
        Shape.of(fence)
    except ValueError:
        return False
    return True


def _write(
    out: Path, made: _Made, world: World, written_as: Format, parameters: dict[str, Any]
) -> dict[str, str]:
    out.mkdir(parents=True, exist_ok=True)
    files = {
        "pings": out / f"pings.{written_as.value}",
        "visits": out / "visits.csv",
        "geofences": out / "geofences.geojson",
        "parameters": out / "parameters.json",
    }
    write_pings = _write_csv if written_as is Format.CSV else _write_ndjson
    write_pings(files["pings"], made)
    _write_visits(files["visits"], made.visits)
    features = [_feature(fence) for fence in world.geofences]
    files["geofences"].write_text(
        json.dumps({"type": "FeatureCollection", "features": features}) + "\n", encoding="utf-8"
    )
    files["parameters"].write_text(json.dumps(parameters, indent=1) + "\n", encoding="utf-8")
    if isinstance(world, InventedTown):
        # the rings of stores come in with their stores and not as geofences, so this is the file
        # that an import takes
        files["stores"] = out / "stores.geojson"
        geojson_file.write(items_of_stores(world.city.stores, with_id=True), files["stores"])
    return {name: str(file) for name, file in files.items()}


def _write_csv(file: Path, made: _Made) -> None:
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(("device_id", "ts", "lat", "lon", "accuracy_m", "speed_mps", "received_ms"))
        writer.writerows(made.rows())


def _write_ndjson(file: Path, made: _Made) -> None:
    encode = msgspec.json.Encoder().encode
    names = ("device_id", "ts", "lat", "lon", "accuracy_m", "speed_mps")
    with file.open("wb") as target:
        for *values, _ in made.rows():
            target.write(
                encode(
                    {
                        name: value
                        for name, value in zip(names, values, strict=True)
                        if value is not None
                    }
                )
                + b"\n"
            )


def _write_visits(file: Path, visits: Sequence[TrueVisit]) -> None:
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(("device_id", "geofence_id", "arrival", "departure", "duration_s"))
        for visit in sorted(
            visits, key=lambda one: (one.arrival_ms, one.device_id, one.geofence_id)
        ):
            ended = visit.departure_ms
            lasted = "" if ended is None else (ended - visit.arrival_ms) / 1000
            writer.writerow(
                (
                    visit.device_id,
                    visit.geofence_id,
                    _text(visit.arrival_ms),
                    "" if ended is None else _text(ended),
                    lasted,
                )
            )


def _text(ts_ms: int) -> str:
    return datetime.fromtimestamp(ts_ms / 1000, UTC).isoformat(timespec="milliseconds")


def _feature(fence: Geofence) -> dict[str, Any]:
    given = {"name": fence.name, "store_id": fence.store_id, "ring": fence.ring}
    region = read_region(fence.region).region
    return write_feature(
        region,
        {name: value for name, value in given.items() if value is not None},
        fence.external_id,
    )


def _report(
    console: Console, made: _Made, files: dict[str, str], left_out: int, phone: Phone, as_json: bool
) -> None:
    facts = {
        "devices": len(made.names),
        "pings": made.pings,
        "visits": len(made.visits),
        "left_out": left_out,
        "files": files,
    }
    if as_json:
        typer.echo(json.dumps(facts))
        return
    console.print(
        f"{made.pings:,} pings of {len(made.names):,} devices, "
        f"which truly made {len(made.visits):,} visits"
    )
    if left_out:
        console.print(
            f"{left_out:,} geofences at a pole or across the 180th meridian were left out"
        )
    console.print(
        f"a fix every {phone.interval_s:g} s; every parameter is in {files['parameters']}",
        markup=False,
    )
    for name, file in files.items():
        console.print(f"  {name:<11} {file}", markup=False)


def _failed(console: Console, why: str, as_json: bool, exit_code: int) -> typer.Exit:
    if as_json:
        typer.echo(json.dumps({"error": why}))
    console.print(why, style="red", markup=False)
    return typer.Exit(exit_code)
