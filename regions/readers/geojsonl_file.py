"""Newline-delimited GeoJSON, and text sequences of it (RFC 8142).

One Feature, geometry or place on each line.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from regions.readers.geojson_file import feature_out, left_out_notes, losses_of
from regions.readers.item import Item, bounded
from regions.readers.text.dialects import item_of
from regions.readers.text.encoding import lines_of
from regions.readers.text.json_stream import is_lines, opened
from regions.readers.values import to_json
from regions.region import RegionError

NAME = "geojsonl"
SUFFIXES = (".geojsonl", ".geojsons", ".ndjson", ".jsonl", ".geojsonseq")
MEDIA = ("application/geo+json-seq", "application/x-ndjson", "application/jsonl")
COUNTED: Literal["line"] = "line"

_SEPARATOR = "\x1e"  # before each record of a text sequence


def sniff(head: bytes, suffix: str) -> bool:
    """A record separator first.

    Or lines of which the first two are whole JSON objects; or one, if it is called so.
    """
    by_line = is_lines(head)
    if by_line is None:
        return suffix in SUFFIXES and head.decode("utf-8", errors="replace").lstrip(
            "\ufeff \r\n\t"
        ).startswith("{")
    return by_line


def read(path: Path) -> Iterator[Item]:
    """The records of a file, one by one.

    A line that cannot be read has its error and its number; the others go on.
    """
    with opened(path) as file:
        yield from bounded(_items(lines_of(file)))


def _items(lines: Iterator[str]) -> Iterator[Item]:
    """One item a line.

    A record that a separator starts may run over several lines and counts where it starts.
    """
    held: list[str] = []
    start = 0
    for number, line in enumerate(lines, 1):
        text = line.lstrip("\ufeff") if number == 1 else line
        if text.startswith(_SEPARATOR):
            yield from _item(start, held)
            held, start = [text[1:]], number
        elif start:
            held.append(text)
        else:
            yield from _item(number, [text])
    yield from _item(start, held)


def _item(number: int, lines: list[str]) -> Iterator[Item]:
    text = "".join(lines)
    if not text.strip():
        return
    try:
        yield item_of(number, json.loads(text))
    except RecursionError:
        yield Item(
            number, {}, None, error=RegionError("nested_too_deep", "the line is nested too deep")
        )
    except ValueError:
        yield Item(
            number, {}, None, error=RegionError("not_json", "the line is not JSON, or cut off")
        )


def write(items: Iterable[Item], path: Path) -> tuple[str, ...]:
    """One Feature on each line, without separators: what most programs read."""
    losses: dict[str, None] = {}
    left_out = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        for item in bounded(items):
            if item.error is not None:
                left_out += 1
                continue
            losses.update(dict.fromkeys(losses_of(item)))
            file.write(to_json(feature_out(item)) + "\n")
    return (*losses, *left_out_notes(left_out))
