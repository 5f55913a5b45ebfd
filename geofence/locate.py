"""Step 2: which geofences may each ping be in? Candidates by cell for a whole batch, then the exact distance to each edge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geofence.model.ping import Floats, Pings
from regions.index.index import Index


@dataclass(frozen=True, slots=True)
class Located:
    """Sightings of a batch, sorted by ping: those of ping i are rows `start[i]:start[i + 1]`.

    `start` (n + 1,) int64; `slot` (m,) int64 the geofence's place in the index; `edge_m` (m,) signed metres to its edge.
    """

    start: NDArray[np.int64]
    slot: NDArray[np.int64]
    edge_m: Floats


def locate(index: Index, pings: Pings) -> Located:
    """Every geofence whose cover holds the ping's cell, with its exact signed distance."""
    if len(pings) == 1:
        return _locate_one(index, float(pings.lat[0]), float(pings.lon[0]))
    found = index.candidates(pings.lat, pings.lon)
    edge_m = index.edge_m(pings.lat[found.ping], pings.lon[found.ping], found.slot)
    start = np.searchsorted(found.ping, np.arange(len(pings) + 1))
    return Located(start.astype(np.int64), found.slot, edge_m)


def _locate_one(index: Index, lat: float, lon: float) -> Located:
    """A ping that comes alone need not pay for columns."""
    slots = [slot for slot, _ in index.candidates_one(lat, lon)]
    edge_m = [index.edge_m_one(lat, lon, slot) for slot in slots]
    return Located(np.array([0, len(slots)], dtype=np.int64), np.array(slots, dtype=np.int64), np.array(edge_m, dtype=np.float64))
