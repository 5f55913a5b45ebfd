"""What an edit of stores or geofences leaves behind for the index and for those who are inside."""

from __future__ import annotations

from typing import Any, NamedTuple

from geofence.model.place import Geofence


class Edited(NamedTuple):
    """The outcome of an edit. `changed` geofences go into the index, `removed` uids leave it and end their visits.

    `reload` asks for the whole project's index anew (its default profile changed, say), `campaigns` only for
    its campaigns.
    """

    value: Any
    changed: tuple[Geofence, ...] = ()
    removed: tuple[str, ...] = ()
    reload: bool = False
    campaigns: bool = False
