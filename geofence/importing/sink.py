"""Write the places of an import, one edit for each chunk so that pings come in between.

A dry run compares with the database and writes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from geofence.errors import Busy, RecordError
from geofence.importing.edits import (
    ImportGeofences,
    ImportStores,
    fill_geofences,
    fill_stores,
)
from geofence.importing.report import Kind
from geofence.places import editing
from geofence.places.editing import Outcome
from geofence.ports.listing import GeofenceFilter, StoreFilter
from geofence.ports.queries import Queries
from geofence.street.writer import Writer

PAUSES_S = (0.1, 0.5, 2.0, 5.0)
AT_ONCE = 1_000

Place = Any  # Store or Geofence, as the kind says


class PlacedRow(NamedTuple):
    """A row that is ready to be written.

    `fields_present` are the fields that the file has a column for.
    """

    number: int
    place: Place
    fields_present: frozenset[str]


Put = Callable[[Sequence[PlacedRow]], list[tuple[Outcome, Place]]]


def into_database(street: Writer, project_id: str, kind: Kind) -> Put:
    """A function that writes a chunk in one edit.

    It retries while the writer is busy, for `PAUSES_S`; then it raises `Busy` or `RecordError`.
    """

    def put(chunk: Sequence[PlacedRow]) -> list[tuple[Outcome, Place]]:
        edit = _edit(kind, chunk)
        for pause_s in PAUSES_S:
            try:
                return list(street.submit_edit(project_id, edit).result())
            except (Busy, RecordError):
                time.sleep(pause_s)
        return list(street.submit_edit(project_id, edit).result())

    return put


def dry_run(queries: Queries, project_id: str, kind: Kind) -> Put:
    """A function that says what writing a chunk would do; it writes nothing."""

    def put(chunk: Sequence[PlacedRow]) -> list[tuple[Outcome, Place]]:
        given = [one.place for one in chunk]
        known = known_places(queries, kind, project_id, [one.external_id for one in given])
        if kind == "stores":
            return editing.judge(known, given, _fill(kind, chunk))
        stores = known_places(
            queries,
            "stores",
            project_id,
            sorted({one.store_id for one in given if one.store_id is not None}),
        )
        return editing.judge_geofences(known, stores, given, _fill(kind, chunk))

    return put


def known_places(
    queries: Queries, kind: Kind, project_id: str, names: Sequence[str]
) -> dict[str, Place]:
    """The stores or geofences of a project that have these external ids, by external id."""
    found: dict[str, Place] = {}
    for start in range(0, len(names), AT_ONCE):
        some = names[start : start + AT_ONCE]
        rows: list[Any] = (
            queries.stores.page(project_id, StoreFilter(id=some), None, AT_ONCE)
            if kind == "stores"
            else queries.geofences.page(project_id, GeofenceFilter(id=some), None, AT_ONCE)
        )
        found |= {one.external_id: one for one in rows}
    return found


def _edit(kind: Kind, chunk: Sequence[PlacedRow]) -> ImportStores | ImportGeofences:
    places = [one.place for one in chunk]
    present = [one.fields_present for one in chunk]
    if kind == "stores":
        return ImportStores(stores=places, fields_present=present)
    return ImportGeofences(geofences=places, fields_present=present)


def _fill(kind: Kind, chunk: Sequence[PlacedRow]) -> editing.Fill[Any]:
    edit = _edit(kind, chunk)
    return fill_stores(edit) if isinstance(edit, ImportStores) else fill_geofences(edit)
