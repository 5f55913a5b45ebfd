"""Distances on WGS84 whose sign is always that of `pyproj.Geod`.

A distance starts from the chord through the earth (no trigonometry per pair once positions are in
space, no special case at poles or at 180 degrees). Where its proven error leaves the decision open,
and beyond 200 km, Geod decides.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from pyproj import Geod

from regions.geometry.chord import FAR_M, arc_m, arc_m_one, doubt_m, doubt_m_one
from regions.geometry.ellipsoid import Floats, in_space, in_space_one

GEOD = Geod(ellps="WGS84")


def distance_m(lat: ArrayLike, lon: ArrayLike, to_lat: ArrayLike, to_lon: ArrayLike) -> Floats:
    """Distances in metres between positions in degrees; arrays broadcast.

    Right within 0.01 mm to 10 km, 0.1 m to 200 km.
    """
    return circle_edge_m(lat, lon, to_lat, to_lon, -1.0) - 1.0


def circle_edge_m(
    lat: ArrayLike, lon: ArrayLike, c_lat: ArrayLike, c_lon: ArrayLike, radius_m: ArrayLike
) -> Floats:
    """Signed distances in metres from positions to circles' edges, at most 0 inside.

    Arrays broadcast.
    """
    pings = np.broadcast_arrays(
        *(np.asarray(x, dtype=np.float64) for x in (lat, lon, c_lat, c_lon, radius_m))
    )
    here, there = in_space(pings[0], pings[1]), in_space(pings[2], pings[3])
    chord = np.sqrt(sum((a - b) ** 2 for a, b in zip(here, there, strict=True)))
    return edge_of_chord_m(np.asarray(chord), pings[0], pings[1], pings[2], pings[3], pings[4])


def edge_of_chord_m(
    chord: Floats, lat: Floats, lon: Floats, c_lat: Floats, c_lon: Floats, radius_m: Floats
) -> Floats:
    """Signed distances for chords already known; all arguments of one shape."""
    edge = np.atleast_1d(arc_m(chord) - radius_m)
    open_ = np.nonzero(
        np.atleast_1d((np.abs(edge.reshape(chord.shape)) <= doubt_m(chord)) | (chord > FAR_M))
    )
    if len(open_[0]):
        at = [np.atleast_1d(x)[open_] for x in (lon, lat, c_lon, c_lat, radius_m)]
        edge[open_] = GEOD.inv(at[0], at[1], at[2], at[3])[2] - at[4]
    return edge.reshape(chord.shape)


def circle_edge_m_one(lat: float, lon: float, c_lat: float, c_lon: float, radius_m: float) -> float:
    """`circle_edge_m` for one pair, without numpy."""
    chord = math.dist(in_space_one(lat, lon), in_space_one(c_lat, c_lon))
    return edge_of_chord_m_one(chord, lat, lon, c_lat, c_lon, radius_m)


def edge_of_chord_m_one(
    chord: float, lat: float, lon: float, c_lat: float, c_lon: float, radius_m: float
) -> float:
    """`edge_of_chord_m` for one pair."""
    edge = arc_m_one(chord) - radius_m
    if abs(edge) <= doubt_m_one(chord) or chord > FAR_M:
        return float(GEOD.inv(lon, lat, c_lon, c_lat)[2]) - radius_m
    return edge
