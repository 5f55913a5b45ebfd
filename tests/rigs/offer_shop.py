"""A shop to walk into, and a channel that writes down what it is handed."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

from geofence.clock import PingClock
from geofence.delivery.channel import Channel
from geofence.model.account import Device, Project
from geofence.model.customer import Consent, Customer
from geofence.model.decision import Decision
from geofence.model.edit import EditResult
from geofence.model.message import ChannelName, OutboxMessage, Outcome
from geofence.model.ping import PingIn
from geofence.model.place import Profile, Ring, Store
from geofence.model.receipt import Receipt
from geofence.offers.campaigns import put_campaign, set_status
from geofence.offers.plan import read_plan
from geofence.places.editing import put_store
from geofence.ports.unit import Unit
from geofence.street.worker import Worker
from geofence.street.writer import Writer
from tests.rigs.closures import run_edit
from tests.rigs.lists import filters_of, list_of

from geofence.backends.sql.database import open_database  # isort: skip

T0 = 1_790_000_000_000  # Monday 2026-09-21, 14:13:20 UTC
HOME = (48.0, 11.0)
PLAN = {
    "name": "Lunch",
    "trigger": {"event": "entered", "ring": "near"},
    "offer": {"title": "2 for 1", "coupon": {"valid_days": 3}},
    "pressure": {"per_customer": {"count": 1, "window_s": 86_400}},
    "variants": [
        {
            "name": "a",
            "messages": [
                {
                    "channel": "push",
                    "title": "Hi {{ customer.first_name | default: 'friend' }}",
                    "body": "{{ coupon.code }}",
                },
                {
                    "channel": "email",
                    "subject": "{{ offer.title }}",
                    "text": "Code {{ coupon.code }}",
                    "when": "no_push",
                },
            ],
        }
    ],
}


class Shop:
    """A project with one store of two rings, and short words for what the tests do with it."""

    def __init__(self, url: str) -> None:
        self.database = open_database(url)
        self.database.migrate()
        self.clock = PingClock()
        self.street = Writer(self.database, self.clock, public_url="https://shop.example")
        self.street.start()
        self.edit(
            lambda unit: EditResult(
                unit.accounts.put_project(Project("p", "shop", Profile("exact"))), reload=True
            )
        )
        rings = (Ring("near", 150), Ring("wide", 600))
        store = Store(
            "s1",
            "Corner",
            *HOME,
            brand="bean",
            time_zone="Europe/Berlin",
            opening_hours="Mo-Fr 08:00-18:00",
            rings=rings,
        )
        self.edit(lambda unit: put_store(unit, "p", store, T0))

    def close(self) -> None:
        self.street.stop()
        self.database.close()

    def edit(self, work: Any) -> Any:
        return run_edit(self.street, "p", work).result(30)

    def campaign(self, name: str = "lunch", **changes: Any) -> None:
        plan: Any = read_plan(PLAN | changes, T0)
        self.edit(lambda unit: put_campaign(unit, "p", name, plan, T0))
        self.edit(lambda unit: set_status(unit, "p", name, "active", T0))

    def customer(
        self,
        name: str = "ann",
        *,
        consent: Sequence[str] = ("location", "push", "email"),
        **more: Any,
    ) -> None:
        granted: Any = {purpose: Consent(True, T0, "app") for purpose in consent}
        person = Customer(
            name,
            email=f"{name}@example.org",
            consent=granted,
            attributes={"first_name": name.title()},
            **more,
        )

        def work(unit: Unit) -> EditResult:
            unit.customers.put("p", person)
            unit.accounts.put_device(
                "p", Device(f"phone-{name}", customer_id=name, push_token=f"token-{name}")
            )
            return EditResult(None)

        self.edit(work)

    def walk_in(
        self,
        name: str = "ann",
        *,
        at_s: float = 60,
        north_m: float = 0,
        include: Sequence[str] = (),
    ) -> Receipt:
        ping = PingIn(HOME[0] + north_m / 111_195, HOME[1], T0 + int(at_s * 1000), f"phone-{name}")
        return self.street.submit_pings("p", [(0, ping)], include=frozenset(include)).result(30)

    def page(self, noun: str, **filters: Any) -> list[Any]:
        return list_of(self.database, noun).page("p", filters_of(noun, **filters), None, 10_000)

    @property
    def decisions(self) -> list[Decision]:
        return self.page("decisions")

    @property
    def reasons(self) -> list[str]:
        return [decision.reason for decision in self.decisions]


class Notebook:
    """A channel that writes down what it is handed, and answers as the test asks."""

    retry_s: tuple[int, ...] = (1, 1)

    def __init__(self, name: ChannelName, *verdicts: Any) -> None:
        self.name = name
        self.handed: list[OutboxMessage] = []
        self.verdicts = list(verdicts)
        self.seen = threading.Semaphore(0)

    def send(self, messages: Sequence[OutboxMessage], now_ms: int) -> Iterator[tuple[str, Outcome]]:
        for message in messages:
            self.handed.append(message)
            verdict: Any = self.verdicts.pop(0) if self.verdicts else "sent"
            yield (
                message.id,
                Outcome(
                    verdict, "asked", retry_after_s=0 if verdict in ("retry", "unknown") else None
                ),
            )
            self.seen.release()

    def close(self) -> None:
        self.closed = True


def finished(shop: Shop, count: int) -> list[OutboxMessage]:
    """The messages, once `count` of them have ended."""
    until = threading.Event()
    for _ in range(600):
        messages: list[OutboxMessage] = shop.page("messages")
        if sum(message.status != "queued" for message in messages) >= count:
            return messages
        until.wait(0.05)
    raise AssertionError(
        f"{count} messages did not end: "
        f"{[(one.status, one.reason) for one in shop.page('messages')]}"
    )


def delivered(shop: Shop, count: int, *channels: Channel) -> list[OutboxMessage]:
    """What became of the messages when a worker had those channels."""
    worker = Worker(
        shop.street,
        {channel.name: channel for channel in channels},
        shop.clock,
        expire_unserved_s=0.1,
    )
    worker.start()
    try:
        return finished(shop, count)
    finally:
        worker.stop()
