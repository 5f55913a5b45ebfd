"""The programs of `examples/` run against a real service, as their users start them."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook as Signer

from geofence.delivery.channels.webhook.channel import Webhook
from tests.rigs.channel_rigs import SECRET, message, send_one
from tests.rigs.running import KEY, Service

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NODE = shutil.which("node")
SAID = re.compile(
    r"may move [\d.]+ m and sleep \d+ s\n"
    r"geofence\.entered (example-\w+/near) 1\d\d m inside\n"
    r"may move [\d.]+ m and sleep \d+ s\n"
)
CAMPAIGN: dict[str, Any] = {
    "name": "Bread",
    "status": "active",
    "trigger": {"event": "entered", "ring": "near", "stores": {"ids": ["mill"]}},
    "offer": {"title": "Bread for half", "coupon": {"valid_days": 3}},
    "variants": [
        {
            "name": "a",
            "messages": [{"channel": "inapp", "title": "Bread", "body": "{{ coupon.code }}"}],
        }
    ],
}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("examples")
    with Service(f"sqlite:///{folder}/record.sqlite", folder / "log") as running:
        yield running


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def python(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, str(EXAMPLES / name), *arguments)


def test_the_python_client_walks_into_its_store(service: Service) -> None:
    done = python("client.py", service.url, KEY)
    assert done.returncode == 0, done.stderr
    found = SAID.fullmatch(done.stdout)
    assert found is not None, done.stdout
    assert found[1] == "example-bakery/near"


def test_the_python_client_names_the_problem_of_a_refusal(service: Service) -> None:
    done = python("client.py", service.url, "sk_unknown")
    assert done.returncode == 1
    assert done.stderr.startswith("unauthorized: ")


@pytest.mark.skipif(NODE is None, reason="node is not on PATH: the JavaScript client was not run")
def test_the_javascript_client_walks_into_its_store(service: Service) -> None:
    assert NODE is not None
    done = run(NODE, str(EXAMPLES / "javascript" / "client.mjs"), service.url, KEY)
    assert done.returncode == 0, done.stderr
    found = SAID.fullmatch(done.stdout)
    assert found is not None, done.stdout
    assert found[1] == "example-cafe/near"


def code_of_an_offer(service: Service) -> str:
    """A code that a real campaign issues: a customer with consent enters a store."""
    with service.client() as client:
        store = {
            "name": "Mill",
            "lat": 47.1,
            "lon": 15.4,
            "rings": [{"name": "near", "radius_m": 150}],
        }
        consent = {"location": {"granted": True, "source": "app"}}
        for path, body in (
            ("/v1/stores/mill", store),
            ("/v1/customers/kim", {"consent": consent}),
            ("/v1/devices/kims-phone", {"customer_id": "kim"}),
            ("/v1/campaigns/bread", CAMPAIGN),
        ):
            client.put(path, json=body).raise_for_status()
        ping = {"lat": 47.1, "lon": 15.4, "accuracy_m": 10, "ts": datetime.now(UTC).isoformat()}
        [offer] = (
            client.post("/v1/devices/kims-phone/ping", json=ping)
            .raise_for_status()
            .json()["offers"]
        )
        return str(offer["code"])


def test_the_till_redeems_a_code_once_and_says_why_not_again(service: Service) -> None:
    code = code_of_an_offer(service)
    for store, exit_code, line in (
        ("another", 1, "This code is for another store."),
        ("mill", 0, "redeemed"),
        ("mill", 1, "This code was used already."),
    ):
        done = python("till.py", service.url, KEY, code.lower(), store, "380", "EUR")
        assert (done.returncode, done.stdout.splitlines()[-1]) == (exit_code, line), done.stderr
    done = python("till.py", service.url, KEY, "0000-0000-00000", "mill", "380", "EUR")
    assert (done.returncode, done.stdout) == (
        1,
        "There is no such code. Please check the letters.\n",
    )


@pytest.fixture
def receiver() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, str(EXAMPLES / "webhook_receiver.py"), "0"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "WEBHOOK_SECRET": SECRET}
    )
    yield process
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)


def test_the_receiver_takes_a_signed_webhook_once_and_refuses_a_forged_one(
    receiver: subprocess.Popen[str],
) -> None:
    assert receiver.stdout is not None
    url = receiver.stdout.readline().removeprefix("listening on ").strip()
    channel = Webhook(allow_private=True)
    try:
        first, second = message(1, "webhook", url), message(2, "webhook", url)
        verdicts = [send_one(channel, one).verdict for one in (first, first, second)]
    finally:
        channel.close()
    assert verdicts == ["sent", "sent", "sent"]
    lines = [receiver.stdout.readline().split()[0] for _ in range(2)]
    assert lines == [first.id, second.id]
    body, now = '{"type": "geofence.entered", "data": {}}', datetime.now(UTC)
    headers = {"webhook-id": "msg_3", "webhook-timestamp": str(int(now.timestamp()))}
    signature = Signer(SECRET).sign("msg_3", now, body)
    assert (
        httpx.post(
            url, content=body, headers=headers | {"webhook-signature": signature}
        ).status_code
        == 204
    )
    assert (
        httpx.post(
            url, content=body + " ", headers=headers | {"webhook-signature": signature}
        ).status_code
        == 401
    )
    assert httpx.post(url, content=body, headers=headers).status_code == 401
