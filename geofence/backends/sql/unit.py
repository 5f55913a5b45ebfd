"""One open transaction on the record."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Self

import sqlalchemy as sa

from geofence.backends.sql import engine as door
from geofence.backends.sql import locks as index_version
from geofence.backends.sql.accounts import SqlAccounts
from geofence.backends.sql.campaigns import SqlCommerce
from geofence.backends.sql.offers import SqlOffers
from geofence.backends.sql.outbox import SqlOutbox
from geofence.backends.sql.places import SqlPlaces
from geofence.backends.sql.presences import SqlPresences
from geofence.backends.sql.state_cache import StateCache
from geofence.errors import RecordError
from geofence.ports import Accounts, Commerce, Offers, Outbox, Places


class SqlUnit:
    """Implements `ports.Unit` on one connection of its own.

    As a context manager it rolls back whatever was not committed. After commit or rollback it is
    closed.
    """

    presences: SqlPresences
    places: Places
    accounts: Accounts
    offers: Offers
    outbox: Outbox
    commerce: Commerce

    def __init__(
        self, engine: sa.Engine, memory: StateCache | None, floors: StateCache | None = None
    ) -> None:
        self._connection = door.connect(engine, writes=True)
        try:
            self._connection.begin()
        except BaseException:
            self._connection.close()
            raise
        self.presences = SqlPresences(self._connection, memory, floors)
        self.places = SqlPlaces(self._connection)
        self.accounts = SqlAccounts(self._connection, self.presences)
        offers = SqlOffers(self._connection)
        self.offers, self.outbox = offers, SqlOutbox(self._connection, self.presences)
        self.commerce = SqlCommerce(self._connection, self.presences, offers)

    @property
    def connection(self) -> sa.Connection:
        """The connection that holds the transaction; for the backend's own modules and tests."""
        return self._connection

    def index_version(self, project_id: str) -> int:
        """The project's index version as this transaction sees it, 0 for an unknown project."""
        return index_version.read(self._connection, project_id)

    def edit(self, project_id: str) -> None:
        """Let nobody else edit this project's places or campaigns until this unit ends.

        Before what the edit rests on is read.
        """
        index_version.edit(self._connection, project_id)

    def hold(self, project_ids: Iterable[str]) -> None:
        """Let no edit of these projects' places or campaigns be committed until this unit ends.

        Before any device is read.
        """
        index_version.hold(self._connection, project_ids)

    def commit(self) -> None:
        """Make it durable, or raise `RecordError` with nothing stored."""
        if self._connection.closed:
            raise RecordError("This unit is closed.")
        try:
            self._connection.commit()
        finally:
            self._connection.close()
        self.presences.committed()

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
