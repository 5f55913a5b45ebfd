"""One JSON value of any size, read piece by piece: members of an object, items of its lists.

ijson 3.6 was measured and not taken: it is as fast, but copies its prefix at every level, so
that 40 kB of nested brackets cost 4.7 s and 717 MB, and it reads neither UTF-16 nor a byte order
mark. Here such a text ends at Python's own limit of recursion.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from regions.readers.item import ITEMS, ONE_ITEM, FileError, not_found, too_many
from regions.readers.text.encoding import encoding_of_head

# Members of an object whose items are places: GeoJSON, Radar, Amazon Location, Tile38 (SCAN, and
# SCAN ... POINTS).
LISTS = ("features", "geofences", "Entries", "objects", "points")
_CHUNK = 1 << 18
_MEMBERS = 1_000
_BLANK = " \t\r\n"


class Piece(NamedTuple):
    """A member of the outermost object, or an item of a list in it or of the outermost array.

    `nth` is None for a member and counts the items of a list from 1; before the first one comes a
    piece whose `nth` is 0.
    """

    name: str
    nth: int | None
    value: Any


@contextmanager
def opened(path: Path) -> Iterator[TextIO]:
    """A file of JSON text: UTF-8, with or without a mark, or UTF-16. Raises `FileError`."""
    try:
        with path.open("rb") as binary:
            encoding = encoding_of_head(binary.read(4096)) or "utf-8"
        with path.open(encoding=encoding) as file:
            yield file
    except UnicodeError as error:
        raise FileError("broken", "the text is not UTF-8, which JSON must be") from error
    except OSError as error:
        raise not_found() from error


def is_lines(head: bytes) -> bool | None:
    """Whether a text holds one JSON object on each line.

    By the first two of its lines; `None` where there is only one.
    """
    text = head.decode("utf-8", errors="replace").lstrip("\ufeff \r\n\t")
    if text.startswith("\x1e"):
        return True
    lines = [line for line in text.split("\n", 64)[:64] if line.strip()]
    if len(lines) < 2:
        return None
    return lines[1].startswith("{") and _is_object(lines[0])


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def pieces(file: TextIO) -> Iterator[Piece]:
    """The pieces of the value, in their order.

    Raises `FileError` for what is not JSON, cut off, or beyond the limits.
    """
    text = _Text(file)
    opener = text.peek()
    if opener == "[":
        yield from _array(text, "")
    elif opener == "{":
        yield from _object(text)
    else:
        raise FileError(
            "broken" if opener else "empty",
            "the text does not start with an object or an array" if opener else "it is empty",
        )
    if text.peek():
        raise FileError(
            "broken",
            "more follows after the end of the JSON value; "
            "one value on each line is GeoJSONL (.geojsonl)",
        )


def _object(text: _Text) -> Iterator[Piece]:
    text.take("{")
    taken = 0
    for count in range(_MEMBERS):
        if count == 0 and text.peek() == "}":
            break
        name = text.value()
        if not isinstance(name, str):
            raise FileError("broken", "the text is not JSON: a member without a name")
        text.take(":")
        if name in LISTS and text.peek() == "[":
            yield from _array(text, name)
        else:
            value = text.value()
            taken += text.last
            if taken > ONE_ITEM:
                raise FileError(
                    "too_large",
                    f"what is beside the places has more than {ONE_ITEM // 1048576} MB, "
                    "or is one place of that size",
                )
            yield Piece(name, None, value)
        if text.peek() != ",":
            break
        text.take(",")
    text.take("}")


def _array(text: _Text, name: str) -> Iterator[Piece]:
    text.take("[")
    yield Piece(name, 0, None)
    if text.peek() == "]":
        text.take("]")
        return
    for nth in range(1, ITEMS + 2):
        if nth > ITEMS:
            raise too_many()
        yield Piece(name, nth, text.value(f"item {nth:,}"))
        if text.peek() != ",":
            break
        text.take(",")
    text.take("]")


class _Text:
    """A window on a text that moves on; a value must fit into it."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.last = 0  # characters of the last value
        self._window = ""
        self._at = 0
        self._ended = False
        self._decode = json.JSONDecoder().raw_decode

    def peek(self) -> str:
        """The next character that is not blank; nothing at the end."""
        while True:
            while self._at < len(self._window) and self._window[self._at] in _BLANK:
                self._at += 1
            if self._at < len(self._window):
                return self._window[self._at]
            if not self._more():
                return ""

    def take(self, character: str) -> None:
        """Move past this character, which must be the next."""
        found = self.peek()
        if found != character:
            raise FileError(
                "broken",
                "the file is cut off"
                if not found
                else f"the text is not JSON: {character} is missing",
            )
        self._at += 1

    def value(self, what: str = "a member") -> Any:
        """Move past one whole value."""
        if not self.peek():
            raise FileError("broken", "the file is cut off")
        while True:
            try:
                found, end = self._decode(self._window, self._at)
                if end < len(self._window) or self._ended:
                    self.last, self._at = end - self._at, end
                    return found
            except RecursionError as error:
                raise FileError("broken", f"{what} is nested too deep") from error
            except ValueError as error:
                if self._ended:
                    raise FileError(
                        "broken", f"the text is not JSON, or cut off, in {what}"
                    ) from error
            if len(self._window) - self._at > ONE_ITEM:
                raise FileError(
                    "too_large", f"{what} has more than {ONE_ITEM // 1048576} MB, or is not JSON"
                )
            self._more()

    def _more(self) -> bool:
        """Read on, more the more is waiting; drop what is past."""
        waiting = self._window[self._at :]
        fresh = self._file.read(max(_CHUNK, len(waiting)))
        self._window, self._at = waiting + fresh, 0
        self._ended = not fresh
        return bool(fresh)
