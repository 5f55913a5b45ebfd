"""What an edit of stores or geofences leaves behind for the index and for those who are inside."""

from __future__ import annotations

from typing import Any, NamedTuple

from geofence.model.campaign import Campaign
from geofence.model.place import Geofence


class CampaignChange(NamedTuple):
    """A campaign before and after an edit; None where there is none."""

    before: Campaign | None
    after: Campaign | None

    def then(self, later: CampaignChange | None) -> CampaignChange:
        """What both edits make together."""
        return self if later is None else CampaignChange(self.before, later.after)


class EditResult(NamedTuple):
    """The outcome of an edit.

    `changed` geofences go into the index, `removed` uids leave it and end their visits.

    `reload` asks for the whole project's index anew (its default profile changed, say); `campaigns`
    is the campaign that changed.
    """

    value: Any
    changed: tuple[Geofence, ...] = ()
    removed: tuple[str, ...] = ()
    reload: bool = False
    campaigns: CampaignChange | None = None
