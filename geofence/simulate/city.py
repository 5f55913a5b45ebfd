"""A plausible town: crooked streets, and the stores of three invented brands along them."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from geofence.model.place import Ring, Store
from geofence.simulate.streets import Link, Spot, Streets, lay_streets, to_degrees

TOWN = "Marrowfield"
CENTRE = (48.2310, 16.7420)  # open farmland, so that no real street gets an invented store
TIME_ZONE = "Europe/Vienna"

_STREETS = (
    "Fennel Street", "Mill Lane", "Heron Road", "Cooper Street", "Saint Alda Street", "Long Acre",
    "Rope Walk", "Orchard Road", "Bell Yard", "Station Road", "Quarry Hill", "Market Street",
    "Tanner Street", "North Gate", "Linden Avenue", "Salt Lane", "Castle Street", "Ferry Road",
    "Glover Street", "Hazel Grove", "Chandler Row", "Minster Street", "Old Wharf",
    "Juniper Street", "Weavers Walk",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Brand:
    """An invented retailer: number of stores, near radius, opening hours (OSM syntax)."""

    slug: str
    name: str
    kind: str
    stores: int
    near_m: float
    hours: tuple[str, ...]


BRANDS = (
    Brand(
        "third-kettle",
        "Third Kettle",
        "coffee",
        28,
        120.0,
        ("Mo-Fr 06:30-19:00; Sa,Su 08:00-18:00", "Mo-Su 07:00-20:00", "24/7"),
    ),
    Brand(
        "pellwood",
        "Pellwood Market",
        "groceries",
        20,
        150.0,
        ("Mo-Sa 07:00-22:00; Su 09:00-20:00", "24/7"),
    ),
    Brand(
        "hobb-larch",
        "Hobb & Larch",
        "home",
        12,
        180.0,
        ("Mo-Sa 09:30-19:00; Su off", "Mo-Sa 10:00-20:00; Su 11:00-17:00"),
    ),
)
WIDE_M = 400.0


@dataclass(frozen=True, slots=True)
class City:
    """A town.

    `doors` holds, for each of `stores`, its spot in metres and its street.
    """

    name: str
    lat: float
    lon: float
    time_zone: str
    streets: Streets
    stores: tuple[Store, ...]
    doors: tuple[tuple[Spot, Link], ...]

    def degrees(self, spot: Spot) -> tuple[float, float]:
        """(lat, lon) of a spot."""
        return to_degrees(spot, self.lat, self.lon)


def build_city(
    seed: int = 1, lat: float = CENTRE[0], lon: float = CENTRE[1], time_zone: str = TIME_ZONE
) -> City:
    """The town of that seed around a centre (degrees WGS84).

    625 crossings on 36 km2, 60 stores with a near and a wide ring.
    """
    chance = random.Random(f"city {seed}")
    streets = lay_streets(chance, across=25, block_m=250.0, names=_STREETS)
    doors: list[tuple[Spot, Link]] = []
    stores: list[Store] = []
    for brand in BRANDS:
        own: list[Spot] = []
        for number in range(1, brand.stores + 1):
            spot, link = _free_door(chance, streets, own, [door for door, _ in doors])
            own.append(spot)
            doors.append((spot, link))
            stores.append(
                _store(
                    chance,
                    brand,
                    number,
                    streets.names[link],
                    to_degrees(spot, lat, lon),
                    time_zone,
                )
            )
    return City(TOWN, lat, lon, time_zone, streets, tuple(stores), tuple(doors))


def _free_door(
    chance: random.Random, streets: Streets, own: list[Spot], others: list[Spot]
) -> tuple[Spot, Link]:
    """A door on some street, likelier towards the centre.

    It keeps a distance from other stores, and a larger one from stores of the same brand.
    """
    links = sorted(streets.names)
    apart_m = 500.0
    while True:
        link = chance.choice(links)
        spot = _beside(chance, streets.spots[link[0]], streets.spots[link[1]])
        is_central = chance.random() < math.exp(-((math.hypot(*spot) / 2_600.0) ** 2))
        is_free = _is_apart(spot, others, 60.0) and _is_apart(spot, own, apart_m)
        if is_central and is_free:
            return spot, link
        apart_m *= 0.999  # a full town moves its stores closer together


def _beside(chance: random.Random, start: Spot, end: Spot) -> Spot:
    """A spot 14 m beside a street, somewhere in its middle part."""
    (x1, y1), (x2, y2) = start, end
    along, side_m = chance.uniform(0.2, 0.8), chance.choice((-14.0, 14.0))
    length_m = math.dist(start, end)
    return (
        x1 + along * (x2 - x1) + side_m * (y1 - y2) / length_m,
        y1 + along * (y2 - y1) + side_m * (x2 - x1) / length_m,
    )


def _is_apart(spot: Spot, others: list[Spot], least_m: float) -> bool:
    return all(math.dist(spot, other) > least_m for other in others)


def _store(
    chance: random.Random,
    brand: Brand,
    number: int,
    street: str,
    place: tuple[float, float],
    time_zone: str,
) -> Store:
    return Store(
        external_id=f"{brand.slug}-{number:02d}",
        name=f"{brand.name}, {street}",
        lat=round(place[0], 6),
        lon=round(place[1], 6),
        brand=brand.slug,
        address=f"{chance.randrange(1, 180)} {street}, {TOWN}",
        time_zone=time_zone,
        opening_hours=chance.choice(brand.hours),
        tags=(brand.kind,),
        rings=(Ring("near", brand.near_m), Ring("wide", WIDE_M)),
    )
