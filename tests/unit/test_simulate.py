"""The invented town is the same for the same seed, whole, and plausible."""

from __future__ import annotations

import itertools
import math

import pytest
from opening_hours import OpeningHours
from pyproj import Geod

from geofence.model.ping import PingIn
from geofence.simulate.city import BRANDS, build_city
from geofence.simulate.shoppers import AGREED, Shopper, shoppers
from geofence.simulate.streets import to_degrees
from geofence.simulate.walk import people, walk

GEOD = Geod(ellps="WGS84")
START_MS = 1_764_000_000_000


def first(n: int, seed: int = 1, **more: float) -> list[PingIn]:
    return list(itertools.islice(walk(build_city(seed), START_MS, seed, **more), n))


def test_the_same_seed_gives_the_same_town_and_the_same_pings() -> None:
    assert build_city(7) == build_city(7)
    assert first(2_000, 7) == first(2_000, 7)


def test_another_seed_gives_another_town_and_other_pings() -> None:
    assert build_city(7).stores != build_city(8).stores
    assert first(100, 7) != first(100, 8)


def test_the_town_has_sixty_stores_of_three_brands_with_two_rings() -> None:
    stores = build_city().stores
    assert len({store.external_id for store in stores}) == 60
    assert {store.brand for store in stores} == {brand.slug for brand in BRANDS}
    assert {tuple(ring.name for ring in store.rings) for store in stores} == {("near", "wide")}


def test_every_stores_opening_hours_can_be_read() -> None:
    for hours in {hours for brand in BRANDS for hours in brand.hours}:
        assert OpeningHours(hours)


@pytest.mark.parametrize("seed", range(12))
def test_no_crossing_is_cut_off_from_the_rest(seed: int) -> None:
    streets = build_city(seed).streets
    seen, queue = {0}, [0]
    while queue:
        fresh = [there for there in streets.links[queue.pop()] if there not in seen]
        seen.update(fresh)
        queue += fresh
    assert len(seen) == len(streets.spots)


def test_a_way_is_a_chain_of_streets_and_never_longer_than_a_detour() -> None:
    streets = build_city().streets
    way = streets.way(3, 611)
    assert (way[0], way[-1]) == (3, 611)
    assert all(there in streets.links[here] for here, there in itertools.pairwise(way))

    def total_m(stops: list[int]) -> float:
        return sum(streets.length_m(a, b) for a, b in itertools.pairwise(stops))

    assert all(
        total_m(way) <= total_m(streets.way(3, over)) + total_m(streets.way(over, 611)) + 1e-6
        for over in (50, 300, 555)
    )


@pytest.mark.parametrize("lat", [-64.0, 0.0, 48.231])
def test_metres_become_degrees_within_two_decimetres_per_kilometre(lat: float) -> None:
    there = to_degrees((600.0, -800.0), lat, 16.0)
    assert GEOD.inv(16.0, lat, there[1], there[0])[2] == pytest.approx(1_000.0, abs=0.2)


def test_pings_come_in_the_order_of_time_and_never_before_the_start() -> None:
    times = [ping.ts for ping in first(5_000)]
    assert times == sorted(times)
    assert times[0] >= START_MS


def test_everybody_is_heard_of_within_the_first_quarter_minute() -> None:
    heard = {
        ping.device_id
        for ping in itertools.takewhile(
            lambda ping: ping.ts < START_MS + 15_000, walk(build_city(), START_MS)
        )
    }
    assert heard == {mover.device_id for mover in people()}


def test_somebody_steps_into_a_ring_within_the_first_seconds() -> None:
    city = build_city()
    soon = itertools.takewhile(lambda ping: ping.ts < START_MS + 10_000, walk(city, START_MS))
    rings = [(store.lat, store.lon, store.rings[0].radius_m) for store in city.stores]
    assert any(
        GEOD.inv(lon, lat, ping.lon, ping.lat)[2] <= radius_m
        for ping in soon
        for lat, lon, radius_m in rings
    )


def arrivals(brand: str, reach: str) -> set[str]:
    """Who of that reach is seen within a near ring of the brand in the first half minute."""
    city = build_city()
    rings = [
        (store.lat, store.lon, store.rings[0].radius_m)
        for store in city.stores
        if store.brand == brand
    ]
    wanted = {who.device.device_id for who in townspeople() if who.reach == reach}
    soon = itertools.takewhile(lambda ping: ping.ts < START_MS + 30_000, walk(city, START_MS))
    seen = (ping for ping in soon if ping.device_id in wanted)
    return {
        ping.device_id
        for ping in seen
        if any(GEOD.inv(lon, lat, ping.lon, ping.lat)[2] <= far_m for lat, lon, far_m in rings)
    }


def townspeople(seed: int = 1) -> tuple[Shopper, ...]:
    return shoppers(people(seed), START_MS, seed)


def test_a_customer_for_push_and_a_customer_for_mail_come_to_a_coffee_bar_soon() -> None:
    assert len(arrivals("third-kettle", "push and e-mail")) >= 3
    assert len(arrivals("third-kettle", "e-mail")) >= 3


def test_the_same_seed_gives_the_same_shoppers_and_another_seed_others() -> None:
    assert townspeople(3) == townspeople(3)
    assert townspeople(3) != townspeople(4)


def test_some_may_be_reported_by_push_some_by_mail_only_some_not_at_all_and_some_nobody_knows() -> (
    None
):
    reached = {reach: [who for who in townspeople() if who.reach == reach] for reach in AGREED}
    assert all(len(some) >= 15 for some in reached.values())
    assert all(who.device.push_token and who.customer for who in reached["push and e-mail"])
    assert all(
        who.device.push_token is None and who.customer and who.customer.email
        for who in reached["e-mail"]
    )
    assert all(who.customer and not who.customer.agreed("location") for who in reached["nothing"])
    assert all(
        who.customer is None and who.device.customer_id is None for who in reached["unknown"]
    )


def test_nobody_has_the_device_the_account_the_address_or_the_token_of_another() -> None:
    everybody = townspeople()
    customers = [who.customer for who in everybody if who.customer]
    assert len({who.device.device_id for who in everybody}) == len(everybody)
    assert len({customer.customer_id for customer in customers}) == len(customers)
    assert len({customer.email for customer in customers}) == len(customers)
    tokens = [who.device.push_token for who in everybody if who.device.push_token]
    assert len(set(tokens)) == len(tokens)


def test_every_address_ends_where_no_mail_is_ever_delivered() -> None:
    assert all(
        who.customer.email.endswith(".example")
        for who in townspeople()
        if who.customer and who.customer.email
    )


def test_people_in_a_hurry_walk_faster_but_nobody_jumps() -> None:
    calm, hurried = (
        max(ping.speed_mps for ping in first(5_000, hurry=hurry)) for hurry in (1.0, 20.0)
    )
    assert calm < 15.0 < hurried <= 60.0


def test_two_thirds_of_all_fixes_lie_within_the_accuracy_they_state() -> None:
    city, exact = build_city(), {}
    mover = people(count=1)[0]
    offs = []
    for ping in itertools.islice(walk(city, START_MS, count=1), 20_000):
        if ping.speed_mps == 0.0:  # standing still: the middle of all its fixes is where it stands
            exact.setdefault(mover.device_id, []).append(ping)
        elif len(still := exact.pop(mover.device_id, [])) > 15:
            lat, lon = (
                sum(getattr(fix, axis) for fix in still) / len(still) for axis in ("lat", "lon")
            )
            offs += [GEOD.inv(lon, lat, fix.lon, fix.lat)[2] / fix.accuracy_m for fix in still]
    share = sum(off <= 1.0 for off in offs) / len(offs)
    assert 0.60 < share < 0.80
    assert math.isfinite(max(offs))
