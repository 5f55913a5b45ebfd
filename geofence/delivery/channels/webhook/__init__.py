"""Webhooks: signed requests to a subscriber.

The channel is built and tested, and nothing opens it yet: no campaign may name it, and routes for
subscriptions come with a later version.
"""

from __future__ import annotations

from geofence.delivery.channel import ChannelKind

NAME = "webhook"
RETRY_S = (5, 300, 1800, 7200, 18_000, 36_000, 50_400)  # 5 s, 5 min, 30 min, 2, 5, 10 and 14 h

KIND = ChannelKind(NAME)
