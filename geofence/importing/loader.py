"""Read the rows of a file one by one, write them in chunks, and count and report each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

import msgspec
import structlog

from geofence.errors import Busy, RecordError
from geofence.importing import cells
from geofence.importing.feature_ids import only_count
from geofence.importing.geofences import geofence_of
from geofence.importing.report import RowError
from geofence.importing.row import Row, unknown_id
from geofence.importing.sheet import Sheet
from geofence.importing.sink import Place, PlacedRow, Put
from geofence.importing.stores import store_of
from geofence.places.editing import ring_id
from regions.readers.item import ROW_SWALLOWED, FileError, Item
from regions.region import RegionError

CHUNK = 2_000
FIELDS = {
    **dict.fromkeys(("lat", "latitude"), "lat"),
    **dict.fromkeys(("lon", "lng", "long", "longitude"), "lon"),
    **dict.fromkeys(("radius", "radius_m", "geometryRadius", "Radius"), "radius"),
}  # the last part of a pointer
SMOOTHED = {
    "wound": "had rings wound the other way round than GeoJSON has them; turned",
    "repeated": "had points that repeat the one before; dropped",
}
CPU_S = 300.0  # of this thread for one file: 100,000 stores take 16, and one area may take 2
PEEK = 100  # rows looked at before the first is taken
NOT_WRITTEN = ("no_store", "unknown_id")  # outcomes of rows that the database refuses

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Loader:
    """Takes in the items of one file.

    Args:
        put: Writes a chunk of rows.
        on_place: Receives every place that was written, or would be.
        progress: Receives the number of rows done so far.
        cpu_s: Seconds of CPU after which the rest of the file is not read.
    """

    sheet: Sheet
    put: Put
    on_place: Callable[[Place], None] = lambda _: None
    progress: Callable[[int], None] = lambda _: None
    cpu_s: float = CPU_S
    spent: bool = False
    """Whether the file cost more than `cpu_s`, so that the rest was not read."""
    _seen: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Id -> number of its first row, and a hash of what that row says."""
    _waiting: list[PlacedRow] = field(default_factory=list)

    def load(self, items: Iterable[Item]) -> None:
        """Take in all items.

        Raises `FileError` when no item can be read, and any other error only while nothing is
        written. Later an error ends the import and goes into the report: a caller that sees an
        exception would assume that nothing is written.
        """
        try:
            self._read(items)
            self._flush()
        except (Busy, RecordError) as error:
            detail = "the record could not take the rest; send the same file again"
            self._break_off(error, RowError(None, error.code, detail))
        except Exception as error:  # noqa: BLE001 - the report must say which rows are written
            detail = "something went wrong in the service; what is counted is in"
            self._break_off(error, RowError(None, "internal", detail))
            log.error("import_failed", error=type(error).__name__)
        self._report_ids()
        self._report_smoothed()
        report = self.sheet.report
        if not report.rows and report.complete:
            what = (
                "there is no line below the names of the columns"
                if report.counted == "line"
                else "the file holds no features"
            )
            report.warn(None, None, "empty", f"{what}: nothing was brought in")

    def _break_off(self, error: Exception, end: RowError) -> None:
        """End early, without the rows that wait; raise the error itself where none is written."""
        report = self.sheet.report
        if isinstance(error, FileError) or not report.put:
            raise error
        report.rows = report.put + report.skipped + report.failed
        report.end(end)

    def _read(self, items: Iterable[Item]) -> None:
        report = self.sheet.report
        until_s = time.thread_time() + self.cpu_s
        try:
            for item in _prepared(iter(items), self.sheet):
                report.rows += 1
                self._take(item)
                if len(self._waiting) >= CHUNK:
                    self._flush()
                self.spent = time.thread_time() > until_s
                if self.spent:
                    detail = (
                        f"the file takes more than {self.cpu_s:g} s to understand; "
                        "the rest was not read: send it in parts"
                    )
                    report.end(RowError(None, "too_costly", detail))
                    break
        except FileError as error:
            if report.rows == 0:
                raise
            report.end(RowError(None, error.code, error.detail))

    def _take(self, item: Item) -> None:
        report = self.sheet.report
        for note in item.notes:
            add = report.warn if note.startswith(ROW_SWALLOWED) else report.repair
            add(item.number, None, "reading", note)
        try:
            self._understand(Row(self.sheet, item, self.sheet.plan(item)))
        except Exception as error:  # noqa: BLE001 - a fault in one row must not cost the others
            log.error("import_row_failed", error=type(error).__name__)
            detail = "something in this row could not be dealt with; it was left out"
            report.fail(item.number, RowError(None, "internal", detail))

    def _understand(self, row: Row) -> None:
        report, item = self.sheet.report, row.item
        if item.error is not None:
            report.fail(item.number, _unread(item.error), row.label())
            return
        try:
            if not self._is_skipped(row):
                place = store_of(row) if report.kind == "stores" else geofence_of(row)
                self._queue(row, place)
        except RowError as error:
            report.fail(item.number, error, row.label())

    def _is_skipped(self, row: Row) -> bool:
        if row.has_ended():
            row.warn("end_date", "closed", "the place is closed for good; left out")
        elif self.sheet.report.kind == "geofences" and _is_ring(row):
            detail = "a ring of a store comes with its store; left out"
            row.warn("external_id", "ring_of_store", detail)
        else:
            return False
        self.sheet.report.skipped += 1
        return True

    def _queue(self, row: Row, place: Place) -> None:
        number = row.item.number
        content = hash(msgspec.msgpack.encode(place))
        first, first_content = self._seen.setdefault(place.external_id, (number, content))
        report = self.sheet.report
        if first == number:
            self._waiting.append(PlacedRow(number, place, row.fields_present()))
        elif first_content == content:
            report.skipped += 1
            detail = f"says the same as {report.counted} {first:,}; left out"
            report.warn(number, "external_id", "duplicate_row", detail)
        else:
            detail = f"has the id of {report.counted} {first:,}, which was taken"
            raise RowError("external_id", "duplicate_id", detail)

    def _flush(self) -> None:
        chunk, self._waiting = self._waiting, []
        report = self.sheet.report
        done = self.put(chunk) if chunk else []
        for one, (outcome, place) in zip(chunk, done, strict=True):
            if outcome in NOT_WRITTEN:
                kind = report.kind.removesuffix("s")
                error = (
                    _without_store(place)
                    if outcome == "no_store"
                    else unknown_id(place.external_id, kind)
                )
                report.fail(one.number, error, place.name or place.external_id)
            else:
                setattr(report, outcome, getattr(report, outcome) + 1)
        for outcome, place in done:  # after counting, so that a failing callback loses no count
            if outcome not in NOT_WRITTEN:
                self.on_place(place)
        self.progress(report.rows)

    def _report_ids(self) -> None:
        sheet, report = self.sheet, self.sheet.report
        if sheet.made_ids:
            rows = "1 row has" if sheet.made_ids == 1 else f"{sheet.made_ids:,} rows have"
            detail = (
                f"{rows} no id; one was made from name and position, the same each time it comes"
            )
            report.warn(None, "external_id", "made_id", detail)
        if sheet.mended_ids:
            many = "1 id" if sheet.mended_ids == 1 else f"{sheet.mended_ids:,} ids"
            detail = f"{many} held a slash, which is for rings of stores; it became a colon"
            report.repair(None, "external_id", "slash_in_id", detail)

    def _report_smoothed(self) -> None:
        sheet, report = self.sheet, self.sheet.report
        for kind, count in sheet.smoothed.items():
            if kind == "wound" and report.format == "shapefile":
                continue  # clockwise is how a Shapefile winds its outer rings
            areas = "1 area" if count == 1 else f"{count:,} areas"
            report.repair(None, "region", "repaired", f"{areas} {SMOOTHED[kind]}")


def _prepared(items: Iterator[Item], sheet: Sheet) -> Iterator[Item]:
    """The items with constants; the sheet has looked at the first ones before the first is given.

    Where the file has no positions, the sheet holds the places that the next items update.
    """
    if sheet.constants:
        items = map(sheet.with_constants, items)
    looked = False
    for chunk in _chunks(items, PEEK if sheet.has_positions else CHUNK):
        if not looked:
            head = chunk[:PEEK]
            sheet.look(head, counted=only_count(head, sheet))
            looked = True
        if not sheet.has_positions:
            sheet.look_up(chunk)
        yield from chunk
    if not looked:
        sheet.look([], counted=False)


def _chunks(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    """The items in lists; an error of the file is raised behind the items before it."""
    broken: FileError | None = None
    while broken is None:
        chunk: list[Item] = []
        try:
            chunk.extend(islice(items, size))
        except FileError as error:
            broken = error
        if chunk:
            yield chunk
        if len(chunk) < size:
            break
    if broken is not None:
        raise broken


def _unread(error: RegionError) -> RowError:
    """The reader's error, about the field that its pointer names."""
    field = FIELDS.get(error.pointer.rpartition("/")[2])
    is_radius = field == "radius" and error.code == "invalid_position"
    return RowError(field, "invalid_radius" if is_radius else error.code, error.detail)


def _without_store(place: Place) -> RowError:
    detail = (
        f"there is no store with the id {cells.quoted(place.store_id)}; bring the stores in first "
        "(kind=stores), or leave the cell empty"
    )
    return RowError("store", "no_store", detail)


def _is_ring(row: Row) -> bool:
    store, ring, own = (cells.text(row.cell(name)) for name in ("store", "ring", "external_id"))
    return store is not None and ring is not None and (own or row.item.id) == ring_id(store, ring)
