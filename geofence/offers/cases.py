"""From a unit's events to its cases: looks up what deciding needs, ping by ping.

Works on one project within one unit. The customers are locked from the look-up to the commit, so a
cap counts what was decided a moment ago on another machine.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from geofence.model.account import Device
from geofence.model.campaign import Campaign
from geofence.model.case import Case
from geofence.model.customer import Customer
from geofence.model.decision import Decision
from geofence.model.event import Event
from geofence.model.place import Store
from geofence.offers import triggers
from geofence.offers.triggers.store_filter import at_store
from geofence.places.opening_hours import is_open
from geofence.plugins import discover
from geofence.ports.unit import Unit

TRIGGERS = {module.KIND: module for module in discover(triggers).values()}
# no approach is older than a day: how far back decisions are read at least
APPROACH_MS = 24 * 3_600_000


class Match(NamedTuple):
    """An event that a campaign's trigger means, at its store."""

    event: Event
    campaign: Campaign
    store: Store


class CustomerContext(NamedTuple):
    """What deciding knows of the customers of a unit: who they are, their devices, what was sent.

    `sent` grows with `add`, so that later cases of the unit count it.
    """

    customers: dict[str, Customer]
    devices: dict[str, list[Device]]
    sent: dict[str, list[Decision]]

    def add(self, decision: Decision) -> None:
        """Count a decision of this unit, unless it is silent."""
        if decision.outcome != "silent":
            self.sent[decision.customer_id].append(decision)


def build_cases(
    unit: Unit,
    campaigns: Sequence[Campaign],
    events: Sequence[Event],
    approaches: dict[str, int],
    now_ms: int,
) -> tuple[CustomerContext, Iterator[list[Case]]]:
    """The cases of one project's events, ping by ping, and what is known of their customers.

    `approaches` maps an event's id to the beginning of its approach (epoch ms). Take the cases one
    ping at a time and `add` each decision to the context before the next: caps count it.
    """
    matches = _matches(unit, campaigns, events)
    context = _look_up(unit, matches, now_ms) if matches else CustomerContext({}, {}, {})
    pings: dict[tuple[str, int, str], list[Match]] = defaultdict(list)
    for match in matches:
        event = match.event
        pings[event.device_id, event.ts_ms, event.customer_id or ""].append(match)
    cases = (
        [_case(match, context, approaches, now_ms) for match in some] for some in pings.values()
    )
    return context, cases


def _matches(unit: Unit, campaigns: Sequence[Campaign], events: Sequence[Event]) -> list[Match]:
    by_kind: dict[str, list[Campaign]] = defaultdict(list)
    for campaign in campaigns:
        for kind, trigger in TRIGGERS.items():
            if campaign.plan.trigger.event == trigger.NAME:
                by_kind[kind].append(campaign)
    stores: dict[str, Store | None] = {}
    return [
        Match(event, campaign, store)
        for event in events
        if _is_news(event)
        for campaign in by_kind.get(event.kind, ())
        if TRIGGERS[event.kind].matches(event, campaign.plan.trigger)
        and (store := _store_of(unit, event, stores)) is not None
        and at_store(store, campaign.plan.trigger.stores)
    ]


def _is_news(event: Event) -> bool:
    """Whether an offer may follow: an inferred end is hours old, and a removal moves no phone."""
    return event.store_id is not None and not event.inferred and event.reason is None


def _store_of(unit: Unit, event: Event, known: dict[str, Store | None]) -> Store | None:
    """The event's store, read once for all events."""
    store_id = event.store_id or ""
    if store_id not in known:
        known[store_id] = unit.places.stores(event.project_id, [store_id]).get(store_id)
    return known[store_id]


def _look_up(unit: Unit, matches: Sequence[Match], now_ms: int) -> CustomerContext:
    project_id = matches[0].event.project_id
    ids = sorted({match.event.customer_id for match in matches if match.event.customer_id})
    sent: dict[str, list[Decision]] = defaultdict(list)
    customers = unit.customers.locked(project_id, ids) if ids else {}
    if not customers:
        return CustomerContext({}, {}, sent)
    for decision in unit.decisions.sent(
        project_id, sorted(customers), now_ms - _horizon_ms(match.campaign for match in matches)
    ):
        sent[decision.customer_id].append(decision)
    return CustomerContext(
        customers, unit.customers.devices_of(project_id, sorted(customers)), sent
    )


def _horizon_ms(campaigns: Iterable[Campaign]) -> int:
    horizon_ms = APPROACH_MS
    for campaign in campaigns:
        pressure = campaign.plan.pressure
        window_s = pressure.per_customer.window_s if pressure.per_customer is not None else 0
        horizon_ms = max(horizon_ms, window_s * 1000, pressure.min_gap_s * 1000)
    return horizon_ms


def _case(match: Match, context: CustomerContext, approaches: dict[str, int], now_ms: int) -> Case:
    event, campaign, store = match
    customer_id = event.customer_id or ""
    began_ms = approaches.get(event.id, event.ts_ms)
    sent = tuple(context.sent.get(customer_id, ()))
    here = [
        one for one in sent if (one.store_id, one.device_id) == (event.store_id, event.device_id)
    ]
    local = datetime.fromtimestamp(now_ms / 1000, _zone(store.time_zone)).replace(tzinfo=None)
    return Case(
        event=event,
        campaign=campaign,
        now_ms=now_ms,
        local=local,
        store=store,
        store_open=None if store.opening_hours is None else is_open(store.opening_hours, local),
        customer=context.customers.get(customer_id),
        devices=tuple(context.devices.get(customer_id, ())),
        sent=sent,
        approach=tuple(one for one in here if one.event_ms >= began_ms),
        rings={ring.name: ring.radius_m for ring in store.rings},
    )


@lru_cache(maxsize=512)
def _zone(name: str | None) -> ZoneInfo:
    return ZoneInfo(name or "UTC")
