"""Six recorded phones with their claimed accuracies and 2,059 stores on their ways.

The transitions are those that a brute force found.

The data lies beside the project, in `../shared/data`; it is never part of it.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow.parquet as pq

from geofence.backends.sql.database import open_database
from geofence.clock import PingClock
from geofence.detection.evidence import LIKELY, SURE
from geofence.detection.outliers import Trail, classify
from geofence.detection.transition import Sighting, accurate, probability_of
from geofence.model.account import Project
from geofence.model.edit import EditResult
from geofence.model.event import Event
from geofence.model.ping import Fix, PingIn
from geofence.model.place import Geofence, Profile, ProfileName
from geofence.model.presence import Visit
from geofence.places.catalogue import Catalogue
from geofence.ports.unit import Unit
from geofence.street.writer import Writer
from tests.rigs.closures import run_edit

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
TRACE = DATA / "traces" / "phones_dev.parquet"
FENCES = DATA / "truth" / "fences_phones_dev_r150.csv"
TRUTH = DATA / "truth" / "phones_dev__chains_r150.transitions.parquet"
MISSING = "" if TRUTH.exists() else "the recorded phones are not there (../shared/data)"
RADIUS_M = 150.0
EVERYTHING = 1_000_000
BATCH = 500

Transition = tuple[str, int, str, str]


class Enter(NamedTuple):
    """A raw enter: one point inside after one outside, by whatever accuracy."""

    device_id: str
    ts_ms: int
    store_id: str
    left_ms: int
    accuracy_m: float | None


class Walked(NamedTuple):
    """What a profile made of the recorded phones."""

    events: list[Event]
    visits: list[Visit]

    @property
    def transitions(self) -> list[Transition]:
        words = {"geofence.entered": "enter", "geofence.exited": "exit"}
        return [
            (e.device_id, e.ts_ms, e.geofence_id, words[e.kind])
            for e in self.events
            if e.kind in words
        ]


def pings() -> list[PingIn]:
    """Every point, oldest first; those of one moment in the order of the file."""
    table = pq.read_table(TRACE, columns=["device_id", "ts", "lat", "lon", "accuracy_m"])
    return [
        PingIn(one["lat"], one["lon"], one["ts"], one["device_id"], accuracy_m=one["accuracy_m"])
        for one in table.to_pylist()
    ]


def stores(profile: ProfileName) -> list[Geofence]:
    """A circle of 150 m around each store."""
    with FENCES.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [
        Geofence(
            f"gf_{row['store_id']}",
            row["store_id"],
            {
                "type": "circle",
                "lat": float(row["lat"]),
                "lon": float(row["lon"]),
                "radius_m": float(row["radius_m"]),
            },
            profile=Profile(profile),
        )
        for row in rows
    ]


def walk(profile: ProfileName, folder: Path) -> Walked:
    """Post every point to a street of its own and read back what happened."""
    database = open_database(f"sqlite:///{folder}/{profile}.db")
    database.migrate()
    street = Writer(database, PingClock())
    street.start()
    fences = stores(profile)

    def build(unit: Unit) -> EditResult:
        unit.accounts.put_project(Project("p", "phones", Profile(profile)))
        unit.places.put_geofences("p", fences)
        return EditResult(None, changed=tuple(fences), reload=True)

    run_edit(street, "p", build).result(60)
    for some in _batches():
        street.submit_pings("p", list(enumerate(some))).result(60)
    database.sequence()
    events = database.queries.events.page("p", None, None, EVERYTHING)
    visits = database.queries.visits.page("p", None, None, EVERYTHING)
    street.stop()
    database.close()
    return Walked(events, visits)


def truth() -> list[Transition]:
    """(device, ts, store, enter or exit), in order."""
    table = pq.read_table(TRUTH, columns=["device_id", "ts", "store_id", "event"])
    return list(
        zip(
            *(table.column(name).to_pylist() for name in ("device_id", "ts", "store_id", "event")),
            strict=True,
        )
    )


def enters() -> list[Enter]:
    """Every raw enter with its exit and the accuracy of its fix."""
    claimed = {(one.device_id, one.ts): one.accuracy_m for one in pings()}
    waiting: dict[tuple[str, str], int] = {}
    found = []
    for device_id, ts_ms, store_id, event in truth():
        if event == "enter":
            waiting[device_id, store_id] = ts_ms
            continue
        since_ms = waiting.pop((device_id, store_id))
        found.append(Enter(device_id, since_ms, store_id, ts_ms, claimed[device_id, since_ms]))
    return found


def fates(raw: list[Enter], balanced: Walked) -> Counter[str]:
    """What became of raw enters under `balanced`, in a few words each."""
    visits: dict[tuple[str, str], list[Visit]] = defaultdict(list)
    for visit in balanced.visits:
        visits[visit.device_id, visit.geofence_id].append(visit)
    judges = _judgements(raw)
    return Counter(_fate(one, visits[one.device_id, one.store_id], judges[one]) for one in raw)


def _fate(raw: Enter, visits: list[Visit], judged: str) -> str:
    for visit in visits:
        until_ms = raw.left_ms if visit.departure_ms is None else visit.departure_ms
        if visit.arrival_ms == raw.ts_ms:
            return "entered at the same ping"
        if visit.arrival_ms < raw.ts_ms <= until_ms:
            return "already inside: the raw exit before it was noise"
        if raw.ts_ms < visit.arrival_ms <= raw.left_ms:
            return "entered later in the same stay"
    return f"never: {judged}"


def _judgements(raw: list[Enter]) -> dict[Enter, str]:
    """Why the evidence of each raw stay is too little, by its best fix."""
    catalogue = Catalogue.build(0, Profile(), stores("balanced"))
    fixes: dict[str, list[tuple[Fix, bool]]] = defaultdict(list)
    trails: dict[str, Trail] = defaultdict(Trail)
    for one in pings():
        assert isinstance(one.ts, int | float)  # the file's times are numbers
        fix = Fix(int(one.ts), one.lat, one.lon, one.accuracy_m)
        weighed = classify(trails[one.device_id], fix)
        trails[one.device_id] = weighed.trail
        fixes[one.device_id].append((fix, weighed.trusted))
    return {
        one: _judge(
            catalogue,
            one,
            [pair for pair in fixes[one.device_id] if one.ts_ms <= pair[0].ts_ms < one.left_ms],
        )
        for one in raw
    }


def _judge(catalogue: Catalogue, raw: Enter, stay: list[tuple[Fix, bool]]) -> str:
    slot = catalogue.slot_of[f"gf_{raw.store_id}"]
    rules = catalogue.rules[slot]
    assert rules is not None
    believed = [fix for fix, trusted in stay if trusted]
    good = [fix for fix in believed if accurate(fix.accuracy_m, rules)]
    if not believed:
        return "every fix of it was a jump"
    if not good:
        return f"every fix of it was worse than {rules.max_accuracy_m:.0f} m"
    best = max(
        probability_of(
            Sighting(
                fix.ts_ms,
                catalogue.index.edge_m_one(fix.lat, fix.lon, slot),
                fix.accuracy_m,
                True,
                None,
            ),
            rules,
        )
        for fix in good
    )
    if best < LIKELY:
        return f"probably outside (P below {LIKELY})"
    return (
        f"P below {SURE}, and the next fixes did not make it"
        if best < SURE
        else "within the cool-down of the visit before"
    )


def _batches() -> Iterator[list[PingIn]]:
    every = sorted(pings(), key=lambda one: one.ts)
    for start in range(0, len(every), BATCH):
        yield every[start : start + BATCH]
