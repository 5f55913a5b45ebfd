"""Customers, and the devices that reach them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from geofence.model.account import Device
from geofence.model.customer import Customer
from geofence.model.erasure import Erasure


class Customers(Protocol):
    """Customers of a project within a unit."""

    def get(self, project_id: str, customer_id: str) -> Customer | None:
        """The customer of that id, without a lock."""

    def locked(self, project_id: str, customer_ids: Iterable[str]) -> dict[str, Customer]:
        """Those that exist, by id; every id is locked until the unit ends.

        Locks are taken in sorted order, after those of devices.
        """

    def devices_of(self, project_id: str, customer_ids: Iterable[str]) -> dict[str, list[Device]]:
        """Each customer's devices that have a push token, the last seen first."""

    def put(self, project_id: str, customer: Customer) -> None:
        """Insert or replace; `created_ms` stays."""

    def erase(self, project_id: str, customer_id: str, plan: Erasure) -> None:
        """Carry out the erasure of a customer on every table and on hot state."""
