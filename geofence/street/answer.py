"""Offers in the answer to a ping, for an app that shows them itself.

Those its events caused, while the phone is still there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from msgspec.structs import replace

from geofence.delivery.channels import CHANNELS
from geofence.model.message import OutboxMessage
from geofence.model.presence import DeviceKey, DeviceState
from geofence.model.receipt import DeviceAnswer, InAppOffer
from geofence.ports.decisions import NewDecisions
from geofence.ports.unit import Unit

NEAR = ("geofence.entered", "geofence.dwelled")  # what makes an offer for being near


def open_visits(
    project_id: str, devices: Iterable[str], states: dict[DeviceKey, DeviceState]
) -> set[str]:
    """Visits that go on after these devices' newest pings."""
    theirs = (states[DeviceKey(project_id, name)].presences.values() for name in devices)
    return {
        one.visit_id for some in theirs for one in some if one.inside and one.visit_id is not None
    }


def attach_offers(
    unit: Unit,
    project_id: str,
    devices: dict[str, DeviceAnswer],
    new_decisions: NewDecisions,
    now_ms: int,
    open_: set[str],
) -> dict[str, DeviceAnswer]:
    """The answers with the offers that follow from their events and have not expired, one for each decision.

    One for being near is not shown to a phone that has left by its newest ping: the visits that go on are `open_`.
    """
    by_event = {
        event.id: device_id
        for device_id, answer in devices.items()
        for event in answer.events
        if event.kind not in NEAR or event.visit_id in open_
    }
    shown: dict[str, dict[str, InAppOffer]] = defaultdict(dict)
    new = {decision.id: decision.event_id for decision in new_decisions.decisions}
    stored = (
        unit.decisions.caused_by(project_id, by_event.keys() - new.values(), now_ms)
        if by_event.keys() - new.values()
        else []
    )
    for event_id, message in [
        *stored,
        *((new[one.decision_id], one) for one in new_decisions.messages),
    ]:
        device_id = by_event.get(event_id)
        if (
            device_id is not None
            and CHANNELS[message.channel].in_answer
            and message.expires_ms > now_ms
        ):
            shown[device_id][message.decision_id] = _shown(message)
    return {
        name: replace(answer, offers=tuple(shown[name].values()))
        for name, answer in devices.items()
    }


def _shown(message: OutboxMessage) -> InAppOffer:
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
