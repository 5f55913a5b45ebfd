"""The geofences a phone's own operating system should watch, and when the list it has is still good enough.

A list belongs to the place where it was made, its anchor, and its version tells both: `<anchor>-<digest>`. So nothing has to
be remembered here: a phone that sends its version back lets us make the same list again, see whether anything in it changed,
and whether it still holds what matters where the phone is now. Half of it may go stale before a new one is worth sending.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from hashlib import blake2b

import msgspec

from geofence.catalogue import Catalogue

ANCHOR_STEPS = 10_000  # anchors lie on a grid of a ten-thousandth of a degree, 11 m
LONGEST_VERSION = 32
_LONGITUDES = 360 * ANCHOR_STEPS + 1
_encode = msgspec.json.Encoder(order="deterministic").encode

Anchor = tuple[float, float]
Found = list[tuple[int, float]]


def nearest_until(catalogue: Catalogue, lat: float, lon: float, first: int, enough: Callable[[Found], bool]) -> Found:
    """(slot, signed edge in metres) nearest first: at least `first`, and more until they are `enough` or there are no more."""
    k = max(first, 1)
    while True:
        found = catalogue.index.nearest(lat, lon, k)
        if len(found) < k or enough(found):
            return found
        k *= 4


def watchlist(catalogue: Catalogue, anchor: Anchor, entered: Iterable[int], watch: int, open_to: Callable[[int], bool]) -> list[int]:
    """At most `watch` slots: the `entered` ones, since a phone must notice that it leaves, then the nearest to `anchor`.

    `open_to` tells which slots can matter soon. The order is that of the slots, so that distances do not change it.
    """
    found = nearest_until(catalogue, *anchor, watch, lambda some: sum(open_to(slot) for slot, _ in some) >= watch)
    held = sorted(entered)[:watch]
    near = [slot for slot, _ in found if open_to(slot) and slot not in set(held)]
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
    row, column = (round((degrees + half) * ANCHOR_STEPS) for degrees, half in zip(anchor, (90, 180), strict=True))
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
