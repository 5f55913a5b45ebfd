"""Text files of any encoding and with lines of any length; the encoding is found by looking.

charset-normalizer 3.5 was measured and not taken: it reads `Preis €` in Windows-1252 as Cyrillic
(cp1125) and a German list of stores as mac_iceland, and takes thirty times as long.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from regions.readers.item import ONE_ITEM, FileError

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK = 1 << 20
_GUESSED = {"cp1252": "Windows-1252", "latin-1": "Latin-1"}


def encoding_of(path: Path) -> str:
    """The encoding of a whole text file.

    By its mark, by its zero bytes, UTF-8 if it is, else Windows-1252 or Latin-1.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    found = encoding_of_head(head)
    if found:
        return found
    return next((name for name in ("utf-8", "cp1252") if _decodes(path, name)), "latin-1")


def encoding_of_head(head: bytes) -> str | None:
    """What the first bytes say.

    A byte order mark, or the zero bytes of UTF-16 without one; `None` if they say nothing.
    """
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if len(head) < 4 or b"\0" not in head:
        return None
    odd, even = head[1::2].count(0), head[0::2].count(0)
    if odd > 0.4 * len(head[1::2]) and not even:
        return "utf-16-le"
    if even > 0.4 * len(head[0::2]) and not odd:
        return "utf-16-be"
    return None


def encoding_note(encoding: str) -> tuple[str, ...]:
    """A sentence where the encoding was guessed."""
    return (
        (f"the text is not UTF-8; it was read as {_GUESSED[encoding]}",)
        if encoding in _GUESSED
        else ()
    )


def lines_of(file: TextIO) -> Iterator[str]:
    """The lines of a text with their ends.

    Raises `FileError` for a line beyond the limit and for what cannot be decoded.
    """
    try:
        while line := file.readline(ONE_ITEM):
            if len(line) == ONE_ITEM:
                raise FileError(
                    "too_large",
                    f"one line has more than {ONE_ITEM // 1048576} MB; that is the limit of a line",
                )
            yield line
    except UnicodeError as error:
        raise FileError(
            "broken", "the text is cut off or changes its encoding in the middle"
        ) from error


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as file:
        try:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True
