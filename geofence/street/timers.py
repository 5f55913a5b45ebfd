"""What moves presences without a ping: time, and edits of geofences and campaigns."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from geofence.clock import Clock
from geofence.detection.changes import Changed, Orphaned, Tracked
from geofence.detection.deadlines import advance_clock, end, retime
from geofence.detection.journal import Journal
from geofence.detection.transition import Transition, Update
from geofence.model.changes import Changes
from geofence.model.edit import EditResult
from geofence.model.presence import DeviceKey, DeviceState, Presence
from geofence.model.rules import Rules
from geofence.places.catalogue import Catalogue
from geofence.places.catalogues import Catalogues
from geofence.ports.decisions import NewDecisions
from geofence.ports.unit import Unit
from geofence.street.jobs import BatchResult

Turn = Callable[[Presence, Rules], Update]


class Timers:
    """Turns presences that no ping turns. Used by one thread at a time.

    `offer` decides and composes what follows from a journal's events.
    """

    def __init__(
        self,
        catalogues: Catalogues,
        clock: Clock,
        offer: Callable[[Unit, Journal], NewDecisions],
    ) -> None:
        self._catalogues, self._clock, self._offer = catalogues, clock, offer

    def tick(self, unit: Unit, now_ms: int, keys: Sequence[DeviceKey]) -> BatchResult:
        """Fire the timers of these devices that are due by `now_ms`; what happened."""

        def turn(presence: Presence, rules: Rules) -> Update:
            return advance_clock(presence, now_ms, rules)

        return self._apply_to_presences(unit, keys, turn) if keys else BatchResult()

    def retime(self, unit: Unit, keys: Sequence[DeviceKey]) -> BatchResult:
        """Set these devices' timers as the newest rules have them."""

        def turn(presence: Presence, rules: Rules) -> Update:
            return retime(presence, rules), []

        return self._apply_to_presences(unit, keys, turn) if keys else BatchResult()

    def follow_edit(
        self, unit: Unit, project_id: str, edited: EditResult
    ) -> tuple[BatchResult, Sequence[str]]:
        """End the visits at geofences that an edit removed, and reset timers at those it changed.

        Returns what happened, and the uids of geofences of which a campaign now asks another dwell
        time: they may hold very many phones, so the caller sets their timers in portions.
        """
        touched = [*edited.removed, *(fence.uid for fence in edited.changed)]
        keys = unit.hot.at_geofences(touched) if touched else []
        if not keys and edited.campaigns is None:
            return BatchResult(), ()
        # the geofences that were removed are in this catalogue still: the next one is adopted
        # after the commit
        old = self._catalogues.committed(project_id)
        later: Sequence[str] = ()
        if edited.campaigns is not None:
            later = old.with_campaign_change(*edited.campaigns).dwell_changed_for(old)
        uids = {uid for state in unit.hot.read(keys).values() for uid in state.presences}
        here = [fence for fence in edited.changed if fence.uid in uids]
        new = Catalogue.build(0, old.default, here, old.campaigns)
        turn = _turn_after(edited, new, self._clock.now_ms())
        return self._apply_to_presences(unit, keys, turn, old), later

    def _apply_to_presences(
        self, unit: Unit, keys: Sequence[DeviceKey], turn: Turn, known: Catalogue | None = None
    ) -> BatchResult:
        """Put every presence of these devices through `turn`, and save what comes of it.

        The rules are those of the newest catalogue, or of `known`.
        """
        changes, done = Changes(), BatchResult()
        journals: dict[str, Journal] = {}
        if known is None:
            unit.hold({key.project_id for key in keys})
        for key, state in unit.hot.read(keys).items():
            if (journal := journals.get(key.project_id)) is None:
                journal = self._journal(unit, key.project_id, changes, known)
                journals[key.project_id] = journal
            journal.record(_turned(journal.catalogue, key, state, turn, orphans=known is None))
        for journal in journals.values():
            done.add(self._offer(unit, journal))
        unit.hot.save(changes.states, changes.watermarks)
        unit.journal.save(changes.events, changes.visits)
        done.events = changes.events
        return done

    def _journal(
        self, unit: Unit, project_id: str, changes: Changes, known: Catalogue | None
    ) -> Journal:
        if known is None:
            version = unit.index_version(project_id)
            known = self._catalogues.catalogue(project_id, version)
        return Journal(project_id, known, unit.journal, changes, self._clock.now_ms())


def _turn_after(edited: EditResult, new: Catalogue, now_ms: int) -> Turn:
    """What an edit does to a presence; `new` holds the geofences that it changed."""
    gone = set(edited.removed)

    def turn(presence: Presence, rules: Rules) -> Update:
        if presence.geofence_uid in gone:
            ends_ms = min(now_ms, rules.active_until_ms or now_ms) or presence.last_ms
            return end(presence, ends_ms, "geofence_removed")
        slot = new.slot_of.get(presence.geofence_uid)
        after = None if slot is None else new.rules[slot]
        return (presence if after is None else retime(presence, after)), []

    return turn


def _turned(
    catalogue: Catalogue, key: DeviceKey, state: DeviceState, turn: Turn, *, orphans: bool
) -> Tracked:
    """A device after `turn` of each of its presences.

    `orphans` says that presences at geofences which the catalogue does not know end.
    """
    kept: dict[str, Presence] = {}
    happened: list[Transition] = []
    tracked = Tracked(key, state)
    for uid, presence in state.presences.items():
        slot = catalogue.slot_of.get(uid)
        rules = None if slot is None else catalogue.rules[slot]
        after: Presence | None = presence
        if rules is not None:
            after, more = turn(presence, rules)
            happened += more
        elif orphans:
            after = None
            tracked.steps.append(Orphaned(presence, presence.last_ms))
        if after is not None:
            kept[uid] = after
    if happened:
        before = tuple(state.presences.values())
        tracked.steps.append(Changed(state.customer_id, happened, before))
    if _differ(state.presences, kept):
        tracked.state, tracked.written, tracked.fresh = replace(state, presences=kept), True, True
    return tracked


def _differ(before: dict[str, Presence], after: dict[str, Presence]) -> bool:
    return len(after) < len(before) or any(before[uid] is not one for uid, one in after.items())
