"""CSV with a header: the columns are found by their names, the delimiter by looking.

Without a device column, the file is one device.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from api.client.traces.columns import (
    BATCH,
    Columns,
    TraceError,
    choose,
    epoch_ms,
    moment_ms,
    unknown,
)
from geofence.model.ping import Floats, Times

NAME = "csv"
SUFFIXES = (".csv", ".tsv", ".txt")


def read(path: Path) -> Iterator[Columns]:
    """The rows of a CSV file, in its order.

    Raises `TraceError` with the line for what cannot be read.
    """
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            first = file.readline()
            delimiter = max(",;\t|", key=first.count)
            header = next(csv.reader([first], delimiter=delimiter), [])
            places = {what: header.index(word) for what, word in choose(path, header).items()}
            rows = csv.reader(file, delimiter=delimiter)
            # the header was line 1 and is not counted by this reader
            numbered = ((rows.line_num + 1, row) for row in rows if row)
            while batch := list(itertools.islice(numbered, BATCH)):
                yield _columns(path, batch, places, len(header))
        except UnicodeDecodeError as error:
            raise TraceError(path, "is not UTF-8 text") from error
        except csv.Error as error:
            raise TraceError(path, f"is not CSV ({error})") from error


def _columns(
    path: Path, batch: list[tuple[int, list[str]]], places: dict[str, int], width: int
) -> Columns:
    _refuse_short(path, batch, width)
    lines = [line for line, _ in batch]
    texts = {what: [row[place] for _, row in batch] for what, place in places.items()}
    wanted = ("lat", "lon", "accuracy", "speed")
    numbers = {
        what: _numbers(path, texts[what], lines) if what in texts else unknown(len(batch))
        for what in wanted
    }
    return Columns(
        device_id=texts.get("device") or [path.stem] * len(batch),
        ts_ms=_times(path, texts["time"], lines),
        lat=numbers["lat"],
        lon=numbers["lon"],
        accuracy_m=numbers["accuracy"],
        speed_mps=numbers["speed"],
    )


def _refuse_short(path: Path, batch: list[tuple[int, list[str]]], width: int) -> None:
    for line, row in batch:
        if len(row) < width:
            why = f"{len(row)} columns where the header has {width}"
            raise TraceError(path, why, f"line {line}")


def _numbers(path: Path, texts: Sequence[str], lines: Sequence[int]) -> Floats:
    try:
        return np.array([text or "nan" for text in texts], dtype=np.float64)
    except ValueError:
        bad = next(n for n, text in enumerate(texts) if not _is_number(text or "nan"))
        raise TraceError(path, "not a number where one is expected", f"line {lines[bad]}") from None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _times(path: Path, texts: Sequence[str], lines: Sequence[int]) -> Times:
    if texts and _is_number(texts[0]):
        numbers = _numbers(path, texts, lines)
        if not np.isfinite(numbers).all():
            raise TraceError(
                path, "has no time", f"line {lines[int(np.argmin(np.isfinite(numbers)))]}"
            )
        return epoch_ms(numbers)
    times = np.empty(len(texts), dtype=np.int64)
    for n, text in enumerate(texts):
        try:
            times[n] = moment_ms(text)
        except ValueError as error:
            why = (
                str(error)
                if "offset" in str(error)
                else "not a time; RFC 3339 with offset or a number since 1970 is"
            )
            raise TraceError(path, why, f"line {lines[n]}") from None
    return times
