"""The channels. Each is one file or one folder, found by scanning.

A channel's module (or its folder's `__init__`) has `NAME` and `KIND`, a `ChannelKind`: the plan
that a campaign writes, the consent it needs, the address, the content, and how it is opened from
the settings. Modules that need a network library are imported where a channel is opened.
"""

from __future__ import annotations

import sys

from geofence.delivery.channel import ChannelKind
from geofence.model.campaign import register_message_plans
from geofence.plugins import discover

CHANNELS: dict[str, ChannelKind] = {
    name: module.KIND for name, module in discover(sys.modules[__name__]).items()
}
CAMPAIGN_CHANNELS = {name: kind for name, kind in CHANNELS.items() if kind.plan is not None}
PURPOSES = tuple(dict.fromkeys(kind.purpose for kind in CAMPAIGN_CHANNELS.values()))

# From here on campaigns can be decoded; see `MessagePlan`.
register_message_plans([kind.plan for kind in CAMPAIGN_CHANNELS.values() if kind.plan is not None])
