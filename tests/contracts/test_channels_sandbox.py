"""The sandbox keeps to the providers' protocols, and shows what has arrived."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.sandbox import Sandbox
from api.sandbox.command import line
from geofence.delivery.channels.fcm.channel import Fcm
from tests.rigs.channel_rigs import NOW_MS, SOON, message


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox.start() as made:
        yield made


@pytest.fixture
def channel(sandbox: Sandbox) -> Iterator[Fcm]:
    made = Fcm(sandbox.credentials_path, endpoint=sandbox.fcm_endpoint, limits=SOON)
    yield made
    made.close()


def post(sandbox: Sandbox, path: str, body: Any, token: str = "") -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.post(
        sandbox.fcm_endpoint + path,
        content=body if isinstance(body, str) else json.dumps(body),
        headers=headers,
    )


def a_token(sandbox: Sandbox) -> str:
    channel = Fcm(sandbox.credentials_path, endpoint=sandbox.fcm_endpoint)
    token = channel._tokens.bearer()
    channel.close()
    return token


SEND = "/v1/projects/geofence-sandbox/messages:send"


def test_a_push_without_a_token_it_gave_out_is_refused(sandbox: Sandbox) -> None:
    for token in ("", "made-up"):
        answer = post(sandbox, SEND, {"message": {"token": "t"}}, token)
        assert (answer.status_code, answer.json()["error"]["status"]) == (401, "UNAUTHENTICATED")
    assert sandbox.attempts() == []


@pytest.mark.parametrize("assertion", ["", "a.b.c", "nonsense"])
def test_an_assertion_it_did_not_sign_gets_no_token(sandbox: Sandbox, assertion: str) -> None:
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": assertion}
    answer = httpx.post(f"{sandbox.fcm_endpoint}/token", data=form)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        {"message": {}},
        {"message": {"token": "t", "data": {"n": 5}}},
        {"message": {"token": "t", "colour": 1}},
    ],
)
def test_a_payload_the_provider_would_refuse_is_refused(sandbox: Sandbox, body: Any) -> None:
    answer = post(sandbox, SEND, body, a_token(sandbox))
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")


def test_a_refusal_of_a_number_in_data_names_the_field(sandbox: Sandbox) -> None:
    answer = post(sandbox, SEND, {"message": {"token": "t", "data": {"n": 5}}}, a_token(sandbox))
    assert answer.json()["error"]["details"][0]["fieldViolations"][0]["field"] == "message.data"


def test_the_inbox_lists_pushes_over_http_and_tells_refused_ones(
    sandbox: Sandbox, channel: Fcm
) -> None:
    list(channel.send([message(1, "push", "token"), message(2, "push", "unregistered:b")], NOW_MS))
    items = httpx.get(f"{sandbox.fcm_endpoint}/inbox").json()["data"]
    assert {(item["to"], item["delivered"]) for item in items} == {
        ("token", True),
        ("unregistered:b", False),
    }
    assert (
        httpx.get(f"{sandbox.fcm_endpoint}/inbox", params={"after": items[0]["seq"]}).json()["data"]
        == items[1:]
    )
    assert [item.to for item in sandbox.inbox()] == ["token"]


def test_the_stream_tells_of_a_push_as_it_arrives(sandbox: Sandbox, channel: Fcm) -> None:
    with httpx.stream("GET", f"{sandbox.fcm_endpoint}/inbox/stream", timeout=10) as stream:
        lines = stream.iter_lines()
        assert next(lines).startswith(":")
        list(channel.send([message(1, "push", "token")], NOW_MS))
        shown = next(text for text in lines if text.startswith("data: "))
    assert json.loads(shown.removeprefix("data: "))["title"] == "2 for 1"


def test_the_page_is_whole_without_anything_from_elsewhere(sandbox: Sandbox) -> None:
    page = httpx.get(f"{sandbox.fcm_endpoint}/").text
    assert "<title>Geofence sandbox</title>" in page
    assert "http://" not in page
    assert "https://" not in page
    (icon,) = re.findall(r'<link rel="icon" href="([^"]+)"', page)
    for path in (icon, "/favicon.ico"):
        answer = httpx.get(sandbox.fcm_endpoint + path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")


def test_a_behaviour_can_be_set_over_http_for_the_next_few(sandbox: Sandbox, channel: Fcm) -> None:
    assert (
        post(
            sandbox, "/scripts", {"to": "token", "behaviour": "unregistered", "times": 1}
        ).status_code
        == 200
    )
    verdicts = [
        outcome.verdict
        for _ in range(2)
        for _, outcome in channel.send([message(1, "push", "token")], NOW_MS)
    ]
    assert verdicts == ["drop_address", "sent"]


@pytest.mark.parametrize("body", ["", {"to": "x"}, {"to": "x", "behaviour": "dance"}])
def test_an_unknown_behaviour_is_refused(sandbox: Sandbox, body: Any) -> None:
    assert post(sandbox, "/scripts", body).status_code == 400


def test_waiting_for_more_than_arrives_says_how_many_did(sandbox: Sandbox) -> None:
    with pytest.raises(TimeoutError, match="0 of 1"):
        sandbox.wait_for(1, 0.01)


def test_the_account_stays_the_same_when_the_sandbox_starts_again(tmp_path: Path) -> None:
    keys = []
    for _ in range(2):
        with Sandbox.start(directory=tmp_path) as sandbox:
            keys.append(json.loads(Path(sandbox.credentials_path).read_text())["private_key"])
            assert Path(sandbox.credentials_path).stat().st_mode & 0o777 == 0o600
    assert keys[0] == keys[1]


def test_a_taken_port_is_an_error_and_leaves_no_thread(sandbox: Sandbox) -> None:
    before = threading.active_count()
    with pytest.raises(OSError, match="in use"):
        Sandbox.start(fcm_port=int(sandbox.fcm_endpoint.rpartition(":")[2]))
    assert threading.active_count() == before


def test_a_line_of_the_terminal_shows_title_body_and_refusal(
    sandbox: Sandbox, channel: Fcm
) -> None:
    list(channel.send([message(1, "push", "unregistered:b")], NOW_MS))
    [item] = sandbox.attempts()
    assert "2 for 1  Coffee  refused 404" in line(item).plain
