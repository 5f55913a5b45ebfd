"""Files made to harm: each is refused by the name of what it tries, before it costs anything."""

from __future__ import annotations

import io
import json
import os
import struct
import zipfile
from pathlib import Path

import geopandas as gpd
import pyarrow as pa
import pyarrow.parquet as pq
import pyogrio
import pytest
import shapely

from regions.readers import FileError, format_of, formats
from regions.readers.item import BYTES, ONE_ITEM

SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "places_files"
BY_NAME = {form.NAME: form for form in formats()}


def refused(name: str, path: Path) -> FileError:
    with pytest.raises(FileError) as caught:
        list(BY_NAME[name].read(path))
    return caught.value


def with_bytes(folder: Path, content: bytes, name: str = "upload") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def resident_mb() -> float:
    """Memory of this process now."""
    return (
        int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1048576
    )


# ---- archives


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


# ---- XML


def kml(body: str, before: str = "") -> bytes:
    return f'<?xml version="1.0"?>{before}<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{body}</Document></kml>'.encode()


LAUGHS = (
    "<!DOCTYPE k [<!ENTITY a 'haha'>"
    + "".join(f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9))
    + "]>"
)
DOCUMENTS = {
    "entities that grow": (
        kml("<Placemark><name>&j;</name></Placemark>", LAUGHS),
        "external_entity",
    ),
    "a file as an entity": (
        kml("<name>&x;</name>", "<!DOCTYPE k [<!ENTITY x SYSTEM 'file:///etc/hostname'>]>"),
        "external_entity",
    ),
    "a DTD elsewhere": (
        kml("", "<!DOCTYPE k SYSTEM 'http://127.0.0.1:9/x.dtd'>"),
        "external_entity",
    ),
    "a link to an address": (
        kml("<NetworkLink><Link><href>http://127.0.0.1:9/</href></Link></NetworkLink>"),
        "network_link",
    ),
    "a link after a place": (kml("<Placemark/><Folder><NetworkLink/></Folder>"), "network_link"),
    "elements without end": (kml("<Folder>" * 5_000), "broken"),
    "a place of a million parts": (
        kml(f"<Placemark><MultiGeometry>{'<Point/>' * 200_000}</MultiGeometry></Placemark>"),
        "too_large",
    ),
    "an encoding nobody knows": (b'<?xml version="1.0" encoding="x-nonsense"?><kml/>', "broken"),
    "another document": (
        b"<?xml version='1.0'?><gpx><wpt lat='1' lon='2'/></gpx>",
        "unknown_format",
    ),
    "only its beginning": (kml("<Placemark><name>x</name></Placemark>")[:-20], "broken"),
}


@pytest.mark.parametrize("what", DOCUMENTS)
def test_a_kml_document_made_to_harm_is_refused_before_its_first_item(
    what: str, tmp_path: Path
) -> None:
    content, code = DOCUMENTS[what]
    before = resident_mb()
    with pytest.raises(FileError) as caught:
        next(iter(BY_NAME["kml"].read(with_bytes(tmp_path, content))))
    assert caught.value.code == code
    assert resident_mb() - before < 100


# ---- JSON

NESTED = (
    b"[" * 200_000,
    b'{"a":' * 200_000,
    b'{"type":"Feature","geometry":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
)


@pytest.mark.parametrize("name", ["geojson", "geojsonl"])
@pytest.mark.parametrize(
    "content",
    [
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b'{"type":"Feature","geometry":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    ],
)
def test_json_nested_without_end_is_an_error_in_words(
    name: str, content: bytes, tmp_path: Path
) -> None:
    path = with_bytes(tmp_path, content)
    if name == "geojson":
        assert refused(name, path).code == "broken"
    else:
        (item,) = BY_NAME[name].read(path)
        assert item.error is not None and item.error.code in {"nested_too_deep", "not_json"}  # noqa: PT018 - one claim


def test_properties_nested_too_deep_spoil_their_own_item_alone(tmp_path: Path) -> None:
    deep: object = 1
    for _ in range(200):
        deep = [deep]
    places = [{"type": "Feature", "geometry": None, "properties": {"x": x}} for x in (1, deep, 3)]
    path = with_bytes(
        tmp_path, json.dumps({"type": "FeatureCollection", "features": places}).encode()
    )
    codes = [item.error and item.error.code for item in BY_NAME["geojson"].read(path)]
    assert codes == [None, "nested_too_deep", None]


@pytest.mark.parametrize(
    "number",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "9" * 4_000,
        "1" + "0" * 400,
        '"16.3"',
        "true",
        "null",
        "[1]",
    ],
)
@pytest.mark.parametrize(
    "shape",
    [
        '{"type":"Point","coordinates":[#,48]}',
        '{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,#],[0,0]]]}',
    ],
)
def test_a_coordinate_that_is_no_number_spoils_its_own_item_alone(
    number: str, shape: str, tmp_path: Path
) -> None:
    bad, good = shape.replace("#", number), shape.replace("#", "1")
    text = ",".join(
        f'{{"type":"Feature","geometry":{geometry},"properties":{{}}}}'
        for geometry in (good, bad, good)
    )
    items = list(
        BY_NAME["geojson"].read(
            with_bytes(tmp_path, f'{{"type":"FeatureCollection","features":[{text}]}}'.encode())
        )
    )
    assert [item.error and item.error.code for item in items] == [None, "invalid_position", None]
    assert number not in items[1].error.detail or len(number) < 5


def test_one_feature_of_fifty_megabytes_is_refused_and_costs_little(tmp_path: Path) -> None:
    path = with_bytes(
        tmp_path,
        b'{"type":"Feature","properties":{"x":"' + b"x" * 50_000_000 + b'"},"geometry":null}',
    )
    before = resident_mb()
    assert refused("geojson", path).code == "too_large"
    assert refused("geojsonl", path).code == "too_large"
    assert refused("csv", path).code in {"too_large", "broken"}
    assert resident_mb() - before < 200


def test_fifty_megabytes_on_one_line_are_read_when_they_are_many_features(tmp_path: Path) -> None:
    feature = (
        b'{"type":"Feature","geometry":{"type":"Point","coordinates":[1,2]},"properties":{"x":"'
        + b"x" * 25_000
        + b'"}}'
    )
    path = with_bytes(
        tmp_path, b'{"type":"FeatureCollection","features":[' + b",".join([feature] * 2_000) + b"]}"
    )
    before = resident_mb()
    assert sum(item.error is None for item in BY_NAME["geojson"].read(path)) == 2_000
    assert resident_mb() - before < 100


# ---- limits that hold for all


def test_members_beside_the_places_are_bounded_together(tmp_path: Path) -> None:
    path = tmp_path / "upload"
    member = json.dumps("x" * 1_000_000)
    members = ",".join(f'"note{nth}":{member}' for nth in range(9))
    path.write_text(f'{{"type":"FeatureCollection",{members},"features":[]}}')
    with pytest.raises(FileError) as caught:
        list(format_of(path, "geojson").read(path))
    assert caught.value.code == "too_large"


def test_more_than_a_million_items_are_refused(tmp_path: Path) -> None:
    assert (
        refused("geojson", with_bytes(tmp_path, b"[" + b"0," * 1_000_000 + b"0]")).code
        == "too_many_items"
    )


def test_a_file_beyond_the_limit_of_bytes_is_refused_unread(tmp_path: Path) -> None:
    path = with_bytes(tmp_path, b'{"type":')
    os.truncate(path, BYTES + 1)
    with pytest.raises(FileError) as caught:
        format_of(path)
    assert caught.value.code == "too_large"
    assert ONE_ITEM < BYTES


# ---- what a library might open on a file's word

VRT = b'<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/etc/hostname</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'


@pytest.mark.parametrize(
    "name",
    [
        "places.gpkg",
        "places.fgb",
        "places.zip",
        "places.kml",
        "places.csv",
        "places.parquet",
        "places.geojson",
        "vrt",
    ],
)
def test_a_file_that_points_at_other_files_is_of_no_format_whatever_its_name(
    name: str, tmp_path: Path
) -> None:
    path = with_bytes(tmp_path, VRT, name)
    try:
        form = format_of(path)
    except FileError as error:
        assert error.code == "unknown_format"  # noqa: PT017 - one of two ways to say no
        return
    assert refused(form.NAME, path).code == "unknown_format"


@pytest.mark.parametrize(
    "name", ["geopackage", "flatgeobuf", "geoparquet", "shapefile", "kmz", "kml"]
)
def test_a_reader_refuses_what_another_driver_would_take(name: str, tmp_path: Path) -> None:
    for content in (
        VRT,
        b"/vsicurl/http://127.0.0.1:9/x.gpkg",
        (SAMPLES / "places.geojson").read_bytes(),
        b"MYSQL:x",
    ):
        assert refused(name, with_bytes(tmp_path, content)).code in {"broken", "unknown_format"}


def test_a_parquet_file_that_unpacks_to_gigabytes_is_an_error_in_words(tmp_path: Path) -> None:
    """Half a megabyte: one long text, said to stand in every row."""
    text = pa.DictionaryArray.from_arrays(
        pa.array([0] * 300_000, pa.int32()), pa.array(["x" * 500_000])
    )
    degrees = pa.array([1.0] * 300_000)
    pq.write_table(
        pa.table({"lat": degrees, "lon": degrees, "text": text}),
        tmp_path / "upload",
        compression="zstd",
    )
    assert (tmp_path / "upload").stat().st_size < 1_000_000
    before = resident_mb()
    assert refused("geoparquet", tmp_path / "upload").code in {"too_large", "bomb", "broken"}
    assert resident_mb() - before < 100


# ---- coordinate systems


def frame(crs: str | None) -> gpd.GeoDataFrame:
    places = gpd.GeoDataFrame(
        {"ref": ["a"]}, geometry=[shapely.Point(16.3738, 48.2082)], crs="EPSG:4326"
    )
    moved = places.to_crs(crs or "EPSG:3857")
    return moved if crs else moved.set_crs(None, allow_override=True)


def saved(name: str, crs: str | None, folder: Path) -> Path:
    path = folder / f"made{BY_NAME[name].SUFFIXES[0]}"
    if name == "geoparquet":
        frame(crs).to_parquet(path)
    elif name == "shapefile":
        frame(crs).to_file(folder / "made.shp")
        parts = [part for part in folder.glob("made.*") if part != path]
        with zipfile.ZipFile(path, "w") as out:
            for part in parts:
                out.write(part, part.name)
    else:
        pyogrio.write_dataframe(frame(crs), path, layer="x")
    return path


@pytest.mark.parametrize("name", ["geopackage", "flatgeobuf", "geoparquet", "shapefile"])
@pytest.mark.parametrize("crs", ["EPSG:3857", "EPSG:31287"])
def test_coordinates_in_a_system_that_the_file_names_are_converted_and_reported(
    name: str, crs: str, tmp_path: Path
) -> None:
    (item,) = BY_NAME[name].read(saved(name, crs, tmp_path))
    lon, lat = item.geometry["coordinates"]
    assert (round(lat, 6), round(lon, 6)) == (48.2082, 16.3738)
    assert any("converted" in note and "WGS" in note for note in item.notes)


@pytest.mark.parametrize(
    ("meridian", "unit", "lon", "lat"),
    [
        ('"Ferro",-17.66666666666667', '"Degree",0.0174532925199433', 34.0404666667, 48.2082),
        ('"Paris",2.337229166666667', '"Degree",0.0174532925199433', 14.0365708333, 48.2082),
        ('"Greenwich",0', '"Grad",0.01570796326794897', 18.1931111111, 53.5646666667),
        ('"Greenwich",0', '"Radian",1', 0.2857767, 0.8413918),
    ],
)
def test_degrees_of_wgs84_count_from_greenwich_whatever_the_system_is_called(
    meridian: str, unit: str, lon: float, lat: float, tmp_path: Path
) -> None:
    places = gpd.GeoDataFrame({"ref": ["a"]}, geometry=[shapely.Point(lon, lat)], crs="EPSG:4326")
    places.to_file(tmp_path / "made.shp")
    datum = 'DATUM["D_WGS_1984",SPHEROID["WGS_1984",6378137,298.257223563]]'
    (tmp_path / "made.prj").write_text(
        f'GEOGCS["GCS_WGS_1984",{datum},PRIMEM[{meridian}],UNIT[{unit}]]'
    )
    with zipfile.ZipFile(tmp_path / "made.zip", "w") as out:
        for part in tmp_path.glob("made.[!z]*"):
            out.write(part, part.name)
    (item,) = BY_NAME["shapefile"].read(tmp_path / "made.zip")
    east, north = item.geometry["coordinates"]
    assert (round(north, 4), round(east, 4)) == (48.2082, 16.3738)
    assert any("converted" in note for note in item.notes)


@pytest.mark.parametrize("name", ["geopackage", "flatgeobuf", "geoparquet", "shapefile"])
def test_metres_in_a_system_that_the_file_does_not_name_are_refused(
    name: str, tmp_path: Path
) -> None:
    assert refused(name, saved(name, None, tmp_path)).code == "crs_unknown"


@pytest.mark.parametrize(
    "crs", ["urn:ogc:def:crs:EPSG::3857", "EPSG:31287", "urn:ogc:def:crs:OGC:1.3:CRS27"]
)
def test_geojson_in_another_system_is_refused_by_its_name(crs: str, tmp_path: Path) -> None:
    found = {
        "type": "FeatureCollection",
        "features": [],
        "crs": {"type": "name", "properties": {"name": crs}},
    }
    error = refused("geojson", with_bytes(tmp_path, json.dumps(found).encode()))
    assert error.code == "crs_unsupported"
    assert crs in error.detail


@pytest.mark.parametrize(
    "crs", ["urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326", "urn:ogc:def:crs:EPSG::4326", "EPSG:4269"]
)
def test_geojson_that_says_it_is_in_degrees_of_wgs84_is_read(crs: str, tmp_path: Path) -> None:
    feature = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [1, 2]},
        "properties": {},
    }
    found = {
        "type": "FeatureCollection",
        "features": [feature],
        "crs": {"type": "name", "properties": {"name": crs}},
    }
    (item,) = BY_NAME["geojson"].read(with_bytes(tmp_path, json.dumps(found).encode()))
    assert item.geometry == {"type": "Point", "coordinates": [1, 2]}
    assert bool(item.notes) is crs.endswith("4269")
