"""What deciding reads of customers, and where decisions, coupons and messages go, within a unit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b

import sqlalchemy as sa

from geofence.backends.sql.rows import columns, from_row, to_row
from geofence.backends.sql.schema import devices
from geofence.backends.sql.schema_offers import coupons, customers, decisions, messages
from geofence.model.account import Device
from geofence.model.customer import Customer
from geofence.model.decision import Decision
from geofence.model.message import OutboxMessage
from geofence.ports import NewDecisions

CHUNK = 4000  # values in one IN list; SQLite takes 32,766

_HEARD = ("send", "holdout")


class SqlOffers:
    """Implements `ports.Offers`."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._locked: set[tuple[str, str]] = set()

    def customers(self, project_id: str, customer_ids: Iterable[str]) -> dict[str, Customer]:
        """Those that exist, by id.

        Each is locked until the unit ends, also one that does not exist yet.

        Ask once for all of a unit's customers, after its devices: a second call may wait in another
        order than somebody else.
        """
        wanted = sorted(set(customer_ids))
        self.lock(project_id, wanted)
        found: dict[str, Customer] = {}
        for some in _chunks(wanted):
            query = sa.select(*columns(customers, Customer)).where(
                customers.c.project_id == project_id, customers.c.customer_id.in_(some)
            )
            kept = (from_row(Customer, row) for row in self._connection.execute(query).mappings())
            found.update((one.customer_id, one) for one in kept)
        return found

    def devices_of(self, project_id: str, customer_ids: Iterable[str]) -> dict[str, list[Device]]:
        """Each customer's devices that have a push token, the last seen first.

        Whoever has none is left out.
        """
        d = devices.c
        found: dict[str, list[Device]] = {}
        for some in _chunks(sorted(set(customer_ids))):
            query = sa.select(*columns(devices, Device)).where(
                d.project_id == project_id, d.customer_id.in_(some), d.push_token.is_not(None)
            )
            for row in self._connection.execute(
                query.order_by(d.seen_ms.desc().nulls_last(), d.device_id)
            ).mappings():
                found.setdefault(row["customer_id"], []).append(from_row(Device, row))
        return found

    def sent(self, project_id: str, customer_ids: Iterable[str], since_ms: int) -> list[Decision]:
        """Decisions `send` and `holdout` of these customers since then (inclusive), oldest first, released ones left out.

        Released: a `send` that has messages, all of them finished and none ever handed over. A take that ended without an
        attempt hands nothing over; one whose holder died may have, and counts.
        """
        theirs = messages.c.decision_id == decisions.c.id
        counts = sa.or_(messages.c.status == "queued", messages.c.attempt > messages.c.untried)
        written, standing = sa.exists().where(theirs), sa.exists().where(theirs, counts)
        heard = sa.or_(decisions.c.outcome == "holdout", standing, ~written)
        found = self._decisions(
            project_id, decisions.c.customer_id, customer_ids, decisions.c.at_ms >= since_ms, heard
        )
        return sorted(found, key=lambda one: (one.at_ms, one.id))

    def caused_by(
        self, project_id: str, event_ids: Iterable[str], now_ms: int
    ) -> list[tuple[str, OutboxMessage]]:
        """(event id, message) of every message not yet expired that these events led to, oldest first."""
        found: list[tuple[str, OutboxMessage]] = []
        for some in _chunks(sorted(set(event_ids))):
            query = (
                sa.select(decisions.c.event_id, *columns(messages, OutboxMessage))
                .join(messages, messages.c.decision_id == decisions.c.id)
                .where(
                    decisions.c.project_id == project_id,
                    decisions.c.event_id.in_(some),
                    messages.c.expires_ms > now_ms,
                )
            )
            found += [
                (row["event_id"], from_row(OutboxMessage, row))
                for row in self._connection.execute(query).mappings()
            ]
        return sorted(found, key=lambda one: (one[1].created_ms, one[1].id))

    def save(self, new_decisions: NewDecisions) -> None:
        """Write decisions, coupons and messages; `RecordError` when one exists already."""
        for table, new in (
            (decisions, new_decisions.decisions),
            (coupons, new_decisions.coupons),
            (messages, new_decisions.messages),
        ):
            if new:
                self._connection.execute(sa.insert(table), [to_row(table, one) for one in new])

    def lock(self, project_id: str, customer_ids: Sequence[str]) -> None:
        """Nobody else decides about these customers until the unit ends.

        On SQLite one unit at a time writes anyway.
        """
        new = {(project_id, customer_id) for customer_id in customer_ids} - self._locked
        self._locked |= new
        if not new or self._connection.dialect.name != "postgresql":
            return
        lock = sa.text(
            "SELECT pg_advisory_xact_lock(n) FROM unnest(CAST(:numbers AS bigint[])) WITH ORDINALITY AS t(n, i)"
        )
        self._connection.execute(lock, {"numbers": sorted({_lock_number(*one) for one in new})})

    def _decisions(
        self,
        project_id: str,
        column: sa.Column[str],
        values: Iterable[str],
        *conditions: sa.ColumnElement[bool],
    ) -> list[Decision]:
        found: list[Decision] = []
        for some in _chunks(sorted(set(values))):
            query = sa.select(*columns(decisions, Decision)).where(
                decisions.c.project_id == project_id,
                column.in_(some),
                decisions.c.outcome.in_(_HEARD),
                *conditions,
            )
            found += [from_row(Decision, row) for row in self._connection.execute(query).mappings()]
        return found


def _lock_number(project_id: str, customer_id: str) -> int:
    """A number of the customers' own.

    `person` makes another hash function than the one for devices.
    """
    text = f"{project_id}\x1f{customer_id}".encode("utf-8", "surrogatepass")
    return int.from_bytes(
        blake2b(text, digest_size=8, person=b"customer").digest(), "big", signed=True
    )


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
