"""Step 2 of the street: a ping alone is found where it is found among others."""

from __future__ import annotations

import numpy as np

from geofence.model.ping import PingIn
from geofence.street.locate import locate
from geofence.street.normalise import normalise
from regions.index.index import Index
from tests.rigs.places import a_circle, an_area


def test_a_ping_alone_has_the_sightings_it_has_in_a_batch() -> None:
    rng = np.random.default_rng(4)
    index = Index.build([(a_circle if nth % 2 else an_area)(rng).region for nth in range(40)])
    lat, lon, _ = index._shapes.balls.T
    items = [
        (n, PingIn(device_id=f"d{n}", lat=float(a), lon=float(b), ts=1_700_000_000_000))
        for n, (a, b) in enumerate(zip(lat, lon, strict=True))
    ]
    pings, _ = normalise([items], None)
    together = locate(index, pings)
    assert len(together.slot) >= 20
    for row, item in enumerate(items):
        alone = locate(index, normalise([[item]], None)[0])
        part = slice(together.start[row], together.start[row + 1])
        assert alone.start.tolist() == [0, len(alone.slot)]
        assert alone.slot.tolist() == together.slot[part].tolist()
        assert np.allclose(alone.edge_m, together.edge_m[part], rtol=0, atol=1e-6)
