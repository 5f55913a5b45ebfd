"""What `compose.yaml` runs works together.

`serve` and `worker`, two processes on one PostgreSQL, and the sandbox as provider.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from api.sandbox import Sandbox
from geofence.backends.sql.database import open_database
from tests.rigs.postgres import Postgres
from tests.rigs.running import Service, free_port

ROOT = Path(__file__).resolve().parents[2]
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))[
    "services"
]
GEOFENCE = str(Path(sys.executable).with_name("geofence"))

STORE = {
    "name": "Third Kettle",
    "lat": 48.231,
    "lon": 16.742,
    "time_zone": "Europe/Vienna",
    "rings": [{"name": "near", "radius_m": 150}],
}
AGREED = {"granted": True, "source": "app"}
CUSTOMER = {
    "email": "kim@example.org",
    "attributes": {"first_name": "Kim"},
    "consent": {"location": AGREED, "push": AGREED, "email": AGREED},
}
CAMPAIGN = {
    "name": "Second cup",
    "status": "active",
    "trigger": {"event": "entered", "ring": "near"},
    "offer": {"title": "The second cup is free", "coupon": {"valid_days": 3}},
    "variants": [
        {
            "name": "a",
            "messages": [
                {
                    "channel": "push",
                    "title": "{{ customer.first_name }}, the second cup is free",
                    "body": "Code {{ coupon.code }}",
                },
                {
                    "channel": "email",
                    "subject": "The second cup is free",
                    "text": "Code {{ coupon.code }}",
                },
            ],
        }
    ],
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox.start() as running:
        yield running


@pytest.fixture(scope="module")
def environment(postgres: Postgres, sandbox: Sandbox) -> dict[str, str]:
    """What `geofence.env` says, with nothing of the environment the tests run in."""
    quiet = {name: value for name, value in os.environ.items() if not name.startswith("GEOFENCE_")}
    own = {"GEOFENCE_WORKER_PORT": str(free_port()), "GEOFENCE_OUTBOX_LATE_S": "1"}
    return {**quiet, **own, **sandbox.settings(), "GEOFENCE_DATABASE_URL": postgres.fresh()}


@pytest.fixture(scope="module")
def service(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    given = {
        name.removeprefix("GEOFENCE_"): value
        for name, value in environment.items()
        if name.startswith("GEOFENCE_")
    }
    url = given.pop("DATABASE_URL")
    assert SERVICES["serve"]["command"] == ["serve"]  # as `Service` starts it
    with Service(url, tmp_path_factory.mktemp("serve") / "log", **given) as running:
        yield running


def run(
    service: str, part: list[str], environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """A command of the compose file, to its end."""
    assert part[0] == "geofence", service
    return subprocess.run(
        [GEOFENCE, *part[1:]],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def statuses(client: httpx.Client) -> list[str]:
    return [message["status"] for message in client.get("/v1/messages").json()["data"]]


def until(true: Callable[[], bool], what: str) -> None:
    """Wait until it is so; the condition itself is asked."""
    end_s = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end_s, what
        time.sleep(0.1)


def without_worker(client: httpx.Client) -> None:
    """Serve takes pings, and names the outbox that no worker empties."""

    def ready() -> dict[str, Any]:
        return dict(client.get("/readyz").json())

    until(lambda: ready()["late"] == ["outbox"], "the oldest message is late after a second")
    seen = client.get("/readyz")
    assert (seen.status_code, seen.json()["status"]) == (200, "degraded")
    assert [(one["channel"], one["waiting"]) for one in seen.json()["outbox"]] == [
        ("email", 1),
        ("push", 1),
    ]
    assert all(one["oldest_due_s"] > 1 for one in seen.json()["outbox"])
    metrics = client.get("/metrics").text
    assert 'geofence_outbox_messages{channel="push"} 1.0' in metrics
    oldest = re.search(r'geofence_outbox_oldest_due_seconds{channel="push"} ([\d.]+)', metrics)
    assert oldest is not None
    assert float(oldest[1]) > 1


def with_worker(client: httpx.Client, environment: dict[str, str]) -> None:
    """The worker's port shows its deliveries; serve's outbox is empty."""
    port = f"http://127.0.0.1:{environment['GEOFENCE_WORKER_PORT']}"
    delivered = 'geofence_messages_total{channel="push",verdict="sent"} 1.0'
    until(lambda: delivered in httpx.get(f"{port}/metrics").text, "the worker counts its messages")
    until(lambda: httpx.get(f"{port}/readyz").status_code == 200, "the worker is ready")
    assert httpx.get(f"{port}/livez").json() == {"status": "alive"}
    assert httpx.get(f"{port}/v1/stores").status_code == 404
    check = SERVICES["worker"]["healthcheck"]["test"][1:]
    assert run("worker", check, environment).returncode == 0
    assert client.get("/readyz").json()["status"] == "ready"
    assert client.get("/readyz").json()["outbox"] == []


def test_a_paused_channel_is_named_with_its_reason_and_since_when(
    service: Service, environment: dict[str, str]
) -> None:
    database = open_database(environment["GEOFENCE_DATABASE_URL"])
    try:
        for reason in ("bad_credentials", ""):
            unit = database.begin()
            unit.outbox.pause("push", reason, 1_764_000_000_000)
            unit.commit()
            with service.client() as client:
                queues = client.get("/readyz").json()["outbox"]
                metrics = client.get("/metrics").text
            shown = [(one["paused"], one["paused_since"]) for one in queues]
            assert shown == ([("bad_credentials", "2025-11-24T16:00:00.000Z")] if reason else [])
            named = 'geofence_channel_paused_seconds{channel="push",reason="bad_credentials"}'
            assert (named in metrics) is bool(reason)
    finally:
        database.close()


def test_what_serve_decides_the_worker_delivers_once(
    service: Service, sandbox: Sandbox, environment: dict[str, str], tmp_path: Path
) -> None:
    with service.client() as client:
        for path, body in (
            ("stores/kettle-1", STORE),
            ("customers/kim", CUSTOMER),
            ("devices/kims-phone", {"customer_id": "kim", "push_token": "kims-token"}),
            ("campaigns/second-cup", CAMPAIGN),
        ):
            assert client.put(f"/v1/{path}", json=body).is_success
        ping = {
            "device_id": "kims-phone",
            "lat": 48.2313,
            "lon": 16.7423,
            "accuracy_m": 10,
            "ts": time.time_ns() // 1_000_000,
        }
        assert client.post("/v1/pings", json=ping).json()["accepted"] == 1
        assert statuses(client) == ["queued", "queued"]
        assert not sandbox.attempts(), "serve leaves deliveries to the worker"
        without_worker(client)

        with (tmp_path / "worker.log").open("wb") as log:
            worker = subprocess.Popen(
                [GEOFENCE, *SERVICES["worker"]["command"]], env=environment, stdout=log, stderr=log
            )
        try:
            arrived = sandbox.wait_for(2, timeout_s=60)
            with_worker(client, environment)
        finally:
            worker.send_signal(signal.SIGTERM)
            ended = worker.wait(60)
        assert ended == 0, (tmp_path / "worker.log").read_text()
        assert sorted(item.kind for item in arrived) == ["email", "push"]
        assert {item.message_id for item in arrived} == {
            message["id"] for message in client.get("/v1/messages").json()["data"]
        }
        assert statuses(client) == ["sent", "sent"]
        assert len(sandbox.attempts()) == 2


def test_the_health_check_of_serve_passes_while_all_is_well(
    service: Service, environment: dict[str, str]
) -> None:
    asked = run(
        "serve",
        SERVICES["serve"]["healthcheck"]["test"][1:],
        {**environment, "GEOFENCE_PORT": str(service.port)},
    )
    assert asked.returncode == 0, asked.stdout


def test_the_health_checks_of_the_compose_file_fail_when_nothing_is_there(
    environment: dict[str, str], tmp_path: Path
) -> None:
    nowhere = {
        **environment,
        "GEOFENCE_PORT": "1",
        "GEOFENCE_WORKER_PORT": "1",
        "GEOFENCE_DATABASE_URL": f"postgresql://geofence@/geofence?host={tmp_path}",
    }
    for name in ("serve", "worker"):
        assert run(name, SERVICES[name]["healthcheck"]["test"][1:], nowhere).returncode == 1


def test_every_setting_of_the_example_of_secrets_exists() -> None:
    lines = (ROOT / "geofence.env.example").read_text(encoding="utf-8").splitlines()
    given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    ran = subprocess.run(
        [GEOFENCE, "settings"],
        env={"PATH": os.defpath, **given},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "is no setting" not in ran.stderr
    assert given["POSTGRES_PASSWORD"] in given["GEOFENCE_DATABASE_URL"]
    assert given["POSTGRES_PASSWORD"] not in ran.stdout


def test_a_worker_beside_a_file_says_that_serve_delivers_there(
    environment: dict[str, str], tmp_path: Path
) -> None:
    ran = run(
        "worker",
        ["geofence", "worker"],
        {**environment, "GEOFENCE_DATABASE_URL": f"sqlite:///{tmp_path}/record.sqlite"},
    )
    assert ran.returncode == 2
    assert "PostgreSQL" in ran.stderr
