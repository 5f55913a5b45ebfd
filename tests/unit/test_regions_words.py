"""Every repair and every refusal of an area in its own words.

Which ring, where, and what was done.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regions.geojson import Checked, read_region, write_region
from regions.geometry.boundary import area_m2
from regions.region import Area, RegionError

Ring = list[list[float]]

SQUARE: Ring = [[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0], [0.0, 0.0]]


def _box(x: float, y: float, side: float) -> Ring:
    return [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]


def _hole(x: float, y: float, side: float) -> Ring:
    return _box(x, y, side)[::-1]


def _polygon(*rings: Ring) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": list(rings)}


def _multi(*polygons: list[Ring]) -> dict[str, Any]:
    return {"type": "MultiPolygon", "coordinates": list(polygons)}


def _parts(count: int) -> str:
    return f"the area was repaired and now has {count} {'part' if count == 1 else 'parts'}"


# What is wrong: the area, what is reported, and the size of what is left in square degrees.
REPAIRED: dict[str, tuple[dict[str, Any], tuple[str, ...], float]] = {
    "nothing": (_polygon(SQUARE, _hole(1, 1, 1)), (), 15),
    "a bow tie": (
        _polygon(
            [
                [-122.42, 37.778],
                [-122.418, 37.78],
                [-122.418, 37.778],
                [-122.42, 37.78],
                [-122.42, 37.778],
            ]
        ),
        (
            "ring 1 crosses itself near 37.7790, -122.4190; repaired by splitting it there",
            _parts(2),
        ),
        2e-6,
    ),
    "a hole that is a bow tie": (
        _polygon(SQUARE, [[1, 1], [2, 2], [2, 1], [1, 2], [1, 1]]),
        ("ring 2 crosses itself near 1.5000, 1.5000; repaired by splitting it there",),
        15.5,
    ),
    "three crossings": (
        _polygon(
            [
                [0, 0],
                [3, 0],
                [3, 1],
                [2.5, -1],
                [2, 1],
                [1.5, -1],
                [1, 1],
                [0.5, -1],
                [0, 1],
                [0, 0],
            ]
        ),
        (
            "ring 1 crosses itself near 0.0000, 0.2500 and at 5 more places; repaired by splitting it there",
            _parts(7),
        ),
        1.5,
    ),
    "repeated points": (
        _polygon([SQUARE[0], *SQUARE[:3], *SQUARE[2:]]),
        ("ring 1 repeated 2 points; dropped",),
        16,
    ),
    "a repeated point": (
        _polygon(SQUARE, [[1, 1], [1, 2], [1, 2], [2, 2], [1, 1]]),
        ("ring 2 repeated 1 point; dropped",),
        15.5,
    ),
    "an outer ring wound clockwise": (
        _polygon(SQUARE[::-1]),
        ("ring 1 was wound the wrong way; turned",),
        16,
    ),
    "a hole wound counter-clockwise": (
        _polygon(SQUARE, _box(1, 1, 1)),
        ("ring 2 was wound the wrong way; turned",),
        15,
    ),
    "two rings wound the wrong way": (
        _polygon(SQUARE[::-1], _box(1, 1, 1)),
        ("rings 1 and 2 were wound the wrong way; turned",),
        15,
    ),
    "seven rings wound the wrong way": (
        _multi(*[[_box(nth, nth, 0.5)[::-1]] for nth in range(7)]),
        ("rings 1, 2, 3, 4, 5 and 2 more were wound the wrong way; turned",),
        1.75,
    ),
    "a ring that is not closed": (_polygon(SQUARE[:4]), ("ring 1 was not closed; closed",), 16),
    "a hole on one line": (
        _polygon(SQUARE, [[1, 1], [2, 2], [3, 3], [1, 1]]),
        ("ring 2 has all its points on one line; dropped",),
        16,
    ),
    "a hole of two points": (
        _polygon(SQUARE, [[1, 1], [2, 2], [1, 1]]),
        ("ring 2 has fewer than three different points; dropped",),
        16,
    ),
    "a part on one line, with a hole": (
        _multi([[[9, 9], [8, 8], [7, 7], [9, 9]], _hole(7, 7, 1)], [SQUARE, _box(1, 1, 1)]),
        (
            "ring 1 has all its points on one line; dropped",
            "ring 4 was wound the wrong way; turned",
        ),
        15,
    ),
    "a spike outward": (
        _polygon([[0, 0], [4, 0], [4, 4], [2, 4], [2, 6], [2, 4], [0, 4], [0, 0]]),
        ("ring 1 has a spike near 6.0000, 2.0000; repaired by cutting it off",),
        16,
    ),
    "two spikes inward": (
        _polygon(
            [[0, 0], [3, 0], [3, 1], [3, 0], [4, 0], [4, 4], [2, 4], [2, 2], [2, 4], [0, 4], [0, 0]]
        ),
        ("ring 1 has a spike near 1.0000, 3.0000 and at 1 more place; repaired by cutting it off",),
        16,
    ),
    "a ring that touches itself": (
        _polygon([[0, 0], [4, 0], [4, 4], [2, 0], [0, 4], [0, 0]]),
        ("ring 1 touches itself near 0.0000, 2.0000; repaired by parting it there", _parts(2)),
        8,
    ),
    "a hole outside": (
        _polygon(SQUARE, _hole(5, 5, 1)),
        (
            "ring 2 lies outside ring 1, whose hole it should be near 5.0000, 5.0000; taken as a part of its own",
            _parts(2),
        ),
        17,
    ),
    "a hole over the border": (
        _polygon(SQUARE, _hole(3, 1, 2)),
        (
            "ring 2, a hole, crosses ring 1 near 1.0000, 4.0000 and at 1 more place; repaired by cutting it out of ring 1",
        ),
        14,
    ),
    "a hole that shares an edge": (
        _polygon(SQUARE, _hole(0, 1, 1)),
        (
            "ring 2, a hole, shares an edge with ring 1 near 1.0000, 0.0000; repaired by cutting it out of ring 1",
        ),
        15,
    ),
    "a hole in a hole": (
        _polygon(SQUARE, _hole(1, 1, 2), _hole(1.5, 1.5, 0.5)),
        ("ring 3, a hole, lies inside another hole near 1.5000, 1.5000; dropped",),
        12,
    ),
    "the same hole twice": (
        _polygon(SQUARE, _hole(1, 1, 2), _hole(1, 1, 2)),
        ("ring 3, a hole, is the same as ring 2 near 1.0000, 1.0000; counted once",),
        12,
    ),
    "holes that cross": (
        _polygon(SQUARE, _hole(1, 1, 1), _hole(1.5, 1.5, 1)),
        (
            "rings 2 and 3, both holes, cross near 2.0000, 1.5000 and at 1 more place; repaired by joining them",
        ),
        14.25,
    ),
    "holes that share an edge": (
        _polygon(SQUARE, _hole(1, 1, 1), _hole(2, 1, 1)),
        ("rings 2 and 3, both holes, share an edge near 1.0000, 2.0000; repaired by joining them",),
        14,
    ),
    "a hole that cuts the area in two": (
        _polygon(SQUARE, [[0, 0], [2, 2.1], [4, 4], [2, 1.9], [0, 0]]),
        (
            "the holes of ring 1 cut it in two near 4.0000, 4.0000; repaired by parting it there",
            _parts(2),
        ),
        15.6,
    ),
    "a part inside the hole of another": (
        _multi([SQUARE, _hole(1, 1, 2)], [_box(1.5, 1.5, 1)]),
        (),
        13,
    ),
    "parts that touch in a point": (_multi([SQUARE], [_box(4, 4, 1)]), (), 17),
    "parts that overlap": (
        _multi([SQUARE], [_box(3, 3, 2)]),
        (
            "rings 1 and 2 cross near 3.0000, 4.0000 and at 1 more place; repaired by joining them",
            _parts(1),
        ),
        19,
    ),
    "a part inside another": (
        _multi([SQUARE], [_box(1, 1, 2)]),
        ("ring 2 lies inside another outer ring near 1.0000, 1.0000; joined with it", _parts(1)),
        16,
    ),
    "the same part twice": (
        _multi([SQUARE], [SQUARE]),
        ("ring 2 is the same as ring 1 near 0.0000, 0.0000; counted once", _parts(1)),
        16,
    ),
    "parts side by side": (
        _multi([SQUARE], [_box(4, 0, 4)]),
        ("rings 1 and 2 share an edge near 4.0000, 4.0000; repaired by joining them", _parts(1)),
        32,
    ),
    "two bow ties": (
        _multi(
            [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]], [[[5, 5], [6, 6], [6, 5], [5, 6], [5, 5]]]
        ),
        (
            "ring 1 crosses itself near 0.5000, 0.5000; repaired by splitting it there",
            "ring 2 crosses itself near 5.5000, 5.5000; repaired by splitting it there",
            _parts(4),
        ),
        1,
    ),
    "longitudes that run on": (
        _polygon([[179, 0], [181, 0], [181, 1], [179, 1], [179, 0]]),
        ("ring 1 runs past the 180th meridian; cut in two there",),
        2,
    ),
    "longitudes that jump": (
        _polygon([[179, 0], [-179, 0], [-179, 1], [179, 1], [179, 0]]),
        ("ring 1 crosses the 180th meridian; read the shorter way round",),
        2,
    ),
    "a bow tie over the 180th meridian": (
        _polygon([[179, 0], [-178, 3], [-178, 0], [179, 3], [179, 0]]),
        (
            "ring 1 crosses the 180th meridian; read the shorter way round",
            "ring 1 crosses itself near 1.5000, -179.5000; repaired by splitting it there",
            _parts(2),
        ),
        4.5,
    ),
    "a ring round the pole": (
        _polygon([[0, -88], [-90, -88], [-180, -88], [90, -88], [0, -88]]),
        ("ring 1 goes round a pole; closed through it",),
        720,
    ),
    "all at once": (
        _polygon([[0, 0], [0, 0], [4, 4], [4, 0], [0, 4]], _box(0.2, 1.9, 0.2)),
        (
            "ring 1 was not closed; closed",
            "ring 1 repeated 1 point; dropped",
            "ring 1 crosses itself near 2.0000, 2.0000; repaired by splitting it there",
            _parts(2),
            "ring 2 was wound the wrong way; turned",
        ),
        7.96,
    ),
}


@pytest.mark.parametrize("what", REPAIRED)
def test_a_repair_tells_the_ring_the_place_and_the_cure(what: str) -> None:
    obj, found, size = REPAIRED[what]
    checked = read_region(obj)
    assert checked.repairs == found
    assert isinstance(checked.region, Area)
    assert checked.region.shape.is_valid
    assert checked.region.shape.area == pytest.approx(size, rel=1e-9)


@pytest.mark.parametrize("what", REPAIRED)
def test_what_was_repaired_needs_no_repair_again(what: str) -> None:
    written = write_region(read_region(REPAIRED[what][0]).region)
    again = read_region(written)
    assert again.repairs == ()
    assert write_region(again.region) == written


def test_twenty_repairs_are_reported_and_the_rest_is_counted() -> None:
    checked = read_region(_multi(*[[_box(nth, nth, 0.5)[:4]] for nth in range(30)]))
    assert len(checked.repairs) == 20
    assert checked.repairs[18:] == ("ring 19 was not closed; closed", "and 11 more repairs")


BIG = 10**400
REFUSED: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "a ring on one line": (
        _polygon([[0, 0], [1, 0.1], [3, 0.3], [2, 0.2], [0, 0]]),
        "empty",
        "ring 1 has all its points on one line",
        "/coordinates/0",
    ),
    "a ring thinner than a tenth of a millimetre": (
        _polygon([[0, 0], [1, 0], [1, 1e-12], [0, 1e-12], [0, 0]]),
        "empty",
        "ring 1 has all its points on one line",
        "/coordinates/0",
    ),
    "two points": (
        _polygon([[0, 0], [1, 1], [0, 0]]),
        "empty",
        "ring 1 has fewer than three different points",
        "/coordinates/0",
    ),
    "a line among parts that are lines": (
        _multi([[[0, 0], [1, 1], [2, 2], [0, 0]]], [[[0, 0], [1, 1]]]),
        "empty",
        "ring 1 has all its points on one line",
        "/coordinates/0/0",
    ),
    "a hole as large as its outer ring": (
        _polygon(SQUARE, SQUARE),
        "empty",
        "the area encloses nothing: ring 2, a hole, is the same as ring 1",
        "/coordinates",
    ),
    "a hole around its outer ring": (
        _polygon(_box(1, 1, 1), SQUARE),
        "empty",
        "the area encloses nothing: ring 2, a hole, lies around ring 1",
        "/coordinates",
    ),
    "a latitude out of range": (
        _polygon(SQUARE, [[1, 1], [1, 2], [2, 91], [1, 1]]),
        "invalid_position",
        "latitude of point 3 of ring 2 must be within 90 degrees; positions are [longitude, latitude]",
        "/coordinates/1/2/1",
    ),
    "a longitude out of range": (
        _multi([SQUARE], [[[1, 1], [541, 2], [2, 2], [1, 1]]]),
        "invalid_position",
        "longitude of point 2 of ring 2 must be within 540 degrees; positions are [longitude, latitude]",
        "/coordinates/1/0/1/0",
    ),
    "NaN": (
        _polygon([[0, 0], [float("nan"), 1], [1, 1], [0, 0]]),
        "invalid_position",
        "longitude of point 2 of ring 1 must be a finite number",
        "/coordinates/0/1/0",
    ),
    "infinity": (
        _polygon([[0, 0], [1, float("-inf")], [1, 1], [0, 0]]),
        "invalid_position",
        "latitude of point 2 of ring 1 must be a finite number",
        "/coordinates/0/1/1",
    ),
    "an integer of 400 digits": (
        _polygon([[0, 0], [BIG, 1], [1, 1], [0, 0]]),
        "invalid_position",
        "longitude of point 2 of ring 1 must be a finite number",
        "/coordinates/0/1/0",
    ),
    "1e308": (
        _polygon([[0, 0], [1e308, 1], [1, 1], [0, 0]]),
        "invalid_position",
        "longitude of point 2 of ring 1 must be within 540 degrees; positions are [longitude, latitude]",
        "/coordinates/0/1/0",
    ),
    "text": (
        _polygon([[0, 0], ["1", 1], [1, 1], [0, 0]]),  # type: ignore[list-item]  # that is the point
        "invalid_position",
        "longitude of point 2 of ring 1 must be a number",
        "/coordinates/0/1/0",
    ),
    "a ring twice round the pole": (
        _polygon([[lon, 80.0 + turn] for turn in (0, 5) for lon in (0, 90, 180, -90)]),
        "self_crossing",
        "ring 1 goes round a pole 2 times",
        "/coordinates/0",
    ),
    "a country": (
        _polygon([[-100, 30], [-80, 30], [-80, 45], [-100, 45], [-100, 30]]),
        "area_too_large",
        "the area is 2,935,717 km²; the limit is 1,000,000 km²",
        "/coordinates",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_refusal_tells_the_ring_and_the_limit_and_no_place(what: str) -> None:
    obj, code, detail, pointer = REFUSED[what]
    with pytest.raises(RegionError) as caught:
        read_region(obj)
    assert (caught.value.code, caught.value.detail, caught.value.pointer) == (code, detail, pointer)


def _checked(obj: dict[str, Any]) -> Checked | RegionError:
    try:
        return read_region(obj)
    except RegionError as error:
        return error


_PLACE = re.compile(r"near (-?\d+\.\d{4}), (-?\d+\.\d{4})")
_GRID = st.integers(0, 6)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.lists(st.tuples(_GRID, _GRID), min_size=3, max_size=9), min_size=1, max_size=3),
    st.booleans(),
)
def test_whatever_is_tangled_on_a_grid_is_reported_at_a_place_within_its_map(
    rings: list[list[tuple[int, int]]], parted: bool
) -> None:
    lines: list[Ring] = [[[x * 0.01, y * 0.01] for x, y in ring] for ring in rings]
    checked = _checked(_multi(*[[line] for line in lines]) if parted else _polygon(*lines))
    if isinstance(checked, RegionError):
        assert not _PLACE.search(checked.detail)
        return
    assert isinstance(checked.region, Area)
    assert checked.region.shape.is_valid
    assert area_m2(checked.region.shape) > 0
    places = [
        (float(lat), float(lon))
        for repair in checked.repairs
        for lat, lon in _PLACE.findall(repair)
    ]
    assert all(0 <= lat <= 0.06 and 0 <= lon <= 0.06 for lat, lon in places)
    assert read_region(write_region(checked.region)).repairs == ()
