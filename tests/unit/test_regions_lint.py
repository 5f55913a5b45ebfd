"""What a retailer learns about a map.

The sentences, the numbers and limits in them, and what is left out of the report.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from shapely import MultiPolygon, Polygon, box
from shapely.affinity import translate

from regions.geometry.geodesy import GEOD
from regions.lint.lint import CODES, Finding, lint
from regions.region import Area, Circle, Region
from tests.rigs.lint_maps import HELSINKI, box_at, circle_at, findings, moved, only_finding, town


def test_a_sound_map_gives_no_finding() -> None:
    regions: list[tuple[str, Region]] = [
        (f"s{nth}/{ring}", circle_at(nth * 5000, radius))
        for nth in range(9)
        for ring, radius in (("near", 150.0), ("far", 1000.0))
    ]
    assert lint(regions) == []
    assert lint([]) == []


def test_small_circles_are_reported_in_two_levels() -> None:
    assert findings({"a": circle_at(radius_m=100)}, "too_small") == []
    assert only_finding({"a": circle_at(radius_m=75)}, "too_small") == Finding(
        "too_small",
        "note",
        ("a",),
        "the radius is 75 m; phones tell entries reliably from 100 m on, better 150 m",
        75.0,
        100.0,
    )
    assert only_finding({"a": circle_at(radius_m=30)}, "too_small") == Finding(
        "too_small",
        "warning",
        ("a",),
        "the radius is 30 m; phones in towns are 20 to 50 m off, so entries are missed below 50 m",
        30.0,
        50.0,
    )


def test_a_long_thin_area_is_small_however_large_it_is() -> None:
    found = only_finding({"street": box_at(5000, 40)}, "too_small")
    assert found.value == pytest.approx(20, abs=0.6)
    assert (found.severity, found.limit) == ("warning", 50.0)
    assert found.detail.startswith("the largest circle that fits inside has a radius of 20 m; ")
    assert findings({"block": box_at(300, 300)}, "too_small") == []


def test_a_small_area_over_the_180th_meridian_is_measured_in_one_piece() -> None:
    halves = MultiPolygon([box(179.9990, 0.0, 180.0, 0.002), box(-180.0, 0.0, -179.9990, 0.002)])
    assert findings({"a": Area(halves)}, "too_small") == []
    half = box(179.9990, 0.0, 180.0, 0.002)
    assert only_finding({"a": Area(half)}, "too_small").value == pytest.approx(55.7, abs=1)


def test_an_area_of_many_corners_is_measured_as_well_as_one_of_few() -> None:
    lat, lon = HELSINKI
    wave = [(lon + nth * 1e-4, lat + (nth % 2) * 1e-4) for nth in range(700)]
    back = [(x, y + 60 / 111_400) for x, y in reversed(wave)]
    found = only_finding({"river": Area(Polygon(wave + back))}, "too_small")
    assert found.value == pytest.approx(24.5, abs=8)


def test_one_region_under_two_names_is_a_duplicate_also_within_a_metre_and_a_percent() -> None:
    found = only_finding(
        {"a": circle_at(), "b": circle_at(0.9, 151.0), "c": circle_at(5.0)}, "duplicate"
    )
    assert found.names == ("a", "b")
    assert (
        found.detail
        == '"a" and "b" have the same middle within 1 m and the same radius within 1 %; '
        "a phone there enters both at once"
    )
    assert (found.severity, found.value, found.limit) == ("warning", 2.0, 1.0)
    assert (
        findings({"a": circle_at(), "b": circle_at(0.9, 153.0), "c": circle_at(5.0)}, "duplicate")
        == []
    )


def test_equal_areas_are_duplicates_whatever_corner_they_start_from() -> None:
    square = Polygon([(24.93, 60.16), (24.95, 60.16), (24.95, 60.17), (24.93, 60.17)])
    turned = Polygon([(24.95, 60.17), (24.93, 60.17), (24.93, 60.16), (24.95, 60.16)])
    near = translate(square, 1e-6, 0)
    found = only_finding({"a": Area(square), "b": Area(turned), "c": Area(near)}, "duplicate")
    assert found.names == ("a", "b", "c")
    assert (
        found.detail
        == '"a", "b" and "c" have the same area within 1 %; a phone there enters all at once'
    )


def test_stores_whose_rings_are_all_the_same_are_reported_once_and_not_as_overlaps() -> None:
    rings = {"near": 150.0, "far": 1000.0}
    regions: dict[str, Region] = {
        f"{store}/{ring}": circle_at(0, radius)
        for store in ("a", "b", "c")
        for ring, radius in rings.items()
    }
    assert [(finding.code, finding.names) for finding in lint(list(regions.items()))] == [
        ("duplicate", ("a/near", "b/near", "c/near"))
    ]


def test_a_strong_overlap_of_two_stores_is_reported_with_its_share() -> None:
    found = only_finding(
        {"a/near": circle_at(), "b/near": circle_at(60.0), "far away": circle_at(9000)}, "overlap"
    )
    assert found.names == ("a/near", "b/near")
    assert found.detail == '74 % of "a/near" lies in "b/near"; the limit is 50 %'
    assert (found.severity, found.limit) == ("warning", 0.5)
    assert found.value == pytest.approx(0.7477, abs=1e-3)
    assert findings({"a/near": circle_at(), "b/near": circle_at(130.0)}, "overlap") == []


def test_the_rings_of_one_store_are_not_reported_against_each_other() -> None:
    assert (
        findings(
            {"a/near": circle_at(), "a/far": circle_at(0, 300.0), "a": circle_at(10, 200.0)},
            "overlap",
        )
        == []
    )


def test_the_likest_rings_of_two_stores_stand_for_their_overlap() -> None:
    rings = {"near": 150.0, "far": 2000.0}
    regions = {
        f"{store}/{ring}": circle_at(east, radius)
        for store, east in (("a", 0.0), ("b", 60.0))
        for ring, radius in rings.items()
    }
    assert only_finding(dict(regions), "overlap").names == ("a/far", "b/far")


def test_a_fence_that_is_a_small_part_of_another_is_only_noted() -> None:
    found = only_finding({"town": circle_at(0, 20_000), "store": circle_at(5000)}, "overlap")
    assert (found.severity, found.names) == ("note", ("store", "town"))
    assert found.detail == '100 % of "store" lies in "town"; the limit is 50 %'


def test_a_fence_that_overlaps_many_is_reported_with_how_many_more() -> None:
    found = findings({f"s{nth}": circle_at(nth * 30.0) for nth in range(4)}, "overlap")
    assert {name for finding in found for name in finding.names} == {"s0", "s1", "s2", "s3"}
    assert found[0].detail.endswith("; 2 more geofences overlap these two")


def test_areas_overlap_areas_and_circles() -> None:
    assert only_finding(
        {"a": box_at(400, 400), "b": box_at(400, 400, 100.0)}, "overlap"
    ).value == pytest.approx(0.75, abs=0.01)
    mixed = only_finding(
        {"mall": box_at(1000, 400), "shop": Circle(*moved(*HELSINKI, 20.0, 200.0), 150)}, "overlap"
    )
    assert mixed.names == ("shop", "mall")
    assert mixed.value == pytest.approx(0.5846, abs=0.002)


def test_overlaps_and_crowds_do_not_end_at_the_180th_meridian() -> None:
    pairs: dict[str, Region] = {
        "east": Circle(-17.0, 179.9999, 150),
        "west": Circle(-17.0, -179.9999, 150),
    }
    assert only_finding(pairs, "overlap").value == pytest.approx(0.9, abs=0.01)
    halves = MultiPolygon([box(179.99, -17.01, 180.0, -17.0), box(-180.0, -17.01, -179.99, -17.0)])
    assert only_finding(
        {"fiji": Area(halves), "shop": Circle(-17.005, -179.9999, 150)}, "overlap"
    ).value == pytest.approx(1.0, abs=1e-6)
    ring: dict[str, Region] = {
        f"s{nth}": Circle(-17.0 + nth * 1e-3, (180.0 + nth * 1e-4) if nth % 2 else -180.0, 50)
        for nth in range(1)
    }
    ring |= {f"w{nth}": Circle(-17.0, -179.9990 + nth * 1e-6, 50 + nth) for nth in range(10)}
    ring |= {f"e{nth}": Circle(-17.0, 179.9990 - nth * 1e-6, 50 + nth) for nth in range(10)}
    assert only_finding(ring, "crowded").value == 21


def test_more_fences_in_reach_than_a_phone_watches_are_reported_once_per_place() -> None:
    regions: dict[str, Region] = {f"s{nth}": circle_at(nth * 60.0, 55.0) for nth in range(20)}
    found = only_finding(regions, "crowded")
    assert (found.severity, found.value, found.limit, len(found.names)) == ("note", 20.0, 19.0, 20)
    assert re.fullmatch(
        r'a phone at "s\d+" has 20 fences within 1,000 m; a phone watches 19 at once, '
        r"so the others are only found when the app sends "
        r"its position",
        found.detail,
    )
    del regions["s7"]
    assert findings(regions, "crowded") == []
    assert len(findings(regions, "crowded", watch=4)) >= 1
    assert findings(regions, "crowded", reach_m=10.0) == []


def test_what_is_too_much_to_tell_is_counted() -> None:
    found = findings(
        {f"s{nth}": circle_at(nth * 500.0, 20.0) for nth in range(12)}, "too_small", listed=5
    )
    assert [finding.names for finding in found] == [("s0",), ("s1",), ("s2",), ("s3",), ("s4",), ()]
    assert found[-1] == Finding(
        "too_small", "warning", (), "and 7 more like these; 5 are listed one by one", 7.0, 5.0, 7
    )
    assert sum(finding.stands_for for finding in found) == 12


def test_what_is_not_asked_about_neither_takes_the_place_of_what_is_nor_is_counted() -> None:
    regions = {f"s{nth}": circle_at(nth * 500.0, 20.0) for nth in range(12)}
    found = [
        one
        for one in lint(list(regions.items()), listed=2, about=lambda name: int(name[1:]) >= 7)
        if one.code == "too_small"
    ]
    assert [(finding.names, finding.stands_for) for finding in found] == [
        (("s7",), 1),
        (("s8",), 1),
        ((), 3),
    ]


def test_a_pair_is_reported_when_one_of_the_two_is_asked_about() -> None:
    regions = {
        "a/near": circle_at(),
        "b/near": circle_at(),
        "c/near": circle_at(3_000.0),
        "d/near": circle_at(3_000.0),
    }
    found = lint(list(regions.items()), about=lambda name: name == "a/near")
    assert [(finding.code, finding.names) for finding in found] == [
        ("duplicate", ("a/near", "b/near"))
    ]


def test_every_finding_has_one_of_the_codes() -> None:
    text = (Path(__file__).resolve().parents[2] / "regions" / "lint" / "lint.py").read_text(
        encoding="utf-8"
    )
    assert set(re.findall(r'Finding\(\s*"(\w+)"', text)) | {"swapped", "flipped"} == set(CODES)


def test_ten_thousand_fences_at_one_point_are_one_duplicate_and_one_crowd() -> None:
    found = lint([(f"s{nth}", Circle(*HELSINKI, 150.0)) for nth in range(10_000)])
    assert [(finding.code, finding.value, len(finding.names)) for finding in found] == [
        ("duplicate", 10_000.0, 20),
        ("crowded", 10_000.0, 20),
    ]
    assert found[0].detail.startswith('"s0", "s1", "s2" and 9,997 more have the same middle')


def test_ten_thousand_fences_around_one_point_are_compared_up_to_a_limit_that_is_reported() -> None:
    rng = np.random.default_rng(3)
    regions = [(f"s{nth}", circle_at()) for nth in range(1)]
    regions += [
        (f"j{nth}", Circle(HELSINKI[0] + x, HELSINKI[1] + y, 150.0))
        for nth, (x, y) in enumerate(rng.normal(0, 2e-4, (10_000, 2)))
    ]
    summary = [finding for finding in lint(list(regions)) if not finding.names]
    assert any(
        re.fullmatch(
            r"[\d,]+ fences lie so densely that not all of them were compared; 2,000,000 pairs are",
            f.detail,
        )
        for f in summary
    )


def test_every_overlap_that_brute_force_finds_is_found() -> None:
    rng = np.random.default_rng(4)
    regions: list[tuple[str, Region]] = []
    for nth in range(300):
        lat, lon = (
            rng.uniform(-0.02, 0.02) + 10.0,
            (rng.uniform(-0.02, 0.02) + 360.0) % 360.0 - 180.0,
        )
        regions.append(
            (f"s{nth}", Circle(float(lat), float(lon), float(rng.choice([120.0, 300.0, 700.0]))))
        )
    middles = np.array(
        [
            [region.lat, region.lon, region.radius_m]
            for _, region in regions
            if isinstance(region, Circle)
        ]
    )
    i, j = np.triu_indices(300, 1)
    away = GEOD.inv(middles[i, 1], middles[i, 0], middles[j, 1], middles[j, 0])[2]
    small, large = np.sort(np.stack([middles[i, 2], middles[j, 2]]), axis=0)
    sample = rng.uniform(-1, 1, (20_000, 2))
    sample = sample[(sample**2).sum(axis=1) <= 1]
    share = np.array(
        [
            ((sample[:, 0] * s + d) ** 2 + (sample[:, 1] * s) ** 2 <= w * w).mean()
            for d, s, w in zip(away, small, large, strict=True)
        ]
    )
    sure = {f"s{n}" for n in np.concatenate([i[share > 0.52], j[share > 0.52]]).tolist()}
    maybe = {f"s{n}" for n in np.concatenate([i[share > 0.48], j[share > 0.48]]).tolist()}
    found = {
        name for finding in lint(regions) if finding.code == "overlap" for name in finding.names
    }
    assert sure <= found <= maybe
    assert len(sure) > 50


def test_no_sentence_holds_a_position() -> None:
    regions = [
        *town(8).items(),
        ("a", Circle(60.17, 24.94, 20)),
        ("b", Circle(0, 0, 150)),
        ("c", circle_at()),
        ("d", box_at(3000, 30)),
    ]
    found = lint(list(regions))
    assert len(found) >= 5
    assert not any(re.search(r"60\.1|24\.9", finding.detail) for finding in found)
