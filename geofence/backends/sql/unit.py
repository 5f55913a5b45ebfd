"""One open transaction on the record."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from geofence.backends.sql import engine as engines
from geofence.backends.sql import locks
from geofence.backends.sql.accounts import SqlAccounts
from geofence.backends.sql.campaigns import SqlCampaigns
from geofence.backends.sql.coupons import SqlCoupons
from geofence.backends.sql.customers import SqlCustomers
from geofence.backends.sql.decisions import SqlDecisions
from geofence.backends.sql.device_tables import DeviceTables
from geofence.backends.sql.hot_state import SqlHotState
from geofence.backends.sql.journal import SqlJournal
from geofence.backends.sql.outbox import SqlOutbox
from geofence.backends.sql.places import SqlPlaces
from geofence.errors import RecordError
from geofence.ports.hot_state import HotState


class SqlUnit:
    """Implements `ports.unit.Unit` on one connection of its own.

    As a context manager it rolls back what was not committed. After commit or rollback it is
    closed.
    """

    def __init__(self, engine: sa.Engine, tables: DeviceTables, *, alone: bool) -> None:
        self._connection = engines.connect(engine, writes=True)
        try:
            self._connection.begin()
        except BaseException:
            self._connection.close()
            raise
        self.hot: HotState = SqlHotState(self._connection, tables, alone=alone)
        self.journal = SqlJournal(self._connection)
        self.places = SqlPlaces(self._connection)
        self.accounts = SqlAccounts(self._connection, self.hot)
        self.customers = SqlCustomers(self._connection, self.hot)
        self.campaigns = SqlCampaigns(self._connection)
        self.decisions = SqlDecisions(self._connection)
        self.coupons = SqlCoupons(self._connection)
        self.outbox = SqlOutbox(self._connection, self.hot)

    @property
    def connection(self) -> sa.Connection:
        """The connection that holds the transaction; for the backend's own modules and tests."""
        return self._connection

    def index_version(self, project_id: str) -> int:
        """The project's index version as this transaction sees it, 0 for an unknown project."""
        return locks.read(self._connection, project_id)

    def edit(self, project_id: str) -> None:
        """Lock the project's places and campaigns against other edits until this unit ends.

        Call it before the reads that the edit rests on.
        """
        locks.edit(self._connection, project_id)

    def hold(self, project_ids: Iterable[str]) -> None:
        """Delay the commit of other edits of these projects until this unit ends.

        Call it before any device is read.
        """
        locks.hold(self._connection, project_ids)

    def commit(self) -> None:
        """Make it durable.

        Raises:
            RecordError: Nothing was stored.
        """
        if self._connection.closed:
            raise RecordError("This unit is closed.")
        try:
            self._connection.commit()
        finally:
            self._connection.close()
        self.hot.committed()

    def rollback(self) -> None:
        """Forget it.

        Harmless on a closed unit and on a lost connection, where the database forgets by itself.
        """
        try:
            self._connection.close()
        except RecordError:
            self._connection.invalidate()

    def __enter__(self) -> Self:
        """The unit itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Roll back what was not committed."""
        self.rollback()
