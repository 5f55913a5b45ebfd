"""Whether the ids of features are ids, or only their places in the file they were drawn in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from geofence.importing.geofences import geofence_of
from geofence.importing.report import Report
from geofence.importing.row import Row
from geofence.importing.sheet import Sheet
from geofence.importing.stores import store_of
from regions.readers.item import Item

MOST_DIGITS = 18  # of an id that counts; longer numbers are ids


def only_count(head: Sequence[Item], sheet: Sheet) -> bool:
    """Whether the features are numbered as drawing programs number what they write.

    Such numbers are no ids: the next drawing has the same ones. Numbers that count from 0 or 1 are
    such numbers. Any other numbers may be left from such a file: they are no ids where the
    database knows places by the ids made without them, they are ids where it knows places by
    these, and otherwise a run of them is none.
    """
    said = [item.id for item in head if item.id is not None]
    if (
        not said
        or len(said) < len(head)
        or not all(own.isascii() and own.isdigit() and len(own) <= MOST_DIGITS for own in said)
    ):
        return False
    is_run = all(own == str(nth) for nth, own in enumerate(said, int(said[0])))
    if is_run and said[0] in ("0", "1"):
        return True
    made = sheet.known(list(_made(head, sheet)))
    own = sheet.known(said)
    return len(made) >= len(own) if made or own else is_run and len(said) > 1


def _made(head: Sequence[Item], sheet: Sheet) -> Iterator[str]:
    """The ids that the rows get without their own.

    Notes about these rows are dropped here; taking the rows in reports them.
    """
    kind = sheet.report.kind
    report = Report(kind, sheet.report.format, sheet.report.counted, dry_run=True)
    aside = Sheet(report, sheet.today, sheet.rings, sheet.given, sheet.mark, counted_ids=True)
    for item in head:
        if item.error is None:
            row = Row(aside, item, aside.plan(item))
            with suppress(Exception):  # taking the row in reports it
                yield (store_of(row) if kind == "stores" else geofence_of(row)).external_id
