"""Words that do not belong in what is kept, and ignores that do not argue."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from tests.rules.rules.source import FLOORS, Wrong, python_files, texts, wrong

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


# Words of an older vocabulary, and the word to use instead. A pattern matches whole words.
RETIRED: dict[str, str] = {
    r"houses?": "a building; services; a rule of the tree",
    r"doors?": "route, entrance, HTTP",
    r"drawers?": "family, folder",
    r"(?<!in )front": "middleware",
    r"crews?": "processes, pool",
    r"scribes?": "journal",
    r"parcels?": "batch",
    r"errands?": "job",
    r"night shift": "worker",
    r"bystanders?": "reader of the event stream",
    r"whoever|whomever": "the noun: customer, device, client",
    r"nobody|somebody|anybody": "the noun: customer, device, client",
    r"told": "reported, sent, listed, warned",
    r"anew": "again",
}
# Names of the code that have gone; they stand in documents as code.
RETIRED_NAMES = (
    "TryOut", "SaidOut", "MessageStoryOut", "ForgottenOut", "ErasedOut", "kept_without_a_name",
    "Scribe", "Follower", "Passages", "Happening", "Proposer", "bring_in", "Parcel",
)  # fmt: skip
# Where a retired word is right: (path, word). Data of other programs, or a text that shoppers read.
RETIRED_EXCEPT: frozenset[tuple[str, str]] = frozenset(
    {
        ("geofence/model/presence.py", "told"),  # the key under which stored blobs hold the field
        ("geofence/importing/address.py", "house"),  # the number of a house in an address
    }
)

_PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CODE_OF_CONDUCT.md",
    "docs",
    "examples",
    ".github",
)
_CODE = re.compile(r"`[^`\n]*`|\]\([^)\s]*\)|<!--.*?-->")
_RETIRED = re.compile("|".join(rf"\b(?:{word})\b" for word in RETIRED), re.IGNORECASE)
# A simulated store has a door, and a web page a front: both stand for things in the code.
_RETIRED_IN_CODE = re.compile(
    "|".join(rf"\b(?:{word})\b" for word in RETIRED if "door" not in word and "front" not in word),
    re.IGNORECASE,
)
_PARTS = re.compile(r"_|(?<=[a-z])(?=[A-Z])")  # of a name: `at_house`, `AtHouse`
_RETIRED_NAMES = re.compile(rf"\b(?:{'|'.join(RETIRED_NAMES)})\b")


def no_retired_words_in_documents(root: Path) -> Iterator[Wrong]:
    """Documents use the words of the glossary. Code, links and data in backticks are left out."""
    for path in texts(root):
        name = path.relative_to(root).as_posix()
        if name.endswith((".md", ".yml")) and name.startswith(_PAGES):
            found = [
                one for one in _retired_in(path) if (name, one[1].lower()) not in RETIRED_EXCEPT
            ]
            yield from (
                wrong(root, path, line, f"{word!r} is retired: {_instead(word.lower())}")
                for line, word in found
            )


def no_retired_words_in_code(root: Path) -> Iterator[Wrong]:
    """Names, comments and texts of the code use the words of the glossary, too."""
    for path in python_files(root, *FLOORS, "bench", "examples"):
        name = path.relative_to(root).as_posix()
        spoken = ((line, one.group()) for line, text in _spoken(path) for one in _spot(text))
        for line, word in spoken:
            if (name, word.lower()) not in RETIRED_EXCEPT:
                yield wrong(root, path, line, f"{word!r} is retired: {_instead(word.lower())}")


def _spot(text: str) -> Iterator[re.Match[str]]:
    return _RETIRED_IN_CODE.finditer(text)


def _spoken(path: Path) -> Iterator[tuple[int, str]]:
    """Each name, comment and text of a file with its line; names in their parts."""
    source = path.read_text(encoding="utf-8")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME:
            yield token.start[0], _PARTS.sub(" ", token.string)
        elif token.type in (tokenize.COMMENT, tokenize.STRING):
            yield token.start[0], token.string


def _retired_in(path: Path) -> Iterator[tuple[int, str]]:
    """Each retired word of a document with its line."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        for found in (*_RETIRED.finditer(_CODE.sub(" ", line)), *_RETIRED_NAMES.finditer(line)):
            yield number, found.group()


def _instead(word: str) -> str:
    for pattern, better in RETIRED.items():
        if re.fullmatch(pattern, word):
            return better
    return "this name is gone from the code"
