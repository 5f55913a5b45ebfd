"""How far and how long the phone may sleep, and which geofences its own operating system should watch."""

from __future__ import annotations

from geofence.catalogue import Catalogue
from geofence.model.presence import DeviceState
from geofence.model.receipt import Hint, Near

FASTEST_MPS = 35.0  # 126 km/h: nobody reaches a store faster on the ground
LEAST_PING_S = 10
LONGEST_PING_S = 3600


def hint(catalogue: Catalogue, state: DeviceState, lat: float, lon: float, watch: int) -> Hint:
    """The hint for a device at (lat, lon) degrees that can watch `watch` geofences (iOS 19, Android 99).

    Within `safe_radius_m` of there no position can make an event while the index stays as it is: every geofence not entered
    is at least that far, every entered one's edge too.
    """
    nearest = catalogue.index.nearest(lat, lon, watch)
    inside = {uid for uid, presence in state.presences.items() if presence.inside}
    edges = dict(nearest)
    for uid in inside & catalogue.slot_of.keys():
        slot = catalogue.slot_of[uid]
        edges.setdefault(slot, catalogue.index.edge_m_one(lat, lon, slot))
    safe_m: float | None = None
    for slot, edge_m in edges.items():
        fence = catalogue.fences[slot]
        rooms_m = -edge_m if fence is not None and fence.uid in inside else edge_m
        safe_m = max(0.0, rooms_m) if safe_m is None else min(safe_m, max(0.0, rooms_m))
    near = tuple(Near(fence, edge_m) for slot, edge_m in nearest if (fence := catalogue.fences[slot]) is not None)
    return Hint(None if safe_m is None else round(safe_m, 1), _next_ping_s(catalogue, state, safe_m), near)


def _next_ping_s(catalogue: Catalogue, state: DeviceState, safe_m: float | None) -> int:
    longest_s = LONGEST_PING_S
    for uid, presence in state.presences.items():
        slot = catalogue.slot_of.get(uid)
        rules = None if slot is None else catalogue.rules[slot]
        if presence.inside and rules is not None and rules.presence_timeout_ms is not None:
            longest_s = min(longest_s, rules.presence_timeout_ms // 2000)
    if safe_m is None:
        return longest_s
    return max(min(int(safe_m / FASTEST_MPS), longest_s), min(LEAST_PING_S, longest_s))
