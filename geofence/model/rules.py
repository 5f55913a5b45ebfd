"""The rules of one geofence, as detection reads them."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Rules(NamedTuple):
    """A geofence's profile with every default filled in.

    Distances are metres and times milliseconds; None switches a rule off.
    """

    profile: Literal["exact", "balanced", "strict"]
    inradius_m: float
    max_accuracy_m: float
    exit_margin_m: float
    confirm_ms: int
    cool_down_ms: int
    presence_timeout_ms: int | None
    dwell_s: tuple[int, ...]
    active_until_ms: int | None = None
