"""A message as Firebase Cloud Messaging wants it (FCM HTTP v1, `projects.messages`)."""

from __future__ import annotations

from typing import Any

import msgspec

from geofence.model.message import OutboxMessage

MAX_PAYLOAD_BYTES = 4096  # notification and data together, as FCM counts
MAX_TTL_S = 28 * 86_400  # FCM keeps nothing longer


def arguments(message: OutboxMessage, now_ms: int) -> dict[str, Any]:
    """The arguments of pyfcm's `parse_payload` for a message that is handed over now.

    The message id is the collapse key, the APNs collapse id and the tag of the shown notification,
    so that a phone that gets the message twice replaces the first. The time to live is what is left
    until `expires_ms`, rounded down so that nothing shows late.
    """
    content = message.content
    ttl_s = min(MAX_TTL_S, max(0, message.expires_ms - now_ms) // 1000)
    android = {
        "priority": "high",
        "collapse_key": message.id,
        "notification": {"tag": message.id},
        "ttl": f"{ttl_s}s",
    }
    apns = {
        "apns-priority": "10",
        "apns-collapse-id": message.id,
        "apns-expiration": str(message.expires_ms // 1000),
    }
    settings = {
        "android_config": android,
        "apns_config": {"headers": apns},
        "webpush_config": {"headers": {"TTL": str(ttl_s)}},
    }
    return settings | {
        "fcm_token": message.address,
        "notification_title": content.get("title"),
        "notification_body": content.get("body"),
        "notification_image": content.get("image"),
        "data_payload": _data(message),
    }


def size_bytes(prepared: dict[str, Any]) -> int:
    """What counts against `MAX_PAYLOAD_BYTES`.

    The UTF-8 length of notification and data as JSON.
    """
    notification = [prepared[f"notification_{part}"] for part in ("title", "body", "image")]
    return len(msgspec.json.encode([notification, prepared["data_payload"]]))


def _data(message: OutboxMessage) -> dict[str, str]:
    """Data values are strings in FCM; a number sent as a number is refused."""
    given = dict(message.content.get("data") or {})
    link = message.content.get("link")
    given |= {"message_id": message.id} | ({"link": link} if link else {})
    return {str(key): _text(value) for key, value in given.items() if value is not None}


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
