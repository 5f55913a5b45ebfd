"""Visits, events, and the last number of their stream."""

from __future__ import annotations

import sqlalchemy as sa

from geofence.backends.sql.schema.columns import (
    count,
    flag,
    index_where,
    key,
    metadata,
    number,
    text,
    time_ms,
)

visits = sa.Table(
    "visits",
    metadata,
    key("visit_id"),
    text("project_id"),
    text("device_id"),
    text("geofence_uid"),
    text("geofence_id"),
    text("customer_id", nullable=True),
    text("store_id", nullable=True),
    text("ring", nullable=True),
    time_ms("arrival_ms"),
    time_ms("before_ms", nullable=True),
    time_ms("last_inside_ms"),
    time_ms("departure_ms", nullable=True),
    time_ms("after_ms", nullable=True),
    sa.Column("points", sa.Integer, nullable=False),
    number("best_probability"),
    flag("inferred"),
    flag("amended"),
    text("reason", nullable=True),
    count("visit"),
    sa.Index("ix_visits_pair", "project_id", "device_id", "geofence_uid", "arrival_ms"),
    sa.Index("ix_visits_arrival", "project_id", "arrival_ms"),
)

# a visit may be amended and hold stops several times; those events, and crossings, differ by their
# id alone
_ONCE = "kind IN ('geofence.entered', 'geofence.dwelled', 'geofence.exited')"

events = sa.Table(
    "events",
    metadata,
    key("id"),
    # NULL until the event is numbered (PostgreSQL only)
    sa.Column("stream_seq", sa.BigInteger, unique=True),
    text("project_id"),
    text("kind"),
    text("device_id"),
    text("customer_id", nullable=True),
    text("geofence_uid"),
    text("geofence_id"),
    text("store_id", nullable=True),
    text("ring", nullable=True),
    text("visit_id"),  # empty where no visit was opened
    time_ms("ts_ms"),
    time_ms("recorded_ms"),
    count("place"),  # within its unit of work
    text("profile"),
    number("probability", nullable=True),
    number("edge_m", nullable=True),
    number("accuracy_m", nullable=True),
    number("fix_age_s", nullable=True),
    flag("first_fix"),
    flag("inferred"),
    text("reason", nullable=True),
    number("duration_s", nullable=True),
    count("dwell_s"),
    text("cell", nullable=True),
    time_ms(
        "by_ms", nullable=True
    ),  # the time of its ping, where that is not `ts_ms`; 0 without one
    index_where("uq_events_fact", _ONCE, "visit_id", "kind", "dwell_s", unique=True),
    sa.Index("ix_events_project", "project_id", "stream_seq"),
    sa.Index("ix_events_device", "project_id", "device_id", "ts_ms"),
    index_where("ix_events_by", "by_ms IS NOT NULL", "project_id", "device_id", "by_ms"),
)

counters = sa.Table(  # numbers that only grow, such as the last `stream_seq` given
    "counters",
    metadata,
    key("name"),
    sa.Column("value", sa.BigInteger, nullable=False),
)
