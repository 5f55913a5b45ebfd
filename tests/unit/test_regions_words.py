"""Every repair of an area in its own words.

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
from tests.rigs.rings import SQUARE, Ring, box, multi, polygon


def _hole(x: float, y: float, side: float) -> Ring:
    return box(x, y, side)[::-1]


def _parts(count: int) -> str:
    return f"the area was repaired and now has {count} {'part' if count == 1 else 'parts'}"


# What is wrong: the area, what is reported, and the size of what is left in square degrees.
REPAIRED: dict[str, tuple[dict[str, Any], tuple[str, ...], float]] = {
    "nothing": (polygon(SQUARE, _hole(1, 1, 1)), (), 15),
    "a bow tie": (
        polygon(
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
        polygon(SQUARE, [[1, 1], [2, 2], [2, 1], [1, 2], [1, 1]]),
        ("ring 2 crosses itself near 1.5000, 1.5000; repaired by splitting it there",),
        15.5,
    ),
    "three crossings": (
        polygon(
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
            (
                "ring 1 crosses itself near 0.0000, 0.2500 and at 5 more places; "
                "repaired by splitting it there"
            ),
            _parts(7),
        ),
        1.5,
    ),
    "repeated points": (
        polygon([SQUARE[0], *SQUARE[:3], *SQUARE[2:]]),
        ("ring 1 repeated 2 points; dropped",),
        16,
    ),
    "a repeated point": (
        polygon(SQUARE, [[1, 1], [1, 2], [1, 2], [2, 2], [1, 1]]),
        ("ring 2 repeated 1 point; dropped",),
        15.5,
    ),
    "an outer ring wound clockwise": (
        polygon(SQUARE[::-1]),
        ("ring 1 was wound the wrong way; turned",),
        16,
    ),
    "a hole wound counter-clockwise": (
        polygon(SQUARE, box(1, 1, 1)),
        ("ring 2 was wound the wrong way; turned",),
        15,
    ),
    "two rings wound the wrong way": (
        polygon(SQUARE[::-1], box(1, 1, 1)),
        ("rings 1 and 2 were wound the wrong way; turned",),
        15,
    ),
    "seven rings wound the wrong way": (
        multi(*[[box(nth, nth, 0.5)[::-1]] for nth in range(7)]),
        ("rings 1, 2, 3, 4, 5 and 2 more were wound the wrong way; turned",),
        1.75,
    ),
    "a ring that is not closed": (polygon(SQUARE[:4]), ("ring 1 was not closed; closed",), 16),
    "a hole on one line": (
        polygon(SQUARE, [[1, 1], [2, 2], [3, 3], [1, 1]]),
        ("ring 2 has all its points on one line; dropped",),
        16,
    ),
    "a hole of two points": (
        polygon(SQUARE, [[1, 1], [2, 2], [1, 1]]),
        ("ring 2 has fewer than three different points; dropped",),
        16,
    ),
    "a part on one line, with a hole": (
        multi([[[9, 9], [8, 8], [7, 7], [9, 9]], _hole(7, 7, 1)], [SQUARE, box(1, 1, 1)]),
        (
            "ring 1 has all its points on one line; dropped",
            "ring 4 was wound the wrong way; turned",
        ),
        15,
    ),
    "a spike outward": (
        polygon([[0, 0], [4, 0], [4, 4], [2, 4], [2, 6], [2, 4], [0, 4], [0, 0]]),
        ("ring 1 has a spike near 6.0000, 2.0000; repaired by cutting it off",),
        16,
    ),
    "two spikes inward": (
        polygon(
            [[0, 0], [3, 0], [3, 1], [3, 0], [4, 0], [4, 4], [2, 4], [2, 2], [2, 4], [0, 4], [0, 0]]
        ),
        ("ring 1 has a spike near 1.0000, 3.0000 and at 1 more place; repaired by cutting it off",),
        16,
    ),
    "a ring that touches itself": (
        polygon([[0, 0], [4, 0], [4, 4], [2, 0], [0, 4], [0, 0]]),
        ("ring 1 touches itself near 0.0000, 2.0000; repaired by parting it there", _parts(2)),
        8,
    ),
    "a hole outside": (
        polygon(SQUARE, _hole(5, 5, 1)),
        (
            (
                "ring 2 lies outside ring 1, whose hole it should be near 5.0000, 5.0000; "
                "taken as a part of its own"
            ),
            _parts(2),
        ),
        17,
    ),
    "a hole over the border": (
        polygon(SQUARE, _hole(3, 1, 2)),
        (
            (
                "ring 2, a hole, crosses ring 1 near 1.0000, 4.0000 and at 1 more place; "
                "repaired by cutting it out of ring 1"
            ),
        ),
        14,
    ),
    "a hole that shares an edge": (
        polygon(SQUARE, _hole(0, 1, 1)),
        (
            (
                "ring 2, a hole, shares an edge with ring 1 near 1.0000, 0.0000; "
                "repaired by cutting it out of ring 1"
            ),
        ),
        15,
    ),
    "a hole in a hole": (
        polygon(SQUARE, _hole(1, 1, 2), _hole(1.5, 1.5, 0.5)),
        ("ring 3, a hole, lies inside another hole near 1.5000, 1.5000; dropped",),
        12,
    ),
    "the same hole twice": (
        polygon(SQUARE, _hole(1, 1, 2), _hole(1, 1, 2)),
        ("ring 3, a hole, is the same as ring 2 near 1.0000, 1.0000; counted once",),
        12,
    ),
    "holes that cross": (
        polygon(SQUARE, _hole(1, 1, 1), _hole(1.5, 1.5, 1)),
        (
            (
                "rings 2 and 3, both holes, cross near 2.0000, 1.5000 and at 1 more place; "
                "repaired by joining them"
            ),
        ),
        14.25,
    ),
    "holes that share an edge": (
        polygon(SQUARE, _hole(1, 1, 1), _hole(2, 1, 1)),
        ("rings 2 and 3, both holes, share an edge near 1.0000, 2.0000; repaired by joining them",),
        14,
    ),
    "a hole that cuts the area in two": (
        polygon(SQUARE, [[0, 0], [2, 2.1], [4, 4], [2, 1.9], [0, 0]]),
        (
            "the holes of ring 1 cut it in two near 4.0000, 4.0000; repaired by parting it there",
            _parts(2),
        ),
        15.6,
    ),
    "a part inside the hole of another": (
        multi([SQUARE, _hole(1, 1, 2)], [box(1.5, 1.5, 1)]),
        (),
        13,
    ),
    "parts that touch in a point": (multi([SQUARE], [box(4, 4, 1)]), (), 17),
    "parts that overlap": (
        multi([SQUARE], [box(3, 3, 2)]),
        (
            "rings 1 and 2 cross near 3.0000, 4.0000 and at 1 more place; repaired by joining them",
            _parts(1),
        ),
        19,
    ),
    "a part inside another": (
        multi([SQUARE], [box(1, 1, 2)]),
        ("ring 2 lies inside another outer ring near 1.0000, 1.0000; joined with it", _parts(1)),
        16,
    ),
    "the same part twice": (
        multi([SQUARE], [SQUARE]),
        ("ring 2 is the same as ring 1 near 0.0000, 0.0000; counted once", _parts(1)),
        16,
    ),
    "parts side by side": (
        multi([SQUARE], [box(4, 0, 4)]),
        ("rings 1 and 2 share an edge near 4.0000, 4.0000; repaired by joining them", _parts(1)),
        32,
    ),
    "two bow ties": (
        multi(
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
        polygon([[179, 0], [181, 0], [181, 1], [179, 1], [179, 0]]),
        ("ring 1 runs past the 180th meridian; cut in two there",),
        2,
    ),
    "longitudes that jump": (
        polygon([[179, 0], [-179, 0], [-179, 1], [179, 1], [179, 0]]),
        ("ring 1 crosses the 180th meridian; read the shorter way round",),
        2,
    ),
    "a bow tie over the 180th meridian": (
        polygon([[179, 0], [-178, 3], [-178, 0], [179, 3], [179, 0]]),
        (
            "ring 1 crosses the 180th meridian; read the shorter way round",
            "ring 1 crosses itself near 1.5000, -179.5000; repaired by splitting it there",
            _parts(2),
        ),
        4.5,
    ),
    "a ring round the pole": (
        polygon([[0, -88], [-90, -88], [-180, -88], [90, -88], [0, -88]]),
        ("ring 1 goes round a pole; closed through it",),
        720,
    ),
    "all at once": (
        polygon([[0, 0], [0, 0], [4, 4], [4, 0], [0, 4]], box(0.2, 1.9, 0.2)),
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
    checked = read_region(multi(*[[box(nth, nth, 0.5)[:4]] for nth in range(30)]))
    assert len(checked.repairs) == 20
    assert checked.repairs[18:] == ("ring 19 was not closed; closed", "and 11 more repairs")


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
    checked = _checked(multi(*[[line] for line in lines]) if parted else polygon(*lines))
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
