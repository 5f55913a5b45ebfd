"""Archives made to harm, damaged or packed in a way that has no bound are refused by name."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from pathlib import Path

import pytest

from regions.readers import FileError
from tests.rigs.reader_files import BY_NAME, kml, refused, resident_mb, with_bytes

SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "places_files"


def archive(*entries: tuple[str | zipfile.ZipInfo, bytes], keep: bool = True) -> bytes:
    """The sample's layers, and what was slipped in with them."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(SAMPLES / "places.zip") as good,
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as out,
    ):
        for name in good.namelist() if keep else []:
            out.writestr(name, good.read(name))
        for entry, content in entries:
            out.writestr(entry, content)
    return buffer.getvalue()


def link(name: str, target: bytes) -> tuple[zipfile.ZipInfo, bytes]:
    entry = zipfile.ZipInfo(name)
    entry.create_system, entry.external_attr = 3, 0o120777 << 16
    return entry, target


def lying() -> bytes:
    """Says that its .shp has a hundred bytes, and unpacks to two million."""
    content = archive(("big.shp", struct.pack(">i", 9994) + bytes(2_000_000)), keep=False)
    return content.replace(struct.pack("<I", 2_000_004), struct.pack("<I", 100))


def locked() -> bytes:
    content = bytearray(archive())
    at = content.find(b"PK\x01\x02")
    content[at + 8] |= 1
    return bytes(content)


def overlapping() -> bytes:
    """A directory that names one file a hundred times."""
    content = archive(("one.shp", os.urandom(4000)), keep=False)
    start, end = content.find(b"PK\x01\x02"), content.find(b"PK\x05\x06")
    entry = content[start:end]
    entries = [entry.replace(b"one.shp", f"{nth:03}.shp".encode()) for nth in range(100)]
    directory = b"".join(entries)
    return (
        content[:start]
        + directory
        + b"PK\x05\x06"
        + struct.pack("<HHHHIIH", 0, 0, 100, 100, len(directory), start, 0)
    )


ARCHIVES = {
    "a file of zeros packed a thousand times": (archive(("zeros.dbf", bytes(40_000_000))), "bomb"),
    "more unpacked than any file may have": (
        archive(*((f"{n}.dbf", bytes(52_000_000)) for n in range(6))),
        "bomb",
    ),
    "too many files": (archive(*((f"{n}.txt", b"") for n in range(1_001))), "bomb"),
    "files over one another": (overlapping(), "bomb"),
    "an archive in the archive": (archive(("inner.zip", archive())), "nested_archive"),
    "a name that climbs out": (archive(("../../etc/cron.d/x.shp", b"x")), "path_traversal"),
    "a name that climbs out backwards": (archive(("..\\..\\x.shp", b"x")), "path_traversal"),
    "an absolute name": (archive(("/etc/x.shp", b"x")), "path_traversal"),
    "a drive": (archive(("C:\\x.shp", b"x")), "path_traversal"),
    "a link": (archive(link("export/other.shp", b"/etc/hostname")), "path_traversal"),
    "a password": (locked(), "encrypted"),
    "no layer": (archive(("readme.txt", b"x"), keep=False), "unknown_format"),
    "a layer that is none": (archive(("vector.shp", b"<OGRVRTDataSource/>"), keep=False), "broken"),
}


@pytest.mark.parametrize("what", ARCHIVES)
def test_an_archive_made_to_harm_is_refused_by_name(what: str, tmp_path: Path) -> None:
    content, code = ARCHIVES[what]
    path = with_bytes(tmp_path, content, "upload.zip")
    before = resident_mb()
    error = refused("shapefile", path)
    assert error.code == code, error.detail
    assert resident_mb() - before < 100
    assert [found.name for found in tmp_path.rglob("*")] == ["upload.zip"]


def test_an_archive_that_lies_about_its_sizes_is_stopped_while_it_unpacks(tmp_path: Path) -> None:
    assert refused("shapefile", with_bytes(tmp_path, lying())).code in {"bomb", "broken"}


def packed_otherwise(method: int) -> bytes:
    """A document of 64 MB in less than a hundred kilobytes, which says that it has one."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as out, out.open("doc.kml", "w") as document:
        for _ in range(64):
            document.write(b" " * (1 << 20))
    content = bytearray(buffer.getvalue())
    for mark, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = content.find(mark) + offset
        content[at : at + 4] = struct.pack("<I", 1 << 20)
    return bytes(content)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_archive_packed_by_a_method_that_cannot_be_bounded_is_refused_unopened(
    method: int, tmp_path: Path
) -> None:
    path = with_bytes(tmp_path, packed_otherwise(method))
    assert path.stat().st_size < 100_000
    assert refused("kmz", path).code == "unsafe"


def without_a_name() -> bytes:
    """A directory whose second file is called nothing."""
    content = bytearray(archive(("doc.kml", b"<kml/>"), ("x", b""), keep=False))
    at = content.rfind(b"PK\x01\x02")
    content[at + 28 : at + 34] = struct.pack("<HHH", 0, 0, 1)
    return bytes(content)


def test_an_archive_that_is_damaged_in_any_place_is_refused_and_breaks_nothing(
    tmp_path: Path,
) -> None:
    assert refused("kmz", with_bytes(tmp_path, without_a_name())).code == "broken"
    whole = archive(
        ("doc.kml", kml("<Placemark><Point><coordinates>1,2</coordinates></Point></Placemark>")),
        keep=False,
    )
    for at in range(len(whole)):
        path = with_bytes(tmp_path, whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            list(BY_NAME["kmz"].read(path))
        except FileError as error:
            assert error.detail  # noqa: PT017 - some bytes say nothing, and the file is read


def test_a_kmz_is_checked_like_any_archive(tmp_path: Path) -> None:
    bomb = archive(("doc.kml", b"<kml>" + b" " * 40_000_000), keep=False)
    assert refused("kmz", with_bytes(tmp_path, bomb)).code == "bomb"
    assert (
        refused(
            "kmz", with_bytes(tmp_path, archive(("a.kml", b""), ("b.kml", b""), keep=False))
        ).code
        == "unknown_format"
    )
