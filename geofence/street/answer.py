"""The answers to requests that ask what happened: events, geofences inside, hints, offers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from msgspec.structs import replace

from geofence.delivery.channels import CHANNELS
from geofence.hints.safe_radius import Wish, hint
from geofence.model.event import Event
from geofence.model.message import OutboxMessage
from geofence.model.place import Geofence
from geofence.model.presence import DeviceKey, DeviceState
from geofence.model.receipt import DeviceAnswer, Hint, InAppOffer, Receipt
from geofence.places.catalogue import Catalogue
from geofence.ports.decisions import NewDecisions
from geofence.ports.unit import Unit
from geofence.street.jobs import Batch

NEAR = ("geofence.entered", "geofence.dwelled")  # an offer after these is for being near


def answer(
    unit: Unit,
    catalogue: Catalogue,
    batches: Sequence[Batch],
    states: dict[DeviceKey, DeviceState],
    new_decisions: NewDecisions,
    now_ms: int,
) -> None:
    """Give each batch of a project its receipt; `states` are those after the whole unit."""
    for batch in batches:
        post, tally = batch.post, batch.tally
        answers = _answers(unit, catalogue, batch, now_ms) if post.include else {}
        if "offers" in post.include:
            open_ = _open_visits(states[one.key] for one in batch.devices)
            answers = _with_offers(unit, post.project_id, answers, new_decisions, now_ms, open_)
        rejected = tuple(sorted(tally.rejected))
        batch.receipt = Receipt(tally.accepted, tally.duplicates, rejected, answers)


def number_visits(unit: Unit, batches: Sequence[Batch]) -> None:
    """Set the ordinal of each answered event's visit, for this device at this geofence."""
    asked = [batch for batch in batches if batch.receipt.devices]
    visits = {
        event.visit_id
        for batch in asked
        for one in batch.receipt.devices.values()
        for event in one.events
    }
    numbers = unit.journal.visit_numbers(sorted(visits)) if visits else {}
    for batch in asked:
        devices = {
            name: replace(one, events=tuple(_numbered(event, numbers) for event in one.events))
            for name, one in batch.receipt.devices.items()
        }
        batch.receipt = replace(batch.receipt, devices=devices)


def _numbered(event: Event, numbers: dict[str, int]) -> Event:
    return replace(event, visit=numbers.get(event.visit_id, 0))


def _answers(
    unit: Unit, catalogue: Catalogue, batch: Batch, now_ms: int
) -> dict[str, DeviceAnswer]:
    """What happened to each device of a batch, where it is inside, and its hint."""
    repeated, hints = _repeated_events(unit, batch), _hints(catalogue, batch, now_ms)
    return {
        one.key.device_id: DeviceAnswer(
            _events(batch, repeated, one.key.device_id),
            _inside(catalogue, one.after),
            hints.get(one.key.device_id),
        )
        for one in batch.devices
    }


def _repeated_events(unit: Unit, batch: Batch) -> dict[str, list[Event]]:
    """The stored events of pings that the batch repeats, by device."""
    repeated: dict[str, list[Event]] = defaultdict(list)
    if batch.tally.repeated:
        for event in unit.journal.events_at(batch.post.project_id, batch.tally.repeated):
            repeated[event.device_id].append(event)
    return repeated


def _events(batch: Batch, repeated: dict[str, list[Event]], device_id: str) -> tuple[Event, ...]:
    new = batch.tally.events.get(device_id, [])
    known = {event.id for event in new}
    return (*(event for event in repeated.get(device_id, ()) if event.id not in known), *new)


def _hints(catalogue: Catalogue, batch: Batch, now_ms: int) -> dict[str, Hint]:
    """The hint of each device, where the request asks for hints."""
    post = batch.post
    if "hint" not in post.include:
        return {}
    versions = {index: ping.hint_version for index, ping in post.items}
    hints = {}
    for one in batch.devices:
        wish = Wish(post.watch, post.wake, versions[one.item])
        hints[one.key.device_id] = hint(catalogue, one.after, one.newest, wish, one.before, now_ms)
    return hints


def _inside(catalogue: Catalogue, state: DeviceState) -> tuple[Geofence, ...]:
    """The geofences a device is inside of."""
    inside = []
    for uid, presence in state.presences.items():
        slot = catalogue.slot_of.get(uid)
        fence = None if slot is None else catalogue.fences[slot]
        if presence.inside and fence is not None:
            inside.append(fence)
    return tuple(inside)


def _open_visits(states: Iterable[DeviceState]) -> set[str]:
    """The visits that go on in these states."""
    return {
        one.visit_id
        for state in states
        for one in state.presences.values()
        if one.inside and one.visit_id is not None
    }


def _with_offers(
    unit: Unit,
    project_id: str,
    devices: dict[str, DeviceAnswer],
    new_decisions: NewDecisions,
    now_ms: int,
    open_: set[str],
) -> dict[str, DeviceAnswer]:
    """The answers with the offers of their events that have not expired, one for each decision.

    A phone that has left by its newest ping gets no offer for being near: `open_` are the visits
    that go on.
    """
    by_event = {
        event.id: device_id
        for device_id, one in devices.items()
        for event in one.events
        if event.kind not in NEAR or event.visit_id in open_
    }
    offers: dict[str, dict[str, InAppOffer]] = defaultdict(dict)
    for event_id, message in _messages(unit, project_id, by_event.keys(), new_decisions, now_ms):
        device_id = by_event.get(event_id)
        fresh = CHANNELS[message.channel].in_answer and message.expires_ms > now_ms
        if device_id is not None and fresh:
            offers[device_id][message.decision_id] = _offer(message)
    return {
        name: replace(one, offers=tuple(offers[name].values())) for name, one in devices.items()
    }


def _messages(
    unit: Unit, project_id: str, event_ids: AbstractSet[str], new: NewDecisions, now_ms: int
) -> list[tuple[str, OutboxMessage]]:
    """(event id, message) that these events led to: those stored earlier, then this unit's."""
    event_of = {decision.id: decision.event_id for decision in new.decisions}
    earlier = event_ids - set(event_of.values())
    stored = unit.decisions.caused_by(project_id, earlier, now_ms) if earlier else []
    return [*stored, *((event_of[one.decision_id], one) for one in new.messages)]


def _offer(message: OutboxMessage) -> InAppOffer:
    content = message.content
    data = content.get("data", {})
    return InAppOffer(
        message.id,
        message.campaign_id,
        data.get("store_id", ""),
        content["title"],
        content["body"],
        message.expires_ms,
        content.get("link"),
        data.get("coupon", ""),
    )
