"""An edit as data: what it is to do, and what it leaves behind for the index and open visits."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from geofence.model.campaign import Campaign
from geofence.model.place import Geofence


class CampaignChange(NamedTuple):
    """A campaign before and after an edit; None where there is none."""

    before: Campaign | None
    after: Campaign | None

    def then(self, later: CampaignChange | None) -> CampaignChange:
        """What both edits make together."""
        return self if later is None else CampaignChange(self.before, later.after)


class EditArguments(msgspec.Struct, frozen=True, tag_field="kind"):
    """The arguments of an edit: plain data, which MessagePack carries without loss.

    Each kind of edit is a subclass whose `tag` is the kind, in a module `edits` of the room whose
    code it runs. `street/handlers.py` finds its handler there.
    """

    @property
    def kind(self) -> str:
        """The kind of edit, which names its handler."""
        return str(self.__struct_config__.tag)


class EditResult(NamedTuple):
    """The outcome of an edit.

    `value` is what the caller gets. `changed` geofences go into the index; `removed` uids leave it
    and their visits end. `reload` asks for the whole project's index again (its default profile
    changed, say); `campaigns` is the campaign that changed.
    """

    value: Any
    changed: tuple[Geofence, ...] = ()
    removed: tuple[str, ...] = ()
    reload: bool = False
    campaigns: CampaignChange | None = None
