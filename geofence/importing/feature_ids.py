"""Whether the ids that a format gives its features are ids at all, or only where they stood in the file they were drawn in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

from geofence.importing.geofences import geofence_of
from geofence.importing.report import Report
from geofence.importing.sheet import Row, Sheet
from geofence.importing.stores import store_of
from regions.readers.item import Item

MOST_DIGITS = 18  # of an id that counts; longer numbers are ids


def only_count(head: Sequence[Item], sheet: Sheet) -> bool:
    """Whether the features are numbered as programs for drawing number what they write.

    Another drawing has these numbers, too.

    From 0 or 1 they count. Any other numbers may be what is left of such a file: they count where
    the record knows places by the ids made without them; where it knows these ids, they are ids;
    else a run counts.
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
    """The ids that the rows get where their own say nothing.

    What is to be told of them is told when they are taken.
    """
    told = sheet.report
    report = Report(told.kind, told.format, told.counted, dry_run=True)
    aside = Sheet(report, sheet.today, sheet.rings, sheet.given, sheet.mark, counted_ids=True)
    for item in head:
        if item.error is None:
            row = Row(aside, item, aside.plan(item))
            with suppress(Exception):  # whatever it is, it is told when the row is taken
                yield (store_of(row) if told.kind == "stores" else geofence_of(row)).external_id
