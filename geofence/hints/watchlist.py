"""The geofences that a phone's own operating system should watch, and when its list is still good.

A list belongs to the place where it was made, its anchor. Its version names both:
`<anchor>-<digest>`. So the service remembers nothing: a phone that sends its version back lets it
make the same list again, see whether anything in it changed, and whether it still holds what
matters where the phone is now. Half of a list may go stale before a new one is worth sending.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import blake2b
from math import inf
from typing import NamedTuple

import msgspec

from geofence.places.catalogue import Catalogue
from regions.geometry.geodesy import circle_edge_m_one

ANCHOR_STEPS = 10_000  # anchors lie on a grid of a ten-thousandth of a degree, 11 m
LONGEST_VERSION = 32
# no list names a geofence further away: no phone drives there within a day, and one that flies asks
# again when it lands
FARTHEST_M = 1_000_000.0
SLACK_M = 1.0  # distances to an area's border are right within centimetres
_LONGITUDES = 360 * ANCHOR_STEPS + 1
_encode = msgspec.json.Encoder(order="deterministic").encode

Anchor = tuple[float, float]
Found = list[tuple[int, float]]


class Around(NamedTuple):
    """The geofences around an anchor, as seen from a place near it.

    `near_anchor` nearest first by the anchor's signed distances; `near_here` the same slots by the
    place's. Of those not among them none is nearer to the place than `sure_m`.
    """

    near_anchor: Found
    near_here: Found
    sure_m: float

    def sure(self, number: int) -> bool:
        """Whether the nearest `number` of the place are known: those of `near_here`."""
        return self.sure_m == inf or (
            number <= len(self.near_here) and self.near_here[number - 1][1] <= self.sure_m
        )


def around(
    catalogue: Catalogue, anchor: Anchor, here: Anchor, watch: int, open_to: Callable[[int], bool]
) -> Around:
    """At least `watch` geofences that are `open_to` something, or all within `FARTHEST_M`."""
    index, k = catalogue.index, watch
    found = index.nearest(*anchor, k)
    while len(found) == k and _too_few(found, watch, open_to):
        k *= 4
        found = index.nearest(*anchor, k)
    slots = [slot for slot, _ in found]
    edges_m = (
        index.edge_m([here[0]] * len(slots), [here[1]] * len(slots), slots).tolist()
        if slots
        else []
    )
    near_here = sorted(zip(slots, edges_m, strict=True), key=lambda one: one[1])
    away_m = circle_edge_m_one(*here, *anchor, 0.0)
    return Around(found, near_here, inf if len(found) < k else found[-1][1] - away_m - SLACK_M)


def _too_few(found: Found, watch: int, open_to: Callable[[int], bool]) -> bool:
    """Whether geofences further away than those found may belong in a list."""
    return found[-1][1] <= FARTHEST_M and sum(open_to(slot) for slot, _ in found) < watch


def watchlist(
    near_anchor: Found, entered: Iterable[int], watch: int, open_to: Callable[[int], bool]
) -> list[int]:
    """At most `watch` slots.

    The `entered` ones come first, since a phone must notice that it leaves, then those nearest to
    the anchor, up to `FARTHEST_M`. `open_to` says which slots can matter soon. The order is that of
    the slots, so that distances do not change it.
    """
    held = sorted(entered)[:watch]
    near = [
        slot
        for slot, edge_m in near_anchor
        if edge_m <= FARTHEST_M and open_to(slot) and slot not in set(held)
    ]
    return sorted([*held, *near[: watch - len(held)]])


def anchor_at(lat: float, lon: float) -> Anchor:
    """The grid point next to a position, degrees."""
    return round(lat * ANCHOR_STEPS) / ANCHOR_STEPS, round(lon * ANCHOR_STEPS) / ANCHOR_STEPS


def version_of(catalogue: Catalogue, anchor: Anchor, slots: Iterable[int]) -> str:
    """The anchor, and 48 bits over the uid and the region of each geofence in the list."""
    digest = blake2b(digest_size=6)
    for slot in slots:
        fence = catalogue.fences[slot]
        if fence is not None:
            digest.update(_encode((fence.uid, fence.region)))
    row, column = (
        round((degrees + half) * ANCHOR_STEPS)
        for degrees, half in zip(anchor, (90, 180), strict=True)
    )
    return f"{row * _LONGITUDES + column:x}-{digest.hexdigest()}"


def anchor_of(version: str) -> Anchor | None:
    """Where the list of that version was made; None where no list of ours can have that version."""
    if len(version) > LONGEST_VERSION:
        return None
    try:
        row, column = divmod(int(version.partition("-")[0], 16), _LONGITUDES)
    except ValueError:
        return None
    anchor = row / ANCHOR_STEPS - 90, column / ANCHOR_STEPS - 180
    return (round(anchor[0], 4), round(anchor[1], 4)) if 0 <= row <= 180 * ANCHOR_STEPS else None
