"""Documents made to harm: each is refused by the name of what it tries, before it costs much."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from regions.readers import FileError, format_of
from regions.readers.item import BYTES, ONE_ITEM
from tests.rigs.reader_files import BY_NAME, kml, refused, resident_mb, with_bytes

SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "places_files"


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
        assert item.error is not None
        assert item.error.code in {"nested_too_deep", "not_json"}


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

VRT = (
    b'<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/etc/hostname</SrcDataSource>'
    b"</OGRVRTLayer></OGRVRTDataSource>"
)


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
