"""Edits of customers, devices, keys and projects."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from geofence.errors import NotFound
from geofence.idempotency import is_unchanged, once
from geofence.model.account import Device, Key, Project
from geofence.model.customer import Customer, Purpose
from geofence.model.edit import EditArguments, EditResult
from geofence.people import erasure
from geofence.people.consent import Statement, merge, withdraw
from geofence.ports.unit import Unit


class PutCustomer(EditArguments, frozen=True, tag="customer.put"):
    """Insert or replace a customer; `said` is what the person says of each purpose now.

    Where one is `expected`, only that one is replaced.
    """

    customer: Customer
    said: dict[Purpose, Statement]
    expected: Customer | None = None


class EraseCustomer(EditArguments, frozen=True, tag="customer.erase"):
    """Erase a customer from every table."""

    customer_id: str


class WithdrawConsent(EditArguments, frozen=True, tag="customer.withdraw"):
    """Withdraw a customer's consent to one purpose; `source` is where the person said so."""

    customer_id: str
    purpose: Purpose
    source: str


class PutDevice(EditArguments, frozen=True, tag="device.put"):
    """Register a device, or replace what is known of it.

    Where one is `expected`, only that one is replaced.
    """

    device: Device
    expected: Device | None = None


class EraseDevice(EditArguments, frozen=True, tag="device.erase"):
    """Erase a device with its presences, visits and events."""

    device_id: str


class NewKey(msgspec.Struct, frozen=True):
    """A new key, with the salt from which its maker finds the secret again.

    The salt alone reveals nothing.
    """

    key: Key
    salt: str


class CreateKey(EditArguments, frozen=True, tag="key.create"):
    """Store a new key; `once_key` and `fingerprint` as `once` has them."""

    new: NewKey
    once_key: str | None = None
    fingerprint: str = ""


class RevokeKey(EditArguments, frozen=True, tag="key.revoke"):
    """Revoke a key, unless it is revoked."""

    key: Key


class PutProject(EditArguments, frozen=True, tag="project.put"):
    """Replace a project; `profile_changed` where its default profile is another."""

    project: Project
    profile_changed: bool = False


def put_customer(edit: PutCustomer, unit: Unit, project_id: str, now_ms: int) -> EditResult:
    """The value is (customer, created), or None where another one is stored than expected.

    The same again changes nothing.
    """
    given = edit.customer
    known = unit.customers.locked(project_id, [given.customer_id]).get(given.customer_id)
    if not is_unchanged(known, edit.expected):
        return EditResult(None)
    consent = merge(known.consent if known else {}, edit.said, now_ms)
    created_ms = known.created_ms if known else now_ms
    customer = replace(given, consent=consent, created_ms=created_ms, updated_ms=now_ms)
    if known is not None and customer == replace(known, updated_ms=now_ms):
        return EditResult((known, False))
    unit.customers.put(project_id, customer)
    return EditResult((customer, known is None))


def erase_customer(edit: EraseCustomer, unit: Unit, project_id: str, _: int) -> EditResult:
    """The customer need not exist: devices and codes may name one that does not."""
    erasure.erase(unit, project_id, edit.customer_id)
    return EditResult(None)


def withdraw_consent(edit: WithdrawConsent, unit: Unit, project_id: str, now_ms: int) -> EditResult:
    """Changes nothing where the customer is gone or has not agreed."""
    customer = unit.customers.locked(project_id, [edit.customer_id]).get(edit.customer_id)
    if customer is not None and customer.agreed(edit.purpose):
        consent = withdraw(customer.consent, edit.purpose, now_ms, edit.source)
        unit.customers.put(project_id, replace(customer, consent=consent, updated_ms=now_ms))
    return EditResult(None)


def put_device(edit: PutDevice, unit: Unit, project_id: str, _: int) -> EditResult:
    """The value is (created, device), or None where another one is stored than expected."""
    if edit.expected is not None:
        unit.edit(project_id)
    old = unit.accounts.device(project_id, edit.device.device_id)
    if not is_unchanged(old, edit.expected):
        return EditResult(None)
    unit.accounts.put_device(project_id, edit.device)
    times = {"created_ms": old.created_ms, "seen_ms": old.seen_ms} if old else {}
    return EditResult((old is None, replace(edit.device, **times)))


def erase_device(edit: EraseDevice, unit: Unit, project_id: str, _: int) -> EditResult:
    """Raises `NotFound`."""
    if unit.accounts.device(project_id, edit.device_id) is None:
        raise NotFound
    unit.accounts.delete_device(project_id, edit.device_id)
    return EditResult(None)


def create_key(edit: CreateKey, unit: Unit, project_id: str, now_ms: int) -> EditResult:
    """The value is (status, the key that was made the first time). Raises as `once` does."""

    def make() -> tuple[int, bytes]:
        unit.accounts.put_key(edit.new.key)
        return 201, msgspec.json.encode(edit.new)

    status, kept = once(unit, project_id, edit.once_key, edit.fingerprint, now_ms, make)
    return EditResult((status, msgspec.json.decode(kept, type=NewKey)))


def revoke_key(edit: RevokeKey, unit: Unit, _: str, now_ms: int) -> EditResult:
    """A revoked key keeps its time."""
    if edit.key.revoked_ms is None:
        unit.accounts.put_key(replace(edit.key, revoked_ms=now_ms))
    return EditResult(None)


def put_project(edit: PutProject, unit: Unit, _: str, __: int) -> EditResult:
    """The value is the project."""
    unit.accounts.put_project(edit.project)
    return EditResult(edit.project, reload=edit.profile_changed)
