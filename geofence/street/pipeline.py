"""The street: from pings to events, decisions and messages, for a group of requests at once.

normalise -> locate -> track -> (journal) -> decide -> compose, all in one unit of work. The writer
commits the unit; `deliver` follows later, in the worker.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import structlog
from msgspec.structs import replace

from geofence.clock import Clock
from geofence.detection.changes import Tracked
from geofence.detection.crossings import CrossingDetector
from geofence.detection.duplicates import DuplicateFilter
from geofence.detection.journal import Journal
from geofence.model.changes import Changes
from geofence.model.decision import Decision
from geofence.model.ping import Fix
from geofence.model.presence import DeviceKey, DeviceState
from geofence.offers.cases import build_cases
from geofence.offers.filling import coupon_for
from geofence.places.catalogues import Catalogues
from geofence.ports.decisions import NewDecisions
from geofence.ports.unit import Unit
from geofence.street.answer import answer, number_visits
from geofence.street.compose import compose
from geofence.street.decide import Ruling, decide
from geofence.street.jobs import Batch, BatchResult, DeviceInBatch, Post, Tally
from geofence.street.locate import locate
from geofence.street.normalise import normalise
from geofence.street.track import Tracker, by_device

log = structlog.get_logger(__name__)

States = dict[DeviceKey, DeviceState]


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
        batches = self._normalised(posts, done)
        now_ms = max(self.clock.now_ms(), done.newest_ms if self.clock.follows_pings else 0)
        states = _read(unit, batches)
        for project_id, some in batches.items():
            catalogue = self.catalogues.catalogue(project_id, unit.index_version(project_id))
            journal = Journal(project_id, catalogue, unit.journal, changes, now_ms)
            for batch in some:
                self._track(batch, journal, states, done.seen_in_unit)
            offers = self.offer(unit, journal)
            answer(unit, catalogue, some, states, offers, now_ms)
            done.add(offers)
        unit.hot.save(changes.states, changes.watermarks)
        unit.journal.save(changes.events, changes.visits)
        done.events = changes.events
        return _answered(unit, batches, done)

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

    def _normalised(self, posts: Sequence[Post], done: BatchResult) -> dict[str, list[Batch]]:
        """Step 1: the requests as columns, by project."""
        latest_ms = None if self.clock.follows_pings else self.clock.now_ms()
        batches: dict[str, list[Batch]] = defaultdict(list)
        for post in posts:
            pings, refused = normalise(post.items, latest_ms)
            tally = Tally(rejected=[*post.rejected, *refused])
            batches[post.project_id].append(Batch(post, pings, tally))
            done.tallies.append(tally)
            done.newest_ms = max(done.newest_ms, int(pings.ts_ms.max(initial=0)))
        return batches

    def _track(
        self, batch: Batch, journal: Journal, states: States, seen_in_unit: dict[int, int]
    ) -> None:
        """Steps 2 and 3: where each ping is and what it changes; the journal writes it down."""
        pings, catalogue, project_id = batch.pings, journal.catalogue, journal.project_id
        heard_ms = None if self.clock.follows_pings else journal.now_ms
        devices = by_device(project_id, pings)
        sightings = locate(catalogue.index, pings)
        crossings = self.crossings.prepare(project_id, catalogue, pings, devices, states)
        tracker = Tracker(
            pings, sightings, catalogue, self.duplicates, seen_in_unit, crossings, heard_ms
        )
        for changes, (_, rows) in zip(
            tracker.track(devices, states, batch.tally), devices, strict=True
        ):
            newest = tracker.fixes[rows[-1]], pings.index[rows[-1]]
            _record(batch, journal, states, changes, newest)

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


def _record(
    batch: Batch, journal: Journal, states: States, changes: Tracked, newest: tuple[Fix, int]
) -> None:
    """Write down one device's changes; its state moves on, and the batch keeps what it answers.

    `newest` is the device's newest ping and its place in the request.
    """
    key = changes.key
    before = states[key]
    events, states[key] = journal.record(changes)
    if events:
        batch.tally.events[key.device_id] = events
    if batch.post.include:
        batch.devices.append(DeviceInBatch(key, *newest, before, states[key]))


def _read(unit: Unit, batches: dict[str, list[Batch]]) -> States:
    """The states of all devices of a unit.

    First the projects are held, then all devices of all of them are locked at once: edits that were
    committed before are seen, and none is committed until the unit ends.
    """
    unit.hold(batches)
    return unit.hot.read(
        {
            DeviceKey(project_id, name)
            for project_id, some in batches.items()
            for batch in some
            for name in batch.pings.device_id
        }
    )


def _answered(unit: Unit, batches: dict[str, list[Batch]], done: BatchResult) -> BatchResult:
    """The result with a receipt for each request, in the order of the requests."""
    some = [batch for of_project in batches.values() for batch in of_project]
    number_visits(unit, some)
    receipt_of = {id(batch.tally): batch.receipt for batch in some}
    done.receipts = [receipt_of[id(tally)] for tally in done.tallies]
    return done
