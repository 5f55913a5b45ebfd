"""Real maps and a corpus of broken ones, read feature by feature.

They lie beside the project, in `../shared/data`.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regions.geojson import Checked, read_region, write_region
from regions.index.index import Index
from regions.readers import FileError, format_of
from regions.region import Area, RegionError

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
POLYGONS = SHARED / "polygons"
CORPUS = SHARED / "geojson_invalid" / "geojsonhint"
TRACE = SHARED / "traces" / "sf_cabs_dev.parquet"
TRUTH = SHARED / "truth" / "sf_dev40__sf_neighborhoods.transitions.parquet"

needs_polygons = pytest.mark.skipif(
    not POLYGONS.is_dir(), reason="../shared/data/polygons is not beside this repository"
)
needs_corpus = pytest.mark.skipif(
    not CORPUS.is_dir(), reason="../shared/data/geojson_invalid is not beside this repository"
)
needs_truth = pytest.mark.skipif(
    not (TRACE.exists() and TRUTH.exists()),
    reason="the recorded cab trace is not there (../shared/data)",
)


def _read(obj: object) -> Checked | RegionError:
    try:
        return read_region(obj)
    except RegionError as error:
        return error


# file: features, of them refused with this code, and how often each kind of repair is reported
MAPS: dict[str, tuple[int, dict[str, int], dict[str, int]]] = {
    "bangalore_malls_osm.geojson": (31, {"not_a_region": 3}, {}),
    "chicago_neighborhoods_with_invalid.geojson": (
        98,
        {},
        {"repeated": 79, "wound": 94, "crosses itself": 3, "spike": 2, "was repaired": 2},
    ),
    "dc_zcta_2010.geojson": (53, {}, {"wound": 53}),
    "helsinki_retail_osm.geojson": (57, {}, {}),
    "ne_110m_admin_0_countries.geojson": (177, {"area_too_large": 30}, {"wound": 147}),
    "nyc_business_improvement_districts.geojson": (75, {}, {"wound": 75}),
    "sf_planning_neighborhoods.geojson": (37, {}, {"wound": 36, "touches itself": 3}),
}
KINDS = (
    "repeated",
    "wound",
    "crosses itself",
    "touches itself",
    "spike",
    "share",
    "was repaired",
    "more repairs",
    "180th",
)


@needs_polygons
@pytest.mark.parametrize("name", MAPS)
def test_every_feature_of_a_real_map_is_read_repaired_or_refused_in_words(name: str) -> None:
    features, refused, listed = MAPS[name]
    found = [_read(feature) for feature in json.loads((POLYGONS / name).read_text())["features"]]
    assert len(found) == features
    assert Counter(read.code for read in found if isinstance(read, RegionError)) == refused
    repairs = [repair for read in found if isinstance(read, Checked) for repair in read.repairs]
    assert {
        kind: sum(kind in repair for repair in repairs)
        for kind in KINDS
        if any(kind in repair for repair in repairs)
    } == listed
    for read in found:
        if isinstance(read, Checked):
            assert isinstance(read.region, Area)
            assert read.region.shape.is_valid
            assert read_region(write_region(read.region)) == Checked(read.region)


@needs_truth
@needs_polygons
def test_forty_cabs_give_exactly_the_transitions_of_the_brute_force_at_the_neighbourhoods() -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    features = json.loads((POLYGONS / "sf_planning_neighborhoods.geojson").read_text())["features"]
    names = [f"{nth:03d}:{feature['properties']['name']}" for nth, feature in enumerate(features)]
    index = Index.build([read_region(feature).region for feature in features])
    truth = pq.read_table(TRUTH, columns=["device_id", "seq", "polygon_id", "event"]).to_pylist()
    expected = {(row["device_id"], row["seq"], row["polygon_id"], row["event"]) for row in truth}
    trace = pq.read_table(TRACE, columns=["device_id", "lat", "lon"])
    devices = np.array(trace["device_id"].to_pylist())
    lat, lon = (trace[name].to_numpy() for name in ("lat", "lon"))
    found = set[tuple[str, int, str, str]]()
    for cab in {row["device_id"] for row in truth}:
        mine = np.nonzero(devices == cab)[0]
        found |= {
            (cab, seq, names[slot], event)
            for seq, slot, event in _transitions(index, lat[mine], lon[mine])
        }
    events = Counter(event for *_, event in found)
    assert (events["enter"], events["exit"]) == (141_336, 141_307)
    assert found == expected


def _transitions(index: Index, lat: np.ndarray, lon: np.ndarray) -> list[tuple[int, int, str]]:
    near = index.candidates(lat, lon)
    inside = index.inside(lat[near.ping], lon[near.ping], near.slot)
    held = np.zeros((len(lat) + 1, 37), dtype=bool)
    held[near.ping[inside] + 1, near.slot[inside]] = True
    step = held[1:].astype(np.int8) - held[:-1]
    seq, slot = np.nonzero(step)
    return [
        (s, p, "enter" if step[s, p] > 0 else "exit")
        for s, p in zip(seq.tolist(), slot.tolist(), strict=True)
    ]


# What we say of each case as one region, how many regions the reader finds in it as a file, and why
# that is sensible where geojsonhint says otherwise.
_POINT = "sound GeoJSON, but points and lines are no regions and several features are not one"
_BROKEN = "agreed: it is not GeoJSON, or its numbers are no positions"
_EMPTY = "agreed: there is no geometry that could be a region"
_CURED = "geojsonhint warns; there is one way to read it, so it is repaired and reported"
_SAME = "agreed: sound"
_LENIENT = (
    "geojsonhint objects to members that we do not read;"
    " what we read is a point or line, which is no region"
)
Case = tuple[str, int, str]
CASES: dict[str, Case] = {
    "bad/bad-duplicate-properties": ("not_a_region /geometry", 0, _EMPTY),
    "bad/bad-featurelist": ("invalid_position /coordinates/0", 0, _BROKEN),
    "bad/bad-json": ("not JSON", 0, _BROKEN),
    "bad/bad-object-type": ("not_a_region /type", 0, _BROKEN),
    "bad/bad-polygon-interiorring-rhr": ("ring 2 was wound the wrong way; turned", 1, _CURED),
    "bad/bad-polygonloop": ("invalid_position /geometry/coordinates/0/0", 0, _BROKEN),
    "bad/bad-properties-as-array": ("not_a_region /geometry", 0, _EMPTY),
    "bad/badcoord": ("not_a_region /type", 0, _BROKEN),
    "bad/badcoordtype": ("invalid_position /features/0/geometry/coordinates/0/0/0", 0, _BROKEN),
    "bad/badfeature": ("not_a_region /features/0", 0, _BROKEN),
    "bad/badfeatureid": ("not_a_region /features/0/properties", 0, _LENIENT),
    "bad/bbox-4or6elements": ("not_a_region /type", 0, _LENIENT),
    "bad/bbox-contains-string": ("not_a_region /type", 0, _LENIENT),
    "bad/bbox-string": ("not_a_region /type", 0, _LENIENT),
    "bad/different-first-last": ("ring 1 was not closed; closed", 1, _CURED),
    "bad/different-first-size": (
        "ring 2 was wound the wrong way; turned",
        1,
        "geojsonhint calls it unclosed because one end has an altitude",
    ),
    "bad/excessive_precision_truncated": ("not_a_region /type", 0, _LENIENT),
    "bad/expected_object": ("not_a_region /geometry", 0, _EMPTY),
    "bad/false": ("not_a_region /geometries/0", 0, _BROKEN),
    "bad/feature_changed_semantics": ("not_a_region /properties", 0, _LENIENT),
    "bad/featurecollection": ("not_a_region /features", 0, _BROKEN),
    "bad/featurecollection-obj": ("not_a_region /features", 0, _BROKEN),
    "bad/featurecollection-type-case": ("not_a_region /type", 0, _BROKEN),
    "bad/featurecollection_changed_semantics": ("not_a_region /features", 1, _LENIENT),
    "bad/geometry_changed_semantics": ("not_a_region /type", 0, _LENIENT),
    "bad/geometrycollection_nested": ("not_a_region /geometries", 0, _LENIENT),
    "bad/geometrycollection_single": ("not_a_region /geometries/0/type", 0, _LENIENT),
    "bad/multiple_problems": ("not_a_region /features", 0, _BROKEN),
    "bad/multipoint-multidimension": ("not_a_region /type", 0, _BROKEN),
    "bad/multipoint-nondimension": ("not_a_region /type", 0, _BROKEN),
    "bad/nofeaturetype": ("not_a_region /features/0/type", 0, _BROKEN),
    "bad/notype": ("not_a_region /type", 0, _BROKEN),
    "bad/point": ("not_a_region /type", 0, _BROKEN),
    "bad/point-labeled-as-a-multipolygon": ("invalid_position /geometry/coordinates/0", 0, _BROKEN),
    "bad/point-string": ("not_a_region /type", 0, _BROKEN),
    "bad/point-toofew": ("not_a_region /type", 0, _BROKEN),
    "bad/point-toomany": ("not_a_region /type", 0, _LENIENT),
    "bad/polygon_winding_order": ("ring 1 was wound the wrong way; turned", 1, _CURED),
    "bad/rootstring": ("not_a_region ", 0, _BROKEN),
    "bad/short-line": ("not_a_region /type", 0, _BROKEN),
    "bad/short-linearring": (
        "ring 1 was not closed; closed",
        1,
        "three different points are a triangle, whether its end is repeated or not",
    ),
    "bad/short-multilinestring": ("not_a_region /type", 0, _BROKEN),
    "bad/stringcoord": ("not_a_region /features", 0, _BROKEN),
    "bad/unknowntype": ("not_a_region /type", 0, _BROKEN),
    "good/good-feature": ("not_a_region /properties", 0, _POINT),
    "good/good-feature-with-id": ("not_a_region /properties", 0, _POINT),
    "good/good-feature-with-string-id": ("not_a_region /properties", 0, _POINT),
    "good/good-featurecollection": ("not_a_region /features", 1, _POINT),
    "good/good-featurecollection-bbox": ("not_a_region /features", 0, _POINT),
    "good/good-featurecollection-bbox3d": ("not_a_region /features", 0, _POINT),
    "good/good-featurecollection-extensions": ("not_a_region /features", 1, _POINT),
    "good/good-geometrycollection": ("not_a_region /geometries", 0, _POINT),
    "good/good-linestring": ("not_a_region /type", 0, _POINT),
    "good/good-multilinestring": ("not_a_region /type", 0, _POINT),
    "good/good-multipoint": ("not_a_region /type", 0, _POINT),
    "good/good-point": ("not_a_region /type", 0, _POINT),
    "good/good-point-3d": ("not_a_region /type", 0, _POINT),
    "good/good-polygon": ("taken", 1, _SAME),
    "good/issue82": (
        "invalid_position /coordinates/0/0/0/1",
        0,
        "its latitudes run to -134 degrees; geojsonhint does not look at ranges",
    ),
    "good/multipolygon": ("taken", 1, _SAME),
    "good/nullgeometry": (
        "not_a_region /features/0/geometry",
        0,
        "RFC 7946 allows it, a region it is not",
    ),
    "good/nullproperties": ("not_a_region /features/0/properties", 0, _POINT),
}


@needs_corpus
def test_the_table_holds_every_case_of_the_corpus() -> None:
    assert {f"{path.parent.name}/{path.stem}" for path in CORPUS.glob("*/*.geojson")} == set(CASES)


@needs_corpus
@pytest.mark.parametrize("case", CASES)
def test_a_case_of_the_corpus_is_judged_as_the_table_says(case: str) -> None:
    said, regions, why = CASES[case]
    path = CORPUS / f"{case}.geojson"
    assert _judged(path) == said, why
    assert _in_file(path) == regions, why


def _judged(path: Path) -> str:
    try:
        obj = json.loads(path.read_text())
    except ValueError:
        return "not JSON"
    found = _read(obj)
    if isinstance(found, RegionError):
        return f"{found.code} {found.pointer}"
    return "; ".join(found.repairs) or "taken"


def _in_file(path: Path) -> int:
    """How many regions the drawer of readers finds; a file may be refused whole."""
    try:
        items = list(format_of(path).read(path))
    except FileError:
        return 0
    geometries: list[Any] = [
        item.geometry for item in items if item.error is None and item.geometry is not None
    ]
    return sum(isinstance(_read(geometry), Checked) for geometry in geometries)
