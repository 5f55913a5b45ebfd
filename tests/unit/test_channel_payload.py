"""A message as FCM wants it, through pyfcm."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pyfcm import FCMNotification

from geofence.delivery.channels.fcm.payload import MAX_TTL_S, arguments, size_bytes
from geofence.model.message import OutboxMessage

NOW_MS = 1_795_000_000_000


def written(expires_ms: int = NOW_MS + 900_000, **content: Any) -> dict[str, Any]:
    sent = OutboxMessage("msg_1", "prj", "push", "token", content, NOW_MS, expires_ms)
    pyfcm = FCMNotification(credentials=object())
    return json.loads(pyfcm.parse_payload(**arguments(sent, NOW_MS)))["message"]


@pytest.mark.parametrize(
    ("left_ms", "ttl"),
    [(900_000, "900s"), (1_999, "1s"), (999, "0s"), (-5, "0s"), (10**12, f"{MAX_TTL_S}s")],
)
def test_time_to_live_is_what_is_left_rounded_down(left_ms: int, ttl: str) -> None:
    assert written(NOW_MS + left_ms, title="a")["android"]["ttl"] == ttl


def test_data_values_are_strings_and_the_message_id_is_among_them() -> None:
    data = written(
        data={"n": 5, "f": 1.5, "yes": True, "list": [1, "a"], "none": None, 7: "seven"}
    )["data"]
    assert data == {
        "n": "5",
        "f": "1.5",
        "yes": "true",
        "list": '[1,"a"]',
        "7": "seven",
        "message_id": "msg_1",
    }


def test_a_message_without_title_and_body_is_data_only() -> None:
    assert "notification" not in written(data={"n": 5})


def test_the_size_counts_bytes_and_not_letters() -> None:
    def size(body: str) -> int:
        return size_bytes(
            arguments(
                OutboxMessage("msg_1", "prj", "push", "t", {"body": body}, NOW_MS, NOW_MS), NOW_MS
            )
        )

    assert size("é" * 100) - size("") == 200
