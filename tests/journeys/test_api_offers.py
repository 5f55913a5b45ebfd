"""From a step inside to a push or an e-mail, and from there to the till.

And how a shopper ends it.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.sandbox import Received, Sandbox
from tests.rigs.offers import (
    EMAIL,
    INAPP,
    LAT,
    LON,
    PUSH,
    STORE,
    YES,
    open_front,
    plan,
    register,
    step_inside,
)
from tests.rigs.running import Service
from tests.rigs.shop import Shop, until

GEOFENCE = str(Path(sys.executable).with_name("geofence"))
GATES = ["active", "schedule", "identified", "consent"]
TOKEN = "token-of-kim-0123456789"
CLICK = {"List-Unsubscribe": "One-Click"}


def _command(*words: str, log: Path, **settings: str) -> subprocess.Popen[bytes]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GEOFENCE_")}
    with log.open("ab") as out:
        return subprocess.Popen([GEOFENCE, *words], env=clean | settings, stdout=out, stderr=out)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A push provider and a mail relay."""
    with Sandbox.start() as box:
        yield box


@pytest.fixture(params=("sqlite", "postgresql"))
def service(request: pytest.FixtureRequest, tmp_path: Path, sandbox: Sandbox) -> Iterator[Service]:
    """The service as processes.

    One that does everything on SQLite, `serve` and `worker` on PostgreSQL.
    """
    settings = {name.removeprefix("GEOFENCE_"): value for name, value in sandbox.settings().items()}
    if request.param == "sqlite":
        with Service(f"sqlite:///{tmp_path}/record.db", tmp_path / "log", **settings) as one:
            yield one
        return
    url = request.getfixturevalue("postgres").fresh()
    with Service(url, tmp_path / "log", **settings) as one:
        assert httpx.get(f"{one.url}/readyz").json()["notes"] == [
            "deliver: left to `geofence worker`"
        ]
        worker = _command(
            "worker", log=tmp_path / "worker.log", GEOFENCE_DATABASE_URL=url, **sandbox.settings()
        )
        yield one
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0, (tmp_path / "worker.log").read_text()


def _known(
    client: httpx.Client, name: str, *purposes: str, token: str = "", email: str = ""
) -> None:
    consent = dict.fromkeys(purposes, YES)
    body = {"attributes": {"first_name": name.title()}, "consent": consent} | (
        {"email": email} if email else {}
    )
    assert client.put(f"/v1/customers/{name}", json=body).status_code == 201
    device = {"customer_id": name, "platform": "ios"} | ({"push_token": token} if token else {})
    assert client.put(f"/v1/devices/{name}-phone", json=device).status_code == 201


def _ping(client: httpx.Client, name: str, ago_s: int, lat: float = LAT) -> dict[str, Any]:
    ts_ms = time.time_ns() // 1_000_000 - ago_s * 1000
    response = client.post(
        f"/v1/devices/{name}-phone/ping",
        json={"lat": lat, "lon": LON, "ts": ts_ms, "accuracy_m": 5},
    )
    assert response.status_code == 202, response.text
    answer: dict[str, Any] = response.json()
    return answer


def _unsubscribe_url(mail: Received) -> str:
    headers = {name.lower(): value for name, value in mail.content["headers"].items()}
    assert headers["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
    return str(headers["list-unsubscribe"]).strip("<>")


def test_a_step_inside_becomes_a_push_a_mail_and_a_redeemed_code(
    service: Service, sandbox: Sandbox
) -> None:
    with service.client() as client:
        assert client.put("/v1/stores/corner", json=STORE).status_code == 201
        assert client.put("/v1/campaigns/lunch", json=plan(PUSH, EMAIL)).status_code == 201
        assert client.post("/v1/campaigns/lunch/activate").json()["status"] == "active"
        _known(client, "kim", "location", "push", token=TOKEN)
        _known(client, "lee", "location", "email", email="lee@example.org")

        offer = _ping(client, "kim", ago_s=20)["offers"][0]
        _check_push(sandbox, offer)
        _check_redemption(client, offer["code"])
        _check_decision(client, offer["message_id"])

        assert _ping(client, "lee", ago_s=15)["offers"] == []
        url = _unsubscribe_url(_checked_mail(client, sandbox))
        assert url.startswith(f"{service.url}/p/msg_")
        assert httpx.post(url, data=CLICK).status_code == 200
        _ping(client, "lee", ago_s=10, lat=LAT + 1)
        _ping(client, "lee", ago_s=5)
        _check_no_second_mail(client)
        assert len(sandbox.attempts()) == 2


def _check_push(sandbox: Sandbox, offer: dict[str, Any]) -> None:
    (push,) = sandbox.wait_for(1, 30)
    assert (push.kind, push.to, push.title, push.body) == (
        "push",
        TOKEN,
        "Coffee, Kim?",
        f"Code {offer['code']}",
    )
    assert (push.message_id, push.content["data"]["coupon"]) == (
        offer["message_id"],
        offer["code"],
    )
    assert (offer["campaign_id"], offer["store_id"], offer["title"]) == (
        "lunch",
        "corner",
        "Coffee, Kim?",
    )


def _check_redemption(client: httpx.Client, code: str) -> None:
    used = client.post(f"/v1/coupons/{code}/redeem", json={"store": "corner", "till": "1"})
    assert (used.status_code, used.json()["coupon"]["customer_id"]) == (200, "kim")
    assert (
        client.post(f"/v1/coupons/{code}/redeem", json={"store": "corner"}).json()["code"]
        == "coupon_redeemed"
    )


def _check_decision(client: httpx.Client, message_id: str) -> None:
    (decision,) = client.get("/v1/decisions?customer=kim").json()["data"]
    assert (decision["outcome"], decision["reason"], decision["variant"]) == (
        "send",
        "send",
        "a",
    )
    judged = [step["gate"] for step in decision["trace"]]
    assert [gate for gate in judged if gate in GATES] == GATES
    assert all(step["passed"] for step in decision["trace"])
    story = until(lambda: _sent_story(client, message_id))
    assert [(one["attempt"], one["verdict"]) for one in story["tries"]] == [(1, "sent")]


def _checked_mail(client: httpx.Client, sandbox: Sandbox) -> Received:
    mail = sandbox.wait_for(2, 30)[1]
    (code,) = client.get("/v1/customers/lee/coupons").json()["data"]
    assert (mail.kind, mail.to, mail.title) == (
        "email",
        "lee@example.org",
        "Coffee near Corner Street",
    )
    assert mail.body.startswith(f"Code {code['code']}")
    assert "To get no more offers by e-mail: http" in mail.body
    return mail


def _check_no_second_mail(client: httpx.Client) -> None:
    again = client.get("/v1/decisions?customer=lee&order=desc").json()["data"]
    assert [(one["outcome"], one["reason"]) for one in again] == [
        ("silent", again[0]["reason"]),
        ("send", "send"),
    ]
    assert again[0]["reason"].startswith("consent_missing")
    assert len(client.get("/v1/messages?customer=lee").json()["data"]) == 1


def _sent_story(client: httpx.Client, message_id: str) -> dict[str, Any]:
    story: dict[str, Any] = client.get(f"/v1/messages/{message_id}").json()
    return story if story["message"]["status"] == "sent" else {}


def test_an_unsubscribe_stops_a_push_that_still_waits(tmp_path: Path, sandbox: Sandbox) -> None:
    settings = {name.removeprefix("GEOFENCE_"): value for name, value in sandbox.settings().items()}
    sandbox.script(TOKEN, "quota=3", times=1)
    with (
        Service(f"sqlite:///{tmp_path}/record.db", tmp_path / "log", **settings) as service,
        service.client() as client,
    ):
        client.put("/v1/stores/corner", json=STORE)
        client.put("/v1/campaigns/lunch", json=plan(PUSH) | {"status": "active"})
        _known(client, "kim", "location", "push", token=TOKEN)
        offer = _ping(client, "kim", ago_s=1)["offers"][0]
        address = f"/v1/messages/{offer['message_id']}"
        until(lambda: client.get(address).json()["tries"])
        assert httpx.post(f"{service.url}/p/{offer['message_id']}", data=CLICK).status_code == 200
        assert client.get("/v1/customers/kim").json()["consent"]["push"]["granted"] is False
        ended = until(lambda: _ended(client, address))
        assert (ended["status"], ended["reason"]) == ("dropped", "consent_withdrawn")
        assert sandbox.inbox() == []
        counted = client.get("/metrics").text
        assert 'geofence_messages_total{channel="push",verdict="retry"} 1.0' in counted


def _ended(client: httpx.Client, address: str) -> dict[str, Any]:
    message: dict[str, Any] = client.get(address).json()["message"]
    return {} if message["status"] == "queued" else message


def test_the_page_says_who_wrote_and_why_and_get_changes_nothing(shop: Shop) -> None:
    open_front(shop, PUSH, EMAIL | {"when": "always"}, INAPP, name="<script>Lunch</script> & more")
    register(shop, "kim", "location", "push", "email", token=TOKEN, email="kim@example.org")
    step_inside(shop, "kim")
    nobody = shop.with_key("")
    for message in shop.client.get("/v1/messages").json()["data"]:
        assert nobody.head(f"/p/{message['id']}").status_code == 200
        page = nobody.get(f"/p/{message['id']}")
        assert page.status_code == 200
        assert page.headers["content-type"].startswith("text/html")
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert (page.headers["cache-control"], page.headers["referrer-policy"]) == (
            "no-store",
            "no-referrer",
        )
        assert "Corner Street" in page.text
        assert "&lt;script&gt;Lunch&lt;/script&gt; &amp; more" in page.text
        assert "<script" not in page.text
        assert str(LAT) not in page.text
        assert re.search(r'<form method="post">.*<button>Stop offers', page.text)
    answer = shop.client.get("/v1/customers/kim").json()["consent"]
    assert {purpose: said["granted"] for purpose, said in answer.items()} == {
        "location": True,
        "push": True,
        "email": True,
    }


@pytest.mark.parametrize(
    ("channel", "purpose"), [("push", "push"), ("email", "email"), ("inapp", "location")]
)
def test_the_button_withdraws_the_consent_behind_the_message(
    shop: Shop, channel: str, purpose: str
) -> None:
    open_front(shop, PUSH, EMAIL | {"when": "always"}, INAPP)
    register(shop, "kim", "location", "push", "email", token=TOKEN, email="kim@example.org")
    step_inside(shop, "kim")
    message_id = shop.client.get("/v1/messages", params={"channel": channel}).json()["data"][0][
        "id"
    ]
    nobody = shop.with_key("")
    for _ in range(2):
        done = nobody.post(f"/p/{message_id}", files={"List-Unsubscribe": (None, "One-Click")})
        assert (done.status_code, "any more" in done.text) == (200, True)
    answer = shop.client.get("/v1/customers/kim").json()["consent"]
    assert {one: said["granted"] for one, said in answer.items()} == {
        "location": True,
        "push": True,
        "email": True,
    } | {purpose: False}
    assert message_id in answer[purpose]["source"]
    assert "<button>" not in nobody.get(f"/p/{message_id}").text


def test_an_address_no_message_has_is_404_whatever_it_is(shop: Shop) -> None:
    nobody = shop.with_key("")
    for name in ("msg_" + "0" * 26, "x", "msg_%00", "%F0%9F%98%80", "msg_" + "0" * 5000):
        for method in ("GET", "POST"):
            answer = nobody.request(method, f"/p/{name}")
            assert (answer.status_code, answer.headers["content-type"].startswith("text/html")) == (
                404,
                True,
            ), name
    assert nobody.post("/p/msg_" + "0" * 26, content=b"x" * 100_000).status_code == 413


def test_the_answer_to_a_batch_shows_offers_when_asked(shop: Shop) -> None:
    open_front(shop, INAPP)
    register(shop, "kim", "location")
    ping = {"device_id": "kim-phone", "lat": LAT, "lon": LON, "ts": shop.now_ms, "accuracy_m": 5}
    answer = shop.client.post("/v1/pings", params={"include": "offers"}, json=ping).json()[
        "devices"
    ]["kim-phone"]
    (offer,) = answer["offers"]
    assert list(answer) == ["offers"]
    assert (offer["campaign_id"], offer["store_id"], offer["title"], offer["link"]) == (
        "lunch",
        "corner",
        "Here",
        None,
    )
    assert offer["body"] == f"Corner Street: {offer['code']}"
    assert offer["expires_at"].endswith("Z")
    again = shop.client.post("/v1/pings", params={"include": "offers"}, json=ping).json()
    assert (again["duplicates"], again["devices"]["kim-phone"]["offers"]) == (1, [offer])


def test_readiness_names_the_channels_that_are_not_configured(tmp_path: Path) -> None:
    with Service(f"sqlite:///{tmp_path}/record.db", tmp_path / "log") as service:
        answer = httpx.get(f"{service.url}/readyz").json()
    assert answer["status"] == "ready"
    assert {"email", "push"} <= {note.partition(":")[0] for note in answer["notes"]}


def test_channels_that_cannot_be_opened_end_the_command_with_the_setting_named(
    tmp_path: Path,
) -> None:
    (tmp_path / "account.json").write_text('{"private_key": "very secret"}')
    for name, value in (
        ("FCM_CREDENTIALS", str(tmp_path / "missing.json")),
        ("FCM_CREDENTIALS", str(tmp_path / "account.json")),
        ("SMTP_URL", "http://me:hunter2@relay"), ("DELIVER", "sometimes"),
    ):  # fmt: skip
        log = tmp_path / "log"
        log.unlink(missing_ok=True)
        url = f"sqlite:///{tmp_path}/record.db"
        answer = _command(
            "serve",
            "--port",
            "0",
            log=log,
            GEOFENCE_DATABASE_URL=url,
            **{f"GEOFENCE_{name}": value},
        )
        assert (answer.wait(60), f"GEOFENCE_{name}" in log.read_text()) == (2, True), (
            log.read_text()
        )
        assert "hunter2" not in log.read_text()
        assert "very secret" not in log.read_text()


def test_a_worker_of_its_own_is_for_postgresql_and_needs_a_channel(
    tmp_path: Path, postgres_url: str
) -> None:
    for url, word in (
        (f"sqlite:///{tmp_path}/record.db", "SQLite"),
        (postgres_url, "No channel is configured"),
    ):
        log = tmp_path / "log"
        assert _command("worker", log=log, GEOFENCE_DATABASE_URL=url).wait(60) == 2
        assert word in log.read_text()


def test_serve_delivers_on_postgresql_when_reported_to(
    tmp_path: Path, postgres_url: str, sandbox: Sandbox
) -> None:
    settings = {name.removeprefix("GEOFENCE_"): value for name, value in sandbox.settings().items()}
    with (
        Service(postgres_url, tmp_path / "log", DELIVER="serve", **settings) as service,
        service.client() as client,
    ):
        assert httpx.get(f"{service.url}/readyz").json()["notes"] == []
        client.put("/v1/stores/corner", json=STORE)
        client.put("/v1/campaigns/lunch", json=plan(PUSH) | {"status": "active"})
        _known(client, "kim", "location", "push", token=TOKEN)
        offer = _ping(client, "kim", ago_s=1)["offers"][0]
        assert sandbox.wait_for(1, 30)[0].message_id == offer["message_id"]
