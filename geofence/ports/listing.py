"""Lists: their filters, and how they are read page by page.

A filter takes one value or several of which any may match; None is no filter. `geofence` is the
retailer's id, `uid` the service's. `since_ms` (inclusive) and `until_ms` (exclusive) are epoch ms
UTC. `descending` reverses the order.

One more noun with a list touches this module (its filters), `ports/queries.py` and
`backends/sql/queries.py` (its list); its table, migration and route are new files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Protocol, TypeVar

import msgspec

T = TypeVar("T")
F_contra = TypeVar("F_contra", contravariant=True)
F = TypeVar("F")

Among = str | Collection[str] | None
Key = str | int | list[str | int]

PAGE = 1000


class Listing(Protocol[T, F_contra]):
    """The list of one noun: items `T`, filters `F`, in the order of a sort key."""

    noun: str

    def page(
        self, project_id: str | None, filters: F_contra | None, after: Key | None, limit: int
    ) -> list[T]:
        """Up to `limit` items whose sort key comes after `after`.

        `project_id` None asks every project: only for an item whose id cannot be guessed.

        Raises:
            InputError: `after` is no sort key of this list.
        """

    def key(self, item: T) -> Key:
        """The item's sort key: a text, a number, or a list of both."""

    def is_key(self, key: Key) -> bool:
        """Whether this can be a sort key of this list."""


def every(listing: Listing[T, F], project_id: str, filters: F | None = None) -> Iterator[T]:
    """All items of a list, page by page."""
    after = None
    while rows := listing.page(project_id, filters, after, PAGE):
        yield from rows
        if len(rows) < PAGE:
            return
        after = listing.key(rows[-1])


class _Filter(msgspec.Struct, frozen=True, kw_only=True):
    id: Among = None


class _Timed(_Filter, frozen=True, kw_only=True):
    customer: Among = None
    since_ms: int | None = None
    until_ms: int | None = None
    descending: bool = False


class StoreFilter(_Filter, frozen=True, kw_only=True):
    """Stores by external id."""

    brand: Among = None
    tag: Among = None


class GeofenceFilter(_Filter, frozen=True, kw_only=True):
    """Geofences by external id."""

    uid: Among = None
    store: Among = None
    ring: Among = None
    tag: Among = None


class DeviceFilter(_Filter, frozen=True, kw_only=True):
    """Devices by id."""

    customer: Among = None


class KeyFilter(_Filter, frozen=True, kw_only=True):
    """Keys, oldest first."""


class CustomerFilter(_Filter, frozen=True, kw_only=True):
    """Customers by id."""

    tag: Among = None


class CampaignFilter(_Filter, frozen=True, kw_only=True):
    """Campaigns by id."""

    status: Among = None


class VisitFilter(_Timed, frozen=True, kw_only=True):
    """Visits by arrival."""

    device: Among = None
    store: Among = None
    geofence: Among = None
    ring: Among = None


class EventFilter(VisitFilter, frozen=True, kw_only=True):
    """Events by `stream_seq`; an event without one is not listed yet. Times are `ts_ms`."""

    kind: Among = None
    visit: Among = None


class CouponFilter(_Timed, frozen=True, kw_only=True):
    """Coupons by time of issue."""

    campaign: Among = None
    status: Among = None
    decision: Among = None


class DecisionFilter(_Timed, frozen=True, kw_only=True):
    """Decisions by time."""

    campaign: Among = None
    device: Among = None
    store: Among = None
    event: Among = None
    visit: Among = None
    outcome: Among = None
    reason: Among = None


class MessageFilter(_Timed, frozen=True, kw_only=True):
    """Messages by creation."""

    campaign: Among = None
    device: Among = None
    channel: Among = None
    status: Among = None
    decision: Among = None


class AttemptFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Attempts by message and number."""

    message: Among = None
    verdict: Among = None


class TrafficFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which visits count for `Queries.traffic`, the use of geofences.

    Those that began since `since_ms` and ended by a fix outside, at geofences with `at_least` such
    visits; a visit shorter than `shorter_ms` is short.
    """

    since_ms: int
    shorter_ms: int
    at_least: int
