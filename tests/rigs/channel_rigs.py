"""How each channel is set up on loopback, and what the tests of all channels send."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from api.sandbox import Sandbox
from geofence.delivery.channel import Channel
from geofence.delivery.channels.email.channel import Email
from geofence.delivery.channels.email.connection import Patience
from geofence.delivery.channels.fcm.channel import Fcm
from geofence.delivery.channels.webhook.channel import LIMITS, Webhook
from geofence.delivery.http.exchange import Limits
from geofence.model.message import ChannelName, OutboxMessage, Outcome
from tests.rigs.receiver import running_receiver

NOW_MS = time.time_ns() // 1_000_000
SECRET = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz"
SOON = Limits(connect_s=1, total_s=1, wait_s=5)
CONTENT: dict[ChannelName, dict[str, Any]] = {
    "push": {"title": "2 for 1", "body": "Coffee", "link": "app://offers/1", "data": {"store": 17}},
    "email": {
        "subject": "2 for 1",
        "text": "Coffee",
        "html": "<p>Coffee</p>",
        "unsubscribe_url": "https://shop.example/u/1",
    },
    "webhook": {"type": "geofence.entered", "data": {"id": "evt_1"}, "secret": SECRET},
}


class Rig(NamedTuple):
    """A channel, the address of a receiver that is well, and that of one that never answers."""

    channel: Channel
    good: str
    hanging: str


def message(
    number: int, channel: ChannelName, address: str, expires_ms: int | None = None, **content: Any
) -> OutboxMessage:
    """A message with the content its channel needs, changed by `content`."""
    return OutboxMessage(
        f"msg_{number:026d}",
        "prj",
        channel,
        address,
        CONTENT[channel] | content,
        NOW_MS - 5_000,
        expires_ms or NOW_MS + 86_400_000,
    )


def send_one(channel: Channel, sent: OutboxMessage, now_ms: int = NOW_MS) -> Outcome:
    """The one outcome of a batch of one."""
    [(message_id, outcome)] = list(channel.send([sent], now_ms))
    assert message_id == sent.id
    return outcome


def own_threads() -> list[str]:
    """Threads of channels that still run."""
    return [
        thread.name
        for thread in threading.enumerate()
        if thread.name in ("geofence-transport", "geofence-smtp")
    ]


@contextmanager
def _push() -> Iterator[Rig]:
    with Sandbox.start() as sandbox:
        yield Rig(
            Fcm(sandbox.credentials_path, endpoint=sandbox.fcm_endpoint, limits=SOON),
            "token",
            "hang:token",
        )


@contextmanager
def _email() -> Iterator[Rig]:
    with Sandbox.start() as sandbox:
        channel = Email(
            sandbox.smtp_url,
            sender="Shop <offers@shop.example>",
            patience=Patience(step_s=1, total_s=1, wait_s=5),
        )
        yield Rig(channel, "ann@example.com", "hang+ann@example.com")


@contextmanager
def _webhook() -> Iterator[Rig]:
    with running_receiver() as receiver:
        yield Rig(
            Webhook(allow_private=True, limits=LIMITS._replace(total_s=1)),
            receiver.url(),
            receiver.url("/hang"),
        )


RIGS: dict[str, Callable[[], Any]] = {
    "push": _push,
    "email": _email,
    "webhook": _webhook,
}
