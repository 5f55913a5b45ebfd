"""A unit of work: one open transaction on the record."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Protocol, Self

from geofence.ports.accounts import Accounts
from geofence.ports.campaigns import Campaigns
from geofence.ports.coupons import Coupons
from geofence.ports.customers import Customers
from geofence.ports.decisions import Decisions
from geofence.ports.hot_state import HotState
from geofence.ports.journal import JournalStore
from geofence.ports.outbox import Outbox
from geofence.ports.places import Places


class Unit(Protocol):
    """One open transaction. As a context manager it rolls back what was not committed."""

    @property
    def hot(self) -> HotState:
        """Devices' states."""

    @property
    def journal(self) -> JournalStore:
        """Events and visits."""

    @property
    def places(self) -> Places:
        """Stores and geofences."""

    @property
    def accounts(self) -> Accounts:
        """Projects, keys, devices."""

    @property
    def customers(self) -> Customers:
        """Customers."""

    @property
    def campaigns(self) -> Campaigns:
        """Campaigns."""

    @property
    def decisions(self) -> Decisions:
        """Decisions."""

    @property
    def coupons(self) -> Coupons:
        """Coupons."""

    @property
    def outbox(self) -> Outbox:
        """Messages on their way."""

    def index_version(self, project_id: str) -> int:
        """The project's index version as this transaction sees it."""

    def edit(self, project_id: str) -> None:
        """Lock the project's places and campaigns against other edits until this unit ends.

        Call it before the reads that the edit rests on.
        """

    def hold(self, project_ids: Iterable[str]) -> None:
        """Delay the commit of other edits of these projects until this unit ends.

        Call it before any device is read.
        """

    def commit(self) -> None:
        """Make it durable.

        Raises:
            RecordError: Nothing was stored.
        """

    def rollback(self) -> None:
        """Forget it."""

    def __enter__(self) -> Self:
        """The unit itself."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Roll back what was not committed."""
