"""Words that do not belong in what is kept, and ignores that do not argue."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from tests.house.rules.source import Wrong, python_files, texts, wrong

# Spelled in pieces, so that this file does not contain what it looks for.
_HOSTS = (
    "files.python" + "hosted",
    "py" + "pi.org",
    "registry.npm" + "js",
    "deb.de" + "bian.org",
    "crates" + ".io",
    "proxy.go" + "lang",
    "index" + "-url http",
)
_UNFINISHED = ("TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error")

FORBIDDEN: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile("|".join(map(re.escape, _HOSTS))), "names the host of a package registry"),
    (re.compile(r"(?<![\w./~-])/(?:work|farm|root|Users)/[A-Za-z]"), "names a path of one machine"),
    (re.compile(rf"\b(?:{'|'.join(_UNFINISHED)})\b"), "is unfinished"),
    (
        re.compile(r"except[^:\n]*:\s*(?:pass|\.\.\.)\s*$", re.MULTILINE),
        "swallows an error without a word",
    ),
)

_NOQA = re.compile(r"#\s*noqa\b(?::\s*[A-Z]+\d+(?:[,\s]+[A-Z]+\d+)*)?", re.IGNORECASE)
_IGNORE = re.compile(r"#\s*type:\s*ignore(?:\[[^\]]*\])?")


def no_forbidden_words(root: Path) -> Iterator[Wrong]:
    """No registry hosts, no paths of one machine, nothing left for later, no error swallowed."""
    for path in texts(root):
        if path.name.endswith(".lock") or _is_vendored(path):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        for pattern, why in FORBIDDEN:
            for found in pattern.finditer(text):
                yield wrong(
                    root, path, text.count("\n", 0, found.start()) + 1, f"{found.group()!r} {why}"
                )


def _is_vendored(path: Path) -> bool:
    """Whether a file is another project's, unchanged: a SHA256SUMS beside it lists it."""
    sums = path.with_name("SHA256SUMS")
    return sums.is_file() and path.name in sums.read_text(encoding="utf-8").split()


def locks_carry_hashes_and_no_addresses(root: Path) -> Iterator[Wrong]:
    """Every pin has its hashes; where to download from is the machine's business."""
    for path in sorted(root.glob("requirements*.lock")):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if "://" in line or line.lstrip().startswith(
                ("-i", "--index", "--find-links", "--extra-index")
            ):
                yield wrong(root, path, number, "a lock names no address")
            if "==" in line and not line.rstrip().endswith("\\"):
                yield wrong(root, path, number, "a pin without hashes")


def every_ignore_says_why(root: Path) -> Iterator[Wrong]:
    """`noqa` and `type: ignore` are followed by a reason on the same line."""
    for path in python_files(root):
        for number, comment in _comments(path):
            reason = _NOQA.sub(" ", _IGNORE.sub(" ", comment))
            if reason != comment and len(reason.strip(" #:-–—").split()) < 2:
                yield wrong(root, path, number, "an ignore without its reason")


def _comments(path: Path) -> Iterator[tuple[int, str]]:
    source = path.read_text(encoding="utf-8")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
