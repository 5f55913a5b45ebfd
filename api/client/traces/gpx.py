"""GPX 1.0 and 1.1 (topografix.com/GPX/1/1): the points of its tracks, read as a stream.

One file is one device, named by the file.

XML that declares entities or a document type of its own is refused: a few hundred bytes of those
can grow to gigabytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

import numpy as np
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from api.client.traces.columns import BATCH, Columns, TraceError, moment_ms

NAME = "gpx"
SUFFIXES = (".gpx",)

Point = tuple[int, float, float, float, float]


def read(path: Path) -> Iterator[Columns]:
    """The track points of a GPX file.

    Raises `TraceError` when a point has no time or place, or when there is no point.
    """
    number, waiting = 0, []
    try:
        for point in _points(path):
            number += 1
            waiting.append(_read(path, point, number))
            if len(waiting) == BATCH:
                yield _columns(path, waiting)
                waiting = []
    except ParseError as error:
        raise TraceError(path, f"is not XML ({error})") from error
    except DefusedXmlException as error:
        raise TraceError(
            path, "declares XML entities or a document type, which no recorded walk needs"
        ) from error
    if number == 0:
        raise TraceError(
            path, "holds no track points (routes and waypoints are plans, not recorded walks)"
        )
    if waiting:
        yield _columns(path, waiting)


def _points(path: Path) -> Iterator[Element]:
    """Each `trkpt`, forgotten once it was looked at."""
    segment: Element | None = None
    for event, element in iterparse(str(path), events=("start", "end"), forbid_dtd=True):
        name = element.tag.rpartition("}")[2]
        if event == "start" and name == "trkseg":
            segment = element
        elif event == "end" and name == "trkpt":
            yield element
            if segment is not None:
                segment.clear()


def _read(path: Path, point: Element, number: int) -> Point:
    texts = {
        element.tag.rpartition("}")[2].lower(): (element.text or "").strip()
        for element in point.iter()
    }
    where = f"track point {number}"
    if not texts.get("time"):
        raise TraceError(
            path,
            "has no time, so the moment of passing is unknown; record the walk with times",
            where,
        )
    try:
        # the schema says that times are UTC, so one without an offset is
        ts_ms = moment_ms(texts["time"], utc=True)
        return (
            ts_ms,
            float(point.get("lat", "")),
            float(point.get("lon", "")),
            _number(texts, "accuracy"),
            _number(texts, "speed"),
        )
    except ValueError:
        raise TraceError(path, "lat, lon or time cannot be read", where) from None


def _number(texts: dict[str, str], name: str) -> float:
    return float(texts.get(name) or "nan")


def _columns(path: Path, points: list[Point]) -> Columns:
    table = np.array([point[1:] for point in points], dtype=np.float64).T
    ts_ms = np.array([point[0] for point in points], dtype=np.int64)
    return Columns(
        [path.stem] * len(points),
        ts_ms,
        lat=table[0],
        lon=table[1],
        accuracy_m=table[2],
        speed_mps=table[3],
    )
