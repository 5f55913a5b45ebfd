"""The street itself.

Normalise -> locate -> track -> one commit, for whole groups of requests in one unit of work.

`Street` is what the doors talk to. Behind it one writer thread takes the waiting requests in
arrival order, carries them through the steps on what the last commit left, commits them as one
group and only then answers. A group that fails is run again request by request, so that one bad
apple spoils only itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from math import isnan
from typing import Any

from msgspec.structs import replace

from geofence.clock import Clock
from geofence.detection.crossings import CrossingDetector
from geofence.detection.duplicates import DuplicateFilter
from geofence.detection.journal import Journal
from geofence.detection.presence import Rules, Transition, Update, advance_clock, end, retime
from geofence.hints.safe_radius import Here, Wake, Wish, hint
from geofence.model.campaign import Campaign
from geofence.model.changes import Changes
from geofence.model.decision import Decision
from geofence.model.edit import EditResult
from geofence.model.event import Event
from geofence.model.message import OutboxMessage
from geofence.model.ping import PingIn, Pings, Rejection
from geofence.model.place import Geofence, Profile
from geofence.model.presence import DeviceKey, DeviceState, Presence
from geofence.model.receipt import DeviceAnswer, Receipt
from geofence.offers.cases import Proposer
from geofence.places.catalogue import Catalogue
from geofence.places.index_cache import IndexCache
from geofence.ports.database import Database
from geofence.ports.decisions import NewDecisions
from geofence.ports.unit import Unit
from geofence.street.answer import attach_offers, open_visits
from geofence.street.locate import locate
from geofence.street.normalise import normalise
from geofence.street.track import Columns, Tally, Tracker

DeviceInBatch = tuple[
    DeviceKey, int, DeviceState
]  # a device of a request, the row of its newest ping, and what was known of it before

IOS_WATCHES, ANDROID_WATCHES = 19, 99
MOST_CAMPAIGNS = 1000


@dataclass(slots=True, eq=False)
class Post:
    """A request's pings on their way: what came in, and the promise of an answer."""

    project_id: str
    items: Sequence[tuple[int, PingIn]]
    rejected: Sequence[Rejection] = ()
    include: frozenset[str] = frozenset()
    watch: int = IOS_WATCHES
    wake: Wake = "clock"
    again: bool = False
    future: Future[Receipt] = field(default_factory=Future)

    @property
    def weight(self) -> int:
        """How many pings it carries."""
        return len(self.items)


@dataclass(slots=True, eq=False)
class Edit:
    """A change of stores, geofences, keys or devices, to be made in a unit of its own."""

    project_id: str
    work: Callable[[Unit], EditResult]
    again: bool = False
    future: Future[Any] = field(default_factory=Future)


@dataclass(slots=True)
class Batch:
    """A post on the street.

    Its columns, what was refused, what became of the rest, and the answer.
    """

    post: Post
    pings: Pings
    refused: list[Rejection]
    tally: Tally = field(default_factory=Tally)
    receipt: Receipt = field(default_factory=lambda: Receipt(0, 0, ()))


@dataclass(slots=True)
class BatchResult:
    """A unit's outcome: an answer per post, what happened, and what was decided about it."""

    receipts: list[Receipt] = field(default_factory=list)
    tallies: list[Tally] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    messages: list[OutboxMessage] = field(default_factory=list)
    seen_in_unit: dict[int, int] = field(default_factory=dict)
    newest_ms: int = 0


class Pipeline:
    """The steps in order, and the catalogues they read. Used by one thread at a time."""

    def __init__(self, database: Database, clock: Clock, public_url: str, kept: IndexCache) -> None:
        self.database, self.clock, self.proposer, self.kept = (
            database,
            clock,
            Proposer(public_url),
            kept,
        )
        self.duplicates, self.passing = DuplicateFilter(), CrossingDetector()
        self._catalogues: dict[str, Catalogue] = {}

    def catalogue(self, project_id: str, version: int | None = None) -> Catalogue:
        """The project's catalogue, read anew when `version` says that it changed elsewhere."""
        known = self._catalogues.get(project_id)
        if known is not None and version in (None, known.version):
            return known
        return self._load(project_id)

    def version(self, project_id: str) -> int | None:
        """That of the catalogue as it is known here."""
        known = self._catalogues.get(project_id)
        return None if known is None else known.version

    def run(self, unit: Unit, posts: Sequence[Post]) -> BatchResult:
        """Carry a group through the street within `unit`; nothing is committed here."""
        done, changes = BatchResult(), Changes()
        latest_ms = None if self.clock.follows_pings else self.clock.now_ms()
        batches = [Batch(post, *normalise(post.items, latest_ms)) for post in posts]
        done.newest_ms = max(int(batch.pings.ts_ms.max(initial=0)) for batch in batches)
        now_ms = (
            max(self.clock.now_ms(), done.newest_ms)
            if self.clock.follows_pings
            else self.clock.now_ms()
        )
        by_project: dict[str, list[Batch]] = defaultdict(list)
        for batch in batches:
            by_project[batch.post.project_id].append(batch)
        # first the projects are held, then all devices of all of them are locked in one go: whoever
        # changed a geofence before us is seen, and nobody removes one behind our back
        unit.hold(by_project)
        states = unit.hot.read(
            {
                DeviceKey(one.post.project_id, name)
                for one in batches
                for name in one.pings.device_id
            }
        )
        for project_id, some in by_project.items():
            catalogue = self.catalogue(project_id, unit.index_version(project_id))
            self._run_project(
                unit, Journal(project_id, catalogue, changes, now_ms), some, states, done
            )
        unit.hot.save(changes.states, changes.watermarks)
        unit.journal.save(changes.events, changes.visits)
        _number(unit, batches)
        done.events = changes.events
        done.tallies = [batch.tally for batch in batches]
        done.receipts = [batch.receipt for batch in batches]
        return done

    def tick(self, unit: Unit, now_ms: int, keys: Sequence[DeviceKey]) -> BatchResult:
        """Fire the timers of these devices that are due by `now_ms`; what happened."""
        return (
            self._apply_to_presences(
                unit, keys, lambda presence, rules: advance_clock(presence, now_ms, rules)
            )
            if keys
            else BatchResult()
        )

    def edit(self, unit: Unit, edit: Edit) -> tuple[EditResult, BatchResult, Sequence[str]]:
        """Make an edit, end the visits at geofences that it removed, and set the timers anew at those that it changed.

        Last come the uids of geofences of which it asks another dwell time; they may hold very many phones: see `retime`.
        """
        edited = edit.work(unit)
        touched = [*edited.removed, *(fence.uid for fence in edited.changed)]
        keys = unit.hot.at_geofences(touched) if touched else []
        if not keys and edited.campaigns is None:
            return edited, BatchResult(), ()
        old = self._committed(edit.project_id)
        later = (
            ()
            if edited.campaigns is None
            else old.with_campaign_change(*edited.campaigns).dwell_changed_for(old)
        )
        now_ms, gone = self.clock.now_ms(), set(edited.removed)
        here = {uid for state in unit.hot.read(keys).values() for uid in state.presences}
        new = Catalogue.build(
            0, old.default, [fence for fence in edited.changed if fence.uid in here], old.campaigns
        )

        def turn(presence: Presence, rules: Rules) -> Update:
            if presence.geofence_uid in gone:
                return end(
                    presence,
                    min(now_ms, rules.active_until_ms or now_ms) or presence.last_ms,
                    "geofence_removed",
                )
            slot = new.slot_of.get(presence.geofence_uid)
            after = None if slot is None else new.rules[slot]
            return (presence if after is None else retime(presence, after)), []

        # the geofences that were removed are in the catalogue still: it is swapped after the commit
        return edited, self._apply_to_presences(unit, keys, turn, old), later

    def retime(self, unit: Unit, keys: Sequence[DeviceKey]) -> BatchResult:
        """Set these devices' timers as the newest rules have them."""
        return (
            self._apply_to_presences(
                unit, keys, lambda presence, rules: (retime(presence, rules), [])
            )
            if keys
            else BatchResult()
        )

    def _committed(self, project_id: str) -> Catalogue:
        """What an edit under way begins from.

        Others may have edited since it was queued, and nobody does before it ends.
        """
        project = self.database.queries.project(project_id)
        return self.catalogue(project_id, None if project is None else project.index_version)

    def adopt(self, project_id: str, edited: EditResult, version: int) -> None:
        """Swap in the catalogue that follows from a committed edit.

        Read it anew where others edited meanwhile.
        """
        known = self._catalogues.get(project_id)
        if known is not None and version == known.version and not edited.reload:
            return
        if known is None or edited.reload or version != known.version + 1:
            self._load(project_id)
        elif edited.campaigns:
            self._catalogues[project_id] = known.with_campaigns(
                version, self._campaigns(project_id)
            )
        else:
            self._catalogues[project_id] = known.patched(version, edited.changed, edited.removed)

    def keep(self) -> None:
        """Put the indexes where the next start finds them."""
        for project_id, catalogue in self._catalogues.items():
            self.kept.save(project_id, catalogue.index, catalogue.fences)

    def _run_project(
        self,
        unit: Unit,
        journal: Journal,
        batches: Sequence[Batch],
        states: dict[DeviceKey, DeviceState],
        done: BatchResult,
    ) -> None:
        catalogue, project_id = journal.catalogue, journal.project_id
        heard_ms = None if self.clock.follows_pings else journal.now_ms
        told: list[dict[str, DeviceAnswer]] = []
        for batch in batches:
            pings, tally = batch.pings, batch.tally
            tally.rejected = [*batch.post.rejected, *batch.refused]
            columns = Columns.of(pings, locate(catalogue.index, pings))
            devices = _by_device(project_id, pings)
            crossings = self.passing.prepare(project_id, catalogue, pings, devices, states)
            tracker = Tracker(
                columns,
                unit.journal,
                self.duplicates,
                done.seen_in_unit,
                journal,
                crossings,
                heard_ms,
            )
            came: list[DeviceInBatch] = []
            for key, rows in devices:
                before = states[key]
                states[key] = tracker.follow(key, before, rows, tally)
                came.append((key, rows[-1], before))
            told.append(
                self._answers(unit, journal, batch, states, came) if batch.post.include else {}
            )
        new_decisions = self._propose(unit, journal, done)
        for batch, answers in zip(batches, told, strict=True):
            tally = batch.tally
            if "offers" in batch.post.include:
                answers = attach_offers(
                    unit,
                    project_id,
                    answers,
                    new_decisions,
                    journal.now_ms,
                    open_visits(project_id, answers, states),
                )
            batch.receipt = Receipt(
                tally.accepted, tally.duplicates, tuple(sorted(tally.rejected)), answers
            )

    def _propose(self, unit: Unit, journal: Journal, done: BatchResult) -> NewDecisions:
        campaigns = journal.catalogue.campaigns
        if not campaigns or not journal.events:
            return NewDecisions()
        new_decisions = self.proposer.propose(
            unit, campaigns, journal.events, journal.approaches, journal.now_ms
        )
        done.decisions += new_decisions.decisions
        done.messages += new_decisions.messages
        return new_decisions

    def _answers(
        self,
        unit: Unit,
        journal: Journal,
        batch: Batch,
        states: dict[DeviceKey, DeviceState],
        came: Sequence[DeviceInBatch],
    ) -> dict[str, DeviceAnswer]:
        """What happened to each device, where it is inside, and its hint.

        The events of repeated pings as they were stored.
        """
        post, tally = batch.post, batch.tally
        answers = {}
        versions = (
            {index: ping.hint_version for index, ping in post.items}
            if "hint" in post.include
            else {}
        )
        repeated: dict[str, list[Event]] = defaultdict(list)
        for event in (
            unit.journal.events_at(post.project_id, tally.repeated) if tally.repeated else []
        ):
            repeated[event.device_id].append(event)
        for key, row, before in came:
            device_id, state = key.device_id, states[key]
            events = tally.events.get(device_id, [])
            if device_id in repeated:
                told = {event.id for event in events}
                events = [
                    *(event for event in repeated[device_id] if event.id not in told),
                    *events,
                ]
            hinted = None
            if "hint" in post.include:
                wish = Wish(post.watch, post.wake, versions[int(batch.pings.index[row])])
                hinted = hint(
                    journal.catalogue, state, _here(batch.pings, row), wish, before, journal.now_ms
                )
            answers[device_id] = DeviceAnswer(
                tuple(events), _inside(journal.catalogue, state), hinted
            )
        return answers

    def _apply_to_presences(
        self,
        unit: Unit,
        keys: Sequence[DeviceKey],
        turn: Callable[[Presence, Rules], Update],
        known: Catalogue | None = None,
    ) -> BatchResult:
        """Put every presence of these devices through `turn`, and save what came of it.

        By the newest catalogue, or `known`.
        """
        changes, now_ms, done = Changes(), self.clock.now_ms(), BatchResult()
        journals: dict[str, Journal] = {}
        if known is None:
            unit.hold({key.project_id for key in keys})
        for key, state in unit.hot.read(keys).items():
            if key.project_id not in journals:
                catalogue = known or self.catalogue(
                    key.project_id, unit.index_version(key.project_id)
                )
                journals[key.project_id] = Journal(key.project_id, catalogue, changes, now_ms)
            presences = _applied(
                unit, journals[key.project_id], key, state, turn, orphans=known is None
            )
            if len(presences) < len(state.presences) or any(
                state.presences[uid] is not one for uid, one in presences.items()
            ):
                changes.states[key] = replace(state, presences=presences)
        for journal in journals.values():
            self._propose(unit, journal, done)
        unit.hot.save(changes.states, changes.watermarks)
        unit.journal.save(changes.events, changes.visits)
        done.events = changes.events
        return done

    def _load(self, project_id: str) -> Catalogue:
        queries = self.database.queries
        project = queries.project(project_id)
        version, default = (
            (project.index_version, project.profile) if project is not None else (0, Profile())
        )
        fences, campaigns = queries.geofences_by_uid(project_id), self._campaigns(project_id)
        known = self._catalogues.get(project_id)
        if known is not None:
            catalogue = known.following(version, default, fences, campaigns)
        elif (kept := self.kept.load(project_id, fences)) is not None:
            catalogue = Catalogue.restored(version, default, *kept, fences, campaigns)
        else:
            catalogue = Catalogue.build(version, default, fences, campaigns)
            self.kept.save(project_id, catalogue.index, catalogue.fences)
        self._catalogues[project_id] = catalogue
        return catalogue

    def _campaigns(self, project_id: str) -> list[Campaign]:
        return self.database.queries.campaigns.page(project_id, None, None, MOST_CAMPAIGNS)


def _applied(
    unit: Unit,
    journal: Journal,
    key: DeviceKey,
    state: DeviceState,
    turn: Callable[[Presence, Rules], Update],
    *,
    orphans: bool,
) -> dict[str, Presence]:
    """What is left of a device's presences after `turn`; what happened is written down.

    `orphans`: whether unknown geofences are gone.
    """
    catalogue = journal.catalogue
    kept: dict[str, Presence] = {}
    happened: list[Transition] = []
    for uid, presence in state.presences.items():
        slot = catalogue.slot_of.get(uid)
        rules = None if slot is None else catalogue.rules[slot]
        if rules is None:
            if orphans:
                journal.end_orphan(key, presence, presence.last_ms, unit.journal)
            else:
                kept[uid] = presence
            continue
        after, more = turn(presence, rules)
        happened += more
        if after is not None:
            kept[uid] = after
    for one in journal.in_order(happened):
        journal.record_approach(
            journal.write(key, state.customer_id, one, None), state.presences.values()
        )
    return kept


def _number(unit: Unit, batches: Sequence[Batch]) -> None:
    """Let the events in the answers know the how-many-th visit they belong to."""
    told = [batch for batch in batches if batch.receipt.devices]
    visits = {
        event.visit_id
        for batch in told
        for answer in batch.receipt.devices.values()
        for event in answer.events
    }
    numbers = unit.journal.visit_numbers(sorted(visits)) if visits else {}
    for batch in told:
        devices = {
            name: replace(
                answer,
                events=tuple(
                    replace(event, visit=numbers.get(event.visit_id, 0)) for event in answer.events
                ),
            )
            for name, answer in batch.receipt.devices.items()
        }
        batch.receipt = replace(batch.receipt, devices=devices)


def _by_device(project_id: str, pings: Pings) -> list[tuple[DeviceKey, list[int]]]:
    """Each device with its rows in time order.

    The order of rows with equal times is theirs in the request.
    """
    rows: dict[str, list[int]] = defaultdict(list)
    for row, device_id in enumerate(pings.device_id):
        rows[device_id].append(row)
    ts_ms = pings.ts_ms.tolist()
    for some in rows.values():
        if len(some) > 1:
            some.sort(key=ts_ms.__getitem__)
    return [(DeviceKey(project_id, device_id), rows[device_id]) for device_id in sorted(rows)]


def _inside(catalogue: Catalogue, state: DeviceState) -> tuple[Geofence, ...]:
    """The geofences a device is inside of."""
    inside = []
    for uid, presence in state.presences.items():
        slot = catalogue.slot_of.get(uid)
        fence = None if slot is None else catalogue.fences[slot]
        if presence.inside and fence is not None:
            inside.append(fence)
    return tuple(inside)


def _here(pings: Pings, row: int) -> Here:
    accuracy_m = float(pings.accuracy_m[row])
    return Here(
        float(pings.lat[row]), float(pings.lon[row]), None if isnan(accuracy_m) else accuracy_m
    )
