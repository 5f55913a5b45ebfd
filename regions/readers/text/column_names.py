"""Usual names of the columns that hold a position."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

LAT = ("lat", "latitude", "geo_lat", "lat_dd", "latitud", "breitengrad", "breite", "y")
LON = (
    "lon",
    "lng",
    "long",
    "longitude",
    "geo_lon",
    "geo_lng",
    "lon_dd",
    "longitud",
    "laengengrad",
    "längengrad",
    "länge",
    "x",
)
RADIUS = (
    "radius_m",
    "radius",
    "radius_meters",
    "radius_metres",
    "radius_in_meters",
    "geofence_radius",
    "geofence_radius_m",
    "fence_radius",
)
AREA = (
    "wkt",
    "wkt_geom",
    "geom_wkt",
    "geometry_wkt",
    "geometry",
    "geom",
    "the_geom",
    "geojson",
    "polygon",
    "shape",
    "boundary",
    "area",
)

_DEGREES = (
    "deg",
    "degs",
    "degree",
    "degrees",
    "decimal",
    "decimal degrees",
    "dd",
    "°",
    "° n",
    "° e",
    "°n",
    "°e",
    "grad",
    "wgs84",
    "wgs 84",
)
TEXTS = frozenset(
    {"external_id", "external_i", "id", "ref", "store", "ring", "name", "brand", "address"}
)
UNITS = ("radius_units", "radius_unit")


def radius_of(names: Sequence[str]) -> int | None:
    """Which of the plain names is a radius in metres.

    None where another column tells the unit, row by row.

    No name that only ends in one is: how far a shop delivers (`delivery_radius`) is not how large
    its geofence is.
    """
    return (
        None
        if any(name in UNITS for name in names)
        else next((names.index(word) for word in RADIUS if word in names), None)
    )


def plain_name(name: str) -> str:
    """A column's name in small letters, with `_` for everything between words.

    A unit of degrees in brackets is left out.
    """
    return re.sub(r"[\W_]+", "_", without_degrees(name).strip().lower()).strip("_")


def without_degrees(name: str) -> str:
    """The name without `(deg)`, `[°]` or `(WGS84)` at its end.

    What a position is in, if nothing else is said.
    """
    head, opened, unit = name.rstrip(" )]").replace("[", "(").rpartition("(")
    return head if opened and unit.strip().lower() in _DEGREES else name


@lru_cache(1_000)
def is_text(name: str) -> bool:
    """Whether a column holds texts even where one looks like JSON.

    The id `[1,2]` is no list, not even in a Shapefile, which cuts names to ten letters.
    """
    return plain_name(name) in TEXTS


def place_of(names: Sequence[str], words: Sequence[str]) -> int | None:
    """Which of the plain names is one of the words.

    Else the only one that ends in one (`address_latitude`).
    """
    exact = next((names.index(word) for word in words if word in names), None)
    if exact is not None:
        return exact
    ends = [name.rpartition("_")[2] for name in names]
    ending = [nth for nth, end in enumerate(ends) if end in words and len(end) > 1]
    return ending[0] if len(ending) == 1 else None
