"""How lists are read: for each noun its order, its filters, and the sort key that a cursor carries.

| noun      | order (the sort key)    | filters                                                                       |
|-----------|-------------------------|-------------------------------------------------------------------------------|
| stores    | external_id             | id, brand, tag                                                                |
| geofences | external_id             | id, uid, store, ring, tag                                                     |
| devices   | device_id               | id, customer                                                                  |
| events    | stream_seq              | id, device, customer, store, geofence, ring, kind, visit, since, until, descending |
| visits    | arrival_ms and visit_id | id, device, customer, store, geofence, ring, since, until, descending         |
| customers | customer_id             | id, tag                                                                       |
| campaigns | id                      | id, status                                                                    |
| decisions | at_ms and id            | id, customer, campaign, store, device, event, visit, outcome, reason, since, until, descending |
| messages  | created_ms and id       | id, customer, campaign, channel, status, decision, device, since, until, descending |
| attempts  | message_id and attempt  | id (of the message), message, verdict                                         |
| coupons   | issued_ms and code      | id, customer, campaign, status, decision, since, until, descending            |
| traffic   | geofence_id             | since, shorter_ms, at_least: all three, see `_traffic`                        |

A filter takes one value or a list of them, any of which may match; None means no filter. `geofence`
is the retailer's id, `uid` ours. `since` (inclusive) and `until` (exclusive) are epoch ms UTC, of
`ts_ms` for events and of the time in the sort key for all others. `descending` reverses the order.
Events without a `stream_seq` are not yet to be seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import sqlalchemy as sa

from geofence.backends.sql import open_visits, schema, schema_offers
from geofence.backends.sql.rows import columns
from geofence.errors import InputError
from geofence.model.account import Device
from geofence.model.campaign import Campaign
from geofence.model.customer import Customer
from geofence.model.decision import Coupon, Decision
from geofence.model.event import Event
from geofence.model.message import Attempt, OutboxMessage
from geofence.model.place import Geofence, Store
from geofence.model.presence import Visit
from geofence.model.traffic import Traffic

Filter = tuple[str, ...] | list[str] | str | int | bool


@dataclass(frozen=True)
class Noun:
    """A noun's table, its struct, the columns and types of its sort key, its filters by name, and the column of its time."""

    table: sa.Table
    kind: type[msgspec.Struct]
    order: tuple[str, ...]
    key: Any
    equal: Mapping[str, str]
    time: str | None = None
    tags: bool = False
    needs: tuple[str, ...] = field(default=())


_TOLD = {"id": "id", "customer": "customer_id", "campaign": "campaign_id", "device": "device_id"}
_HAPPENED = {
    "device": "device_id",
    "customer": "customer_id",
    "store": "store_id",
    "geofence": "geofence_id",
    "ring": "ring",
}

NOUNS: Mapping[str, Noun] = {
    "stores": Noun(
        schema.stores,
        Store,
        ("external_id",),
        str,
        {"id": "external_id", "brand": "brand"},
        tags=True,
    ),
    "geofences": Noun(
        schema.geofences,
        Geofence,
        ("external_id",),
        str,
        {"id": "external_id", "uid": "uid", "store": "store_id", "ring": "ring"},
        tags=True,
    ),
    "devices": Noun(
        schema.devices, Device, ("device_id",), str, {"id": "device_id", "customer": "customer_id"}
    ),
    "events": Noun(
        schema.events,
        Event,
        ("stream_seq",),
        int,
        _HAPPENED | {"id": "id", "kind": "kind", "visit": "visit_id"},
        time="ts_ms",
        needs=("stream_seq",),
    ),
    "visits": Noun(
        schema.visits,
        Visit,
        ("arrival_ms", "visit_id"),
        tuple[int, str],
        _HAPPENED | {"id": "visit_id"},
        time="arrival_ms",
    ),
    "customers": Noun(
        schema_offers.customers, Customer, ("customer_id",), str, {"id": "customer_id"}, tags=True
    ),
    "campaigns": Noun(
        schema_offers.campaigns, Campaign, ("id",), str, {"id": "id", "status": "status"}
    ),
    "decisions": Noun(
        schema_offers.decisions,
        Decision,
        ("at_ms", "id"),
        tuple[int, str],
        _TOLD
        | {
            "store": "store_id",
            "event": "event_id",
            "visit": "visit_id",
            "outcome": "outcome",
            "reason": "reason",
        },
        time="at_ms",
    ),
    "messages": Noun(
        schema_offers.messages,
        OutboxMessage,
        ("created_ms", "id"),
        tuple[int, str],
        _TOLD | {"channel": "channel", "status": "status", "decision": "decision_id"},
        time="created_ms",
    ),
    "attempts": Noun(
        schema_offers.attempts,
        Attempt,
        ("message_id", "attempt"),
        tuple[str, int],
        {"id": "message_id", "message": "message_id", "verdict": "verdict"},
    ),
    "coupons": Noun(
        schema_offers.coupons,
        Coupon,
        ("issued_ms", "code"),
        tuple[int, str],
        {
            "id": "code",
            "customer": "customer_id",
            "campaign": "campaign_id",
            "status": "status",
            "decision": "decision_id",
        },
        time="issued_ms",
    ),
}


def cursor_key(noun: str, item: msgspec.Struct) -> Any:
    """The sort key of an item: a text, a number or a list of both, to be given back as `after`."""
    values = [getattr(item, name) for name in NOUNS[noun].order]
    return values[0] if len(values) == 1 else values


def query(
    dialect: str, noun: str, project_id: str | None, filters: Mapping[str, Any], after: Any
) -> tuple[type[msgspec.Struct], sa.Select[Any]]:
    """The struct to read, and the select without its limit.

    `InputError` for a filter or sort key that cannot be.
    """
    if noun == "traffic":
        return Traffic, _traffic(str(project_id), after, **filters)
    wanted = NOUNS[noun]
    table = wanted.table
    given = {name: value for name, value in filters.items() if value is not None}
    descending = bool(given.pop("descending", False))
    found = sa.select(*columns(table, wanted.kind))
    found = found if project_id is None else found.where(table.c.project_id == project_id)
    if noun == "events":  # the n-th visit is the visit's to know
        found = found.add_columns(schema.visits.c.visit).outerjoin(
            schema.visits, schema.visits.c.visit_id == table.c.visit_id
        )
    if noun == "visits":
        found = open_visits.with_presences(found)
    found = found.where(*(table.c[name].is_not(None) for name in wanted.needs))
    found = found.where(
        *(_condition(dialect, wanted, name, value) for name, value in given.items())
    )
    if after is not None:
        found = found.where(_past(wanted, after, descending))
    return wanted.kind, found.order_by(
        *(table.c[name].desc() if descending else table.c[name] for name in wanted.order)
    )


def _traffic(
    project_id: str, after: Any, since: int, shorter_ms: int, at_least: int
) -> sa.Select[Any]:
    """Visits by geofence that began since then and ended by a fix outside.

    Only geofences with so many of them.
    """
    visits = schema.visits.c
    short = sa.case((visits.departure_ms - visits.arrival_ms < shorter_ms, 1), else_=0)
    found = sa.select(
        visits.geofence_id, sa.func.count().label("visits"), sa.func.sum(short).label("short")
    ).where(
        visits.project_id == project_id,
        visits.arrival_ms >= since,
        visits.departure_ms.is_not(None),
        visits.inferred.is_(False),
    )
    found = found if after is None else found.where(visits.geofence_id > str(after))
    return (
        found.group_by(visits.geofence_id)
        .having(sa.func.count() >= at_least)
        .order_by(visits.geofence_id)
    )


def _past(wanted: Noun, after: Any, descending: bool) -> sa.ColumnElement[bool]:
    try:
        key = msgspec.convert(after, wanted.key)
    except msgspec.ValidationError:
        raise InputError("The cursor is not one of this list.", code="invalid_cursor") from None
    ordered = [wanted.table.c[name] for name in wanted.order]
    parts = key if isinstance(key, tuple) else (key,)
    place = sa.tuple_(*ordered)
    bound = sa.tuple_(
        *(sa.literal(part, column.type) for part, column in zip(parts, ordered, strict=True))
    )
    return place < bound if descending else place > bound


def _condition(dialect: str, wanted: Noun, name: str, value: Any) -> sa.ColumnElement[bool]:
    if name in wanted.equal:
        return wanted.table.c[wanted.equal[name]].in_(_listed(value))
    if name == "tag" and wanted.tags:
        return _has_tag(dialect, wanted.table.c.tags, _listed(value))
    if name in ("since", "until") and wanted.time and isinstance(value, int):
        time = wanted.table.c[wanted.time]
        return time >= value if name == "since" else time < value
    raise InputError(f"This list has no filter {name}.", code="invalid_filter")


def _listed(value: Any) -> list[str]:
    return (
        [str(item) for item in value]
        if isinstance(value, (list, tuple, set, frozenset))
        else [str(value)]
    )


def _has_tag(
    dialect: str, tags: sa.ColumnElement[Any], wanted: list[str]
) -> sa.ColumnElement[bool]:
    spread = sa.func.jsonb_array_elements_text if dialect == "postgresql" else sa.func.json_each
    held = spread(tags).table_valued("value")
    return sa.exists(sa.select(sa.literal(1)).select_from(held).where(held.c.value.in_(wanted)))
