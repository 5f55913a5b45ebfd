"""What `locate` found for a batch of pings, as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geofence.model.ping import Floats


@dataclass(frozen=True, slots=True)
class Sightings:
    """Sightings of a batch, sorted by ping: those of ping i are rows `start[i]:start[i + 1]`.

    `start` (n + 1,) int64; `slot` (m,) int64 the geofence's place in the index; `edge_m` (m,)
    signed metres to its edge.
    """

    start: NDArray[np.int64]
    slot: NDArray[np.int64]
    edge_m: Floats
