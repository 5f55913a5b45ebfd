"""The street: from pings to events, decisions and messages, for a group of requests at once.

normalise -> locate -> track -> (journal) -> decide -> compose, all in one unit of work. The writer
commits the unit; `deliver` follows later, in the worker.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import structlog
from msgspec.structs import replace

from geofence.clock import Clock
from geofence.detection.crossings import CrossingDetector
from geofence.detection.duplicates import DuplicateFilter, Seen
from geofence.detection.journal import Journal
from geofence.model.changes import Changes
from geofence.model.decision import Decision
from geofence.model.device_table import DeviceTable, Moved
from geofence.model.ping import Pings
from geofence.model.presence import DeviceKey, DeviceState
from geofence.offers.cases import build_cases
from geofence.offers.filling import coupon_for
from geofence.places.catalogue import Catalogue
from geofence.places.catalogues import Catalogues
from geofence.ports.decisions import NewDecisions
from geofence.ports.unit import Unit
from geofence.street.answer import answer, number_visits
from geofence.street.compose import compose
from geofence.street.decide import Ruling, decide
from geofence.street.jobs import Batch, BatchResult, DeviceInBatch, Post, Tally
from geofence.street.locate import locate
from geofence.street.normalise import normalise
from geofence.street.quiet import Parted, Parting
from geofence.street.track import DeviceRows, Tracker, by_device, by_request

log = structlog.get_logger(__name__)

States = dict[DeviceKey, DeviceState]


class _Part(NamedTuple):
    """One project's part of a group: its devices, its pings, and the numbers of its requests."""

    table: DeviceTable
    pings: Pings
    requests: list[int]


class Pipeline:
    """The steps in order. Used by one thread at a time.

    `public_url` is where shoppers reach this service.
    """

    def __init__(self, catalogues: Catalogues, clock: Clock, public_url: str) -> None:
        self.catalogues, self.clock, self.public_url = catalogues, clock, public_url.rstrip("/")
        self.duplicates, self.crossings = DuplicateFilter(), CrossingDetector()

    def run(self, unit: Unit, posts: Sequence[Post]) -> BatchResult:
        """Take a group of requests through the steps within `unit`; nothing is committed here."""
        done, changes = BatchResult(), Changes()
        pings, batches = self._normalised(posts, done)
        now_ms = max(self.clock.now_ms(), done.newest_ms if self.clock.follows_pings else 0)
        moved = []
        for project_id, part in _met(unit, pings, batches).items():
            catalogue = self.catalogues.catalogue(project_id, unit.index_version(project_id))
            journal = Journal(project_id, catalogue, unit.journal, changes, now_ms)
            moved.append((part.table, self._carried(unit, part, journal, batches, done)))
        unit.hot.save(changes.states, changes.watermarks, moved)
        unit.journal.save(changes.events, changes.visits)
        done.events = changes.events
        number_visits(unit, batches)
        done.receipts = [batch.receipt for batch in batches]
        return done

    def _carried(
        self, unit: Unit, part: _Part, journal: Journal, batches: Sequence[Batch], done: BatchResult
    ) -> Moved:
        """Steps 2 to 5 for one project; its quiet devices after the unit."""
        parted = self._parted(part, journal.catalogue, batches)
        states = self._track(part, parted, journal, batches)
        done.seen.merge(parted.prints)
        offers = self.offer(unit, journal)
        some = [batches[number] for number in part.requests]
        answer(unit, journal.catalogue, some, states, offers, journal.now_ms)
        done.add(offers)
        return parted.moved

    def offer(self, unit: Unit, journal: Journal) -> NewDecisions:
        """Steps 4 and 5: decide what follows from a project's events, and compose the messages."""
        offers, catalogue = NewDecisions(), journal.catalogue
        if not catalogue.campaigns or not journal.events:
            return offers
        customers, cases = build_cases(
            unit, catalogue.campaigns, journal.events, journal.approaches, journal.now_ms
        )
        for cases_of_ping in cases:
            for ruling in decide(cases_of_ping):
                customers.add(self._composed(ruling, offers))
        if offers.decisions:
            unit.decisions.save(offers)
        return offers

    def _normalised(self, posts: Sequence[Post], done: BatchResult) -> tuple[Pings, list[Batch]]:
        """Step 1: the pings of all requests as columns, and a batch for each request."""
        latest_ms = None if self.clock.follows_pings else self.clock.now_ms()
        pings, refused = normalise([post.items for post in posts], latest_ms)
        done.newest_ms = int(pings.ts_ms.max(initial=0))
        done.tallies = [
            Tally(rejected=[*post.rejected, *some])
            for post, some in zip(posts, refused, strict=True)
        ]
        return pings, [Batch(*one) for one in zip(posts, done.tallies, strict=True)]

    def _parted(self, part: _Part, catalogue: Catalogue, batches: Sequence[Batch]) -> Parted:
        """Steps 2 and 3 for quiet devices, which stay columns; counts go to their requests."""
        asked = np.array([bool(batch.post.include) for batch in batches], dtype=np.bool_)
        sightings = locate(catalogue.index, part.pings)
        parting = Parting(part.table, catalogue, part.pings, sightings, asked)
        parted = parting.part(self.duplicates, self.crossings)
        for number in part.requests:
            tally = batches[number].tally
            tally.accepted = int(parted.accepted[number])
            tally.suspect = int(parted.suspect[number])
        return parted

    def _track(
        self, part: _Part, parted: Parted, journal: Journal, batches: Sequence[Batch]
    ) -> States:
        """Step 3 for busy devices: what their pings change; the states after the unit."""
        busy, catalogue, table = parted.busy, journal.catalogue, part.table
        devices = by_device(journal.project_id, busy)
        states = {key: table.state(table.row_of[key.device_id]) for key, _ in devices}
        crossings = self.crossings.prepare(journal.project_id, catalogue, busy, devices, states)
        heard_ms = None if self.clock.follows_pings else journal.now_ms
        seen = Seen(self.duplicates, parted.busy_prints)
        tracker = Tracker(busy, parted.sightings, catalogue, seen, crossings, heard_ms)
        of_request = by_request(devices, busy)
        for number in sorted(of_request):
            self._track_batch(batches[number], tracker, of_request[number], states, journal)
        parted.prints.add(seen.in_unit)
        return states

    def _track_batch(
        self,
        batch: Batch,
        tracker: Tracker,
        devices: Sequence[DeviceRows],
        states: States,
        journal: Journal,
    ) -> None:
        """One request's busy devices through `track` and the journal; `states` move on."""
        for key, rows in devices:
            before = states[key]
            tracked = tracker.track_one(key, before, rows, batch.tally)
            events, states[key] = journal.record(tracked)
            if events:
                batch.tally.events[key.device_id] = events
            if batch.post.include:
                newest, item = tracker.fixes[rows[-1]], tracker.index[rows[-1]]
                batch.devices.append(DeviceInBatch(key, newest, item, before, states[key]))

    def _composed(self, ruling: Ruling, offers: NewDecisions) -> Decision:
        """The decision, added to `offers` with its coupon and messages; silent where they fail."""
        case, decision, variant = ruling
        if variant is not None:
            coupon = coupon_for(case, decision)
            try:
                offers.messages += compose(case, decision, variant, coupon, self.public_url)
                offers.coupons += [coupon] if coupon is not None else []
            except Exception as error:  # noqa: BLE001  (one customer's attribute must stop no event)
                failed = type(error).__name__
                log.warning("template_failed", campaign=decision.campaign_id, error=failed)
                decision = replace(
                    decision, outcome="silent", reason="template_failed", variant=None
                )
        offers.decisions.append(decision)
        return decision


def _met(unit: Unit, pings: Pings, batches: Sequence[Batch]) -> dict[str, _Part]:
    """Each project's part of a group, with its devices read.

    First the projects are held, then all devices of all of them are locked at once: edits that were
    committed before are seen, and none is committed until the unit ends.
    """
    requests: dict[str, list[int]] = defaultdict(list)
    for number, batch in enumerate(batches):
        requests[batch.post.project_id].append(number)
    unit.hold(requests)
    parts = {one: _of_requests(pings, some, len(requests)) for one, some in requests.items()}
    tables = unit.hot.meet({one: part.device_id for one, part in parts.items()})
    return {one: _Part(tables[one], part, requests[one]) for one, part in parts.items()}


def _of_requests(pings: Pings, numbers: Sequence[int], projects: int) -> Pings:
    return pings if projects == 1 else pings.at(np.flatnonzero(np.isin(pings.request, numbers)))
