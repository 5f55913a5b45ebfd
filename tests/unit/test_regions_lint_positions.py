"""Positions that the linter suspects.

The open sea, swapped coordinates, lost signs and too few decimals.
"""

from __future__ import annotations

import pytest

from regions.lint.lint import lint
from regions.region import Circle, Region
from tests.rigs.lint_maps import HELSINKI, findings, only_finding, town


def test_fences_at_0_0_and_in_the_open_sea_are_reported() -> None:
    found = lint(
        [
            ("a/near", Circle(0.0, 0.0, 150)),
            ("a/far", Circle(0.0, 0.0, 900)),
            ("b", Circle(30.123, -30.123, 150)),
        ]
    )
    assert [(finding.code, finding.names) for finding in found] == [
        ("null_island", ("a/near", "a/far")),
        ("in_the_sea", ("b",)),
    ]
    assert found[0].detail == (
        "the fence lies where latitude and longitude are both 0, in the Gulf of Guinea; "
        "the position was probably missing"
    )
    assert (
        found[1].detail
        == "the fence lies in the open sea, beyond every country's waters; no shopper comes there"
    )
    assert (
        lint([("island", Circle(-17.7134, 178.0651, 150)), ("wide", Circle(30.0, -30.0, 50_000))])
        == []
    )


def test_a_store_whose_latitude_and_longitude_are_swapped_is_suspected() -> None:
    lat, lon = HELSINKI
    found = only_finding(town() | {"odd": Circle(lon, lat, 150)}, "swapped")
    assert found.names == ("odd",)
    assert found.detail == (
        "the fence lies far from all the others, but with latitude and longitude swapped "
        "it would lie among 40 of them"
    )
    assert findings(town() | {"milan": Circle(45.4642, 9.19, 150)}, "swapped") == []


def test_a_store_with_a_lost_sign_is_suspected() -> None:
    lat, lon = HELSINKI
    found = only_finding(town() | {"odd": Circle(lat, -lon, 150)}, "flipped")
    assert found.detail == (
        "the fence lies far from all the others, but with the sign of its latitude or longitude "
        "turned it would lie among 40 of them"
    )


def test_a_chain_on_both_sides_of_greenwich_has_no_lost_signs() -> None:
    west: dict[str, Region] = {
        f"w{nth}": Circle(51.5 + nth * 0.01, -24.9 + nth, 150) for nth in range(8)
    }
    assert findings(town() | west | {"lonely": Circle(60.1699, -24.9384, 150)}, "flipped") == []


def test_two_decimals_are_too_few_for_a_small_circle_and_enough_for_a_large_one() -> None:
    found = only_finding(
        {
            "a/near": Circle(60.17, 24.94, 150),
            "a/mid": Circle(60.17, 24.94, 300),
            "a/far": Circle(60.17, 24.94, 900),
        },
        "low_precision",
    )
    assert found.names == ("a/near", "a/mid")
    assert (
        found.detail == "the middle has 2 decimals or fewer, so the true one may be 622 m away; "
        "the radius is only 150 m"
    )
    assert found.value == pytest.approx(622.4, abs=0.5)
    assert found.limit == 150.0
    assert findings({"a": Circle(60.17, 24.9384, 150)}, "low_precision") == []
