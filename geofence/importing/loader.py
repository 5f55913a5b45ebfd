"""The rows of a file, one after the other: understood, put in chunks, counted, told."""

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
from geofence.importing.sheet import Row, Sheet
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

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Loader:
    """Takes the items of one file in.

    `saw` hears of every place that was put or would be, `tell` of rows done so far.
    """

    sheet: Sheet
    put: Put
    saw: Callable[[Place], None] = lambda _: None
    tell: Callable[[int], None] = lambda _: None
    cpu_s: float = CPU_S
    spent: bool = False
    """Whether the file cost more than that, and was left."""
    _seen: dict[str, tuple[int, int]] = field(default_factory=dict)
    _waiting: list[PlacedRow] = field(default_factory=list)

    def load(self, items: Iterable[Item]) -> None:
        """Everything there is.

        Raises `FileError` when no item can be read, and whatever stops it before anything was put.

        Once rows are in, nothing is raised: whoever hears of an error would think that nothing is.
        """
        report = self.sheet.report
        try:
            self._read(items)
            self._flush()
        except (Busy, RecordError) as error:
            self._break_off(
                error,
                RowError(
                    None, error.code, "the record could not take the rest; send the same file again"
                ),
            )
        except Exception as error:  # noqa: BLE001 - what nobody thought of must not hide what is in
            self._break_off(
                error,
                RowError(
                    None, "internal", "something went wrong in the service; what is counted is in"
                ),
            )
            log.error("import_broke", error=type(error).__name__)
        self._tell_of_ids()
        self._tell_of_smoothed()
        if not report.rows and report.complete:
            what = (
                "there is no line below the names of the columns"
                if report.counted == "line"
                else "the file holds no features"
            )
            report.warn(None, None, "empty", f"{what}: nothing was brought in")

    def _break_off(self, error: Exception, told: RowError) -> None:
        """End early, the rows that wait uncounted; where none is in, raise the error itself."""
        report = self.sheet.report
        if isinstance(error, FileError) or not report.put:
            raise error
        report.rows = report.put + report.skipped + report.failed
        report.end(told)

    def _read(self, items: Iterable[Item]) -> None:
        report = self.sheet.report
        until_s = time.thread_time() + self.cpu_s
        try:
            for item in _looked_at(iter(items), self.sheet):
                report.rows += 1
                self._take(item)
                if len(self._waiting) >= CHUNK:
                    self._flush()
                self.spent = time.thread_time() > until_s
                if self.spent:
                    detail = f"the file takes more than {self.cpu_s:g} s to understand; the rest was not read: send it in parts"
                    report.end(RowError(None, "too_costly", detail))
                    break
        except FileError as error:
            if report.rows == 0:
                raise
            report.end(RowError(None, error.code, error.detail))

    def _take(self, item: Item) -> None:
        report = self.sheet.report
        for note in item.notes:
            tell = report.warn if note.startswith(ROW_SWALLOWED) else report.repair
            tell(item.number, None, "reading", note)
        try:
            self._understand(Row(self.sheet, item, self.sheet.plan(item)))
        except Exception as error:  # noqa: BLE001 - a row that nobody thought of costs itself, not the others
            log.error("row_broke", error=type(error).__name__)
            report.fail(
                item.number,
                RowError(
                    None,
                    "internal",
                    "something in this row could not be dealt with; it was left out",
                ),
            )

    def _understand(self, row: Row) -> None:
        report, item = self.sheet.report, row.item
        if item.error is not None:
            report.fail(item.number, _unread(item.error), row.called())
            return
        try:
            if not self._is_skipped(row):
                place = store_of(row) if report.kind == "stores" else geofence_of(row)
                self._queue(row, place)
        except RowError as error:
            report.fail(item.number, error, row.called())

    def _is_skipped(self, row: Row) -> bool:
        if row.has_ended():
            row.warn("end_date", "closed", "the place is closed for good; left out")
        elif self.sheet.report.kind == "geofences" and _is_ring(row):
            row.warn(
                "external_id", "ring_of_store", "a ring of a store comes with its store; left out"
            )
        else:
            return False
        self.sheet.report.skipped += 1
        return True

    def _queue(self, row: Row, place: Place) -> None:
        number = row.item.number
        print_ = hash(msgspec.msgpack.encode(place))
        first = self._seen.setdefault(place.external_id, (number, print_))
        report = self.sheet.report
        if first[0] == number:
            self._waiting.append(PlacedRow(number, place, row.fields_present()))
        elif first[1] == print_:
            report.skipped += 1
            report.warn(
                number,
                "external_id",
                "duplicate_row",
                f"says the same as {report.counted} {first[0]:,}; left out",
            )
        else:
            raise RowError(
                "external_id",
                "duplicate_id",
                f"has the id of {report.counted} {first[0]:,}, which was taken",
            )

    def _flush(self) -> None:
        chunk, self._waiting = self._waiting, []
        report = self.sheet.report
        done = self.put(chunk) if chunk else []
        for one, (outcome, place) in zip(chunk, done, strict=True):
            if outcome == "no_store":
                report.fail(one.number, _without_store(place), place.name or place.external_id)
            else:
                setattr(report, outcome, getattr(report, outcome) + 1)
        for outcome, place in done:  # only now: whatever comes of it, they are counted
            if outcome != "no_store":
                self.saw(place)
        self.tell(report.rows)

    def _tell_of_ids(self) -> None:
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

    def _tell_of_smoothed(self) -> None:
        sheet, report = self.sheet, self.sheet.report
        for kind, count in sheet.smoothed.items():
            if kind == "wound" and report.format == "shapefile":
                continue  # clockwise is how a Shapefile winds its outer rings
            areas = "1 area" if count == 1 else f"{count:,} areas"
            report.repair(None, "region", "repaired", f"{areas} {SMOOTHED[kind]}")


def _looked_at(items: Iterator[Item], sheet: Sheet) -> Iterator[Item]:
    """The same items; the sheet has seen the first ones before any is given."""
    head: list[Item] = []
    broken: FileError | None = None
    try:
        head.extend(islice(items, PEEK))
    except FileError as error:
        broken = error
    sheet.look(head, counted=only_count(head, sheet))
    yield from head
    if broken is not None:
        raise broken
    yield from items


def _unread(error: RegionError) -> RowError:
    """What the reader says, about the field that it speaks of."""
    field = FIELDS.get(error.pointer.rpartition("/")[2])
    code = (
        "invalid_radius" if field == "radius" and error.code == "invalid_position" else error.code
    )
    return RowError(field, code, error.detail)


def _without_store(place: Place) -> RowError:
    detail = f"there is no store with the id {cells.quoted(place.store_id)}; bring the stores in first (kind=stores), or leave the cell empty"
    return RowError("store", "no_store", detail)


def _is_ring(row: Row) -> bool:
    store, ring, own = (cells.text(row.cell(name)) for name in ("store", "ring", "external_id"))
    return store is not None and ring is not None and (own or row.item.id) == ring_id(store, ring)
