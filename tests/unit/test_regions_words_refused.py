"""The words of a refusal: the ring, the limit and no place."""

from __future__ import annotations

from typing import Any

import pytest

from regions.geojson import read_region
from regions.region import RegionError
from tests.rigs.rings import SQUARE, box, multi, polygon

BIG = 10**400
REFUSED: dict[str, tuple[dict[str, Any], str, str, str]] = {
    "a ring on one line": (
        polygon([[0, 0], [1, 0.1], [3, 0.3], [2, 0.2], [0, 0]]),
        "empty",
        "ring 1 has all its points on one line",
        "/coordinates/0",
    ),
    "a ring thinner than a tenth of a millimetre": (
        polygon([[0, 0], [1, 0], [1, 1e-12], [0, 1e-12], [0, 0]]),
        "empty",
        "ring 1 has all its points on one line",
        "/coordinates/0",
    ),
    "two points": (
        polygon([[0, 0], [1, 1], [0, 0]]),
        "empty",
        "ring 1 has fewer than three different points",
        "/coordinates/0",
    ),
    "a line among parts that are lines": (
        multi([[[0, 0], [1, 1], [2, 2], [0, 0]]], [[[0, 0], [1, 1]]]),
        "empty",
        "ring 1 has all its points on one line",
        "/coordinates/0/0",
    ),
    "a hole as large as its outer ring": (
        polygon(SQUARE, SQUARE),
        "empty",
        "the area encloses nothing: ring 2, a hole, is the same as ring 1",
        "/coordinates",
    ),
    "a hole around its outer ring": (
        polygon(box(1, 1, 1), SQUARE),
        "empty",
        "the area encloses nothing: ring 2, a hole, lies around ring 1",
        "/coordinates",
    ),
    "a latitude out of range": (
        polygon(SQUARE, [[1, 1], [1, 2], [2, 91], [1, 1]]),
        "invalid_position",
        (
            "latitude of point 3 of ring 2 must be within 90 degrees; "
            "positions are [longitude, latitude]"
        ),
        "/coordinates/1/2/1",
    ),
    "a longitude out of range": (
        multi([SQUARE], [[[1, 1], [541, 2], [2, 2], [1, 1]]]),
        "invalid_position",
        (
            "longitude of point 2 of ring 2 must be within 540 degrees; "
            "positions are [longitude, latitude]"
        ),
        "/coordinates/1/0/1/0",
    ),
    "NaN": (
        polygon([[0, 0], [float("nan"), 1], [1, 1], [0, 0]]),
        "invalid_position",
        "longitude of point 2 of ring 1 must be a finite number",
        "/coordinates/0/1/0",
    ),
    "infinity": (
        polygon([[0, 0], [1, float("-inf")], [1, 1], [0, 0]]),
        "invalid_position",
        "latitude of point 2 of ring 1 must be a finite number",
        "/coordinates/0/1/1",
    ),
    "an integer of 400 digits": (
        polygon([[0, 0], [BIG, 1], [1, 1], [0, 0]]),
        "invalid_position",
        "longitude of point 2 of ring 1 must be a finite number",
        "/coordinates/0/1/0",
    ),
    "1e308": (
        polygon([[0, 0], [1e308, 1], [1, 1], [0, 0]]),
        "invalid_position",
        (
            "longitude of point 2 of ring 1 must be within 540 degrees; "
            "positions are [longitude, latitude]"
        ),
        "/coordinates/0/1/0",
    ),
    "text": (
        polygon([[0, 0], ["1", 1], [1, 1], [0, 0]]),  # type: ignore[list-item]  # that is the point
        "invalid_position",
        "longitude of point 2 of ring 1 must be a number",
        "/coordinates/0/1/0",
    ),
    "a ring twice round the pole": (
        polygon([[lon, 80.0 + turn] for turn in (0, 5) for lon in (0, 90, 180, -90)]),
        "self_crossing",
        "ring 1 goes round a pole 2 times",
        "/coordinates/0",
    ),
    "a country": (
        polygon([[-100, 30], [-80, 30], [-80, 45], [-100, 45], [-100, 30]]),
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
