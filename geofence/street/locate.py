"""Step 2: which geofences each ping may be in.

Candidates come by cell for a whole batch, then the exact distance to each edge.
"""

from __future__ import annotations

import numpy as np

from geofence.model.ping import Pings
from geofence.model.sightings import Sightings
from regions.index.index import Index


def locate(index: Index, pings: Pings) -> Sightings:
    """Every geofence whose cover holds the ping's cell, with its exact signed distance."""
    if len(pings) == 1:
        return _locate_one(index, float(pings.lat[0]), float(pings.lon[0]))
    found = index.candidates(pings.lat, pings.lon)
    edge_m = index.edge_m(pings.lat[found.ping], pings.lon[found.ping], found.slot)
    start = np.searchsorted(found.ping, np.arange(len(pings) + 1))
    return Sightings(start.astype(np.int64), found.slot, edge_m)


def _locate_one(index: Index, lat: float, lon: float) -> Sightings:
    """`locate` for a single ping, without the cost of columns."""
    slots = index.candidates_one(lat, lon)
    edge_m = [index.edge_m_one(lat, lon, slot) for slot in slots]
    return Sightings(
        np.array([0, len(slots)], dtype=np.int64),
        np.array(slots, dtype=np.int64),
        np.array(edge_m, dtype=np.float64),
    )
