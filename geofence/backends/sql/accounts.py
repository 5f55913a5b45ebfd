"""Projects, keys, devices and remembered answers within a unit."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from geofence.backends.sql import locks
from geofence.backends.sql.rows import COUNTED, columns, from_row, to_row, upsert
from geofence.backends.sql.schema.accounts import idempotency, keys, projects
from geofence.backends.sql.schema.devices import devices, presences
from geofence.backends.sql.schema.journal import events, visits
from geofence.errors import Busy, RecordError
from geofence.model.account import Device, Key, Project
from geofence.model.place import Profile
from geofence.model.presence import DeviceKey
from geofence.ports.hot_state import HotState

KEPT_MS = 24 * 3_600_000

_ERASED_WITH_DEVICE = (presences, visits, events, devices)
_HOT = ("created_ms", "seen_ms")


class SqlAccounts:
    """Implements `ports.accounts.Accounts`."""

    def __init__(self, connection: sa.Connection, hot: HotState) -> None:
        self._connection, self._hot = connection, hot

    def put_project(self, project: Project) -> None:
        """Insert or replace.

        `created_ms` stays, and `index_version` grows with another default profile.
        """
        locks.edit(self._connection, project.id)
        kept = self._connection.execute(
            sa.select(projects.c.profile).where(projects.c.id == project.id)
        ).scalar()
        upsert(
            self._connection,
            projects,
            [to_row(projects, project)],
            keep=("created_ms", "index_version"),
        )
        if kept is not None and msgspec.convert(kept, Profile) != project.profile:
            locks.bump(self._connection, project.id)

    def put_key(self, key: Key) -> None:
        """Insert or replace; `created_ms` stays. `RecordError` when the id is another project's."""
        if not upsert(self._connection, keys, [to_row(keys, key)]):
            raise RecordError("This key id is taken.")

    def device(self, project_id: str, device_id: str) -> Device | None:
        """The device of that id."""
        query = sa.select(*columns(devices, Device)).where(
            devices.c.project_id == project_id, devices.c.device_id == device_id
        )
        row = self._connection.execute(query).mappings().first()
        return from_row(Device, row) if row else None

    def put_device(self, project_id: str, device: Device) -> None:
        """Insert, or replace what an app may set.

        Watermark, position, `created_ms` and `seen_ms` stay.
        """
        key = DeviceKey(project_id, device.device_id)
        # the device's lock before its row, as every unit does: the other order can deadlock
        self._hot.read([key])
        upsert(
            self._connection, devices, [to_row(devices, device, project_id=project_id)], keep=_HOT
        )
        self._hot.assign(key, device.customer_id)

    def delete_device(self, project_id: str, device_id: str) -> None:
        """Erase the device with its presences, visits and events."""
        key = DeviceKey(project_id, device_id)
        self._hot.read([key])  # its lock first, as in `put_device`
        for table in _ERASED_WITH_DEVICE:
            self._connection.execute(
                sa.delete(table).where(
                    table.c.project_id == project_id, table.c.device_id == device_id
                )
            )
        self._hot.drop(key)

    def remember_answer(
        self, project_id: str, key: str, fingerprint: str, status: int, body: bytes, now_ms: int
    ) -> None:
        """Keep the answer to an Idempotency-Key for a day.

        Raises `Busy` when another request with this key was answered meanwhile: sent again, it
        finds that answer.
        """
        insert = (
            postgresql.insert if self._connection.dialect.name == "postgresql" else sqlite.insert
        )(idempotency)
        new = insert.values(
            project_id=project_id,
            key=key,
            fingerprint=fingerprint,
            status=status,
            body=body,
            created_ms=now_ms,
        ).on_conflict_do_update(
            index_elements=["project_id", "key"],
            set_={
                name: insert.excluded[name]
                for name in ("fingerprint", "status", "body", "created_ms")
            },
            where=idempotency.c.created_ms <= now_ms - KEPT_MS,
        )
        if not self._connection.execute(new, execution_options=COUNTED).rowcount:
            raise Busy(
                "Another request with this Idempotency-Key was just answered; send the same again."
            )

    def answer(self, project_id: str, key: str, since_ms: int) -> tuple[str, int, bytes] | None:
        """(fingerprint, status, body) kept for that key since then.

        Other units with this key wait until this one ends.
        """
        locks.answer(self._connection, project_id, key)
        kept = sa.select(idempotency.c.fingerprint, idempotency.c.status, idempotency.c.body).where(
            idempotency.c.project_id == project_id,
            idempotency.c.key == key,
            idempotency.c.created_ms >= since_ms,
        )
        row = self._connection.execute(kept).first()
        return (row.fingerprint, row.status, bytes(row.body)) if row else None
