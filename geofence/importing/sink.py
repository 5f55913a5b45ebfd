"""Where places go.

Onto the street, a chunk in each edit so that pings come in between; or nowhere, but judged all the
same.
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
    """A row that can be put.

    Its number, the store or geofence, and the fields that the file speaks of.
    """

    number: int
    place: Place
    fields_present: frozenset[str]


Put = Callable[[Sequence[PlacedRow]], list[tuple[Outcome, Place]]]


def onto_the_street(street: Writer, project_id: str, kind: Kind) -> Put:
    """Puts a chunk in one edit.

    A street that is busy is asked again for a while; then `Busy` or `RecordError` is raised.
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


def nowhere(queries: Queries, project_id: str, kind: Kind) -> Put:
    """What putting a chunk would do, by what is in the record.

    Nothing is written and the writer is not asked.
    """

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
    """Those of these external ids that a project has."""
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
