"""Customers within a unit, their devices, and their erasure."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from geofence.backends.sql import erasure, locks
from geofence.backends.sql.rows import chunks, columns, from_row, to_row, upsert
from geofence.backends.sql.schema.customers import customers
from geofence.backends.sql.schema.devices import devices
from geofence.model.account import Device
from geofence.model.customer import Customer
from geofence.model.erasure import Erasure
from geofence.ports.hot_state import HotState


class SqlCustomers:
    """Implements `ports.customers.Customers`."""

    def __init__(self, connection: sa.Connection, hot: HotState) -> None:
        self._connection, self._hot = connection, hot
        self._locked: set[tuple[str, str]] = set()

    def get(self, project_id: str, customer_id: str) -> Customer | None:
        """The customer of that id, without a lock."""
        query = sa.select(*columns(customers, Customer)).where(
            customers.c.project_id == project_id, customers.c.customer_id == customer_id
        )
        row = self._connection.execute(query).mappings().first()
        return from_row(Customer, row) if row else None

    def locked(self, project_id: str, customer_ids: Iterable[str]) -> dict[str, Customer]:
        """Those that exist, by id.

        Every id is locked until the unit ends, also one that does not exist yet. Ask once for all
        of a unit's customers, after its devices: the locks of a second call are out of order.
        """
        wanted = sorted(set(customer_ids))
        self._lock(project_id, wanted)
        found: dict[str, Customer] = {}
        for some in chunks(wanted):
            query = sa.select(*columns(customers, Customer)).where(
                customers.c.project_id == project_id, customers.c.customer_id.in_(some)
            )
            kept = (from_row(Customer, row) for row in self._connection.execute(query).mappings())
            found.update((one.customer_id, one) for one in kept)
        return found

    def devices_of(self, project_id: str, customer_ids: Iterable[str]) -> dict[str, list[Device]]:
        """Each customer's devices that have a push token, the last seen first.

        A customer without any is left out.
        """
        d = devices.c
        found: dict[str, list[Device]] = {}
        for some in chunks(sorted(set(customer_ids))):
            query = sa.select(*columns(devices, Device)).where(
                d.project_id == project_id, d.customer_id.in_(some), d.push_token.is_not(None)
            )
            query = query.order_by(d.seen_ms.desc().nulls_last(), d.device_id)
            for row in self._connection.execute(query).mappings():
                found.setdefault(row["customer_id"], []).append(from_row(Device, row))
        return found

    def put(self, project_id: str, customer: Customer) -> None:
        """Insert or replace; `created_ms` stays."""
        upsert(self._connection, customers, [to_row(customers, customer, project_id=project_id)])

    def erase(self, project_id: str, customer_id: str, plan: Erasure) -> None:
        """Carry out an erasure on every table and on hot state."""
        carried = erasure.lock_devices(self._connection, self._hot, project_id, customer_id)
        self._lock(project_id, [customer_id])
        erasure.erase(self._connection, project_id, customer_id, plan)
        for key in carried:
            self._hot.assign(key, None)

    def _lock(self, project_id: str, customer_ids: Iterable[str]) -> None:
        new = {(project_id, customer_id) for customer_id in customer_ids} - self._locked
        self._locked |= new
        locks.customers(self._connection, new)
