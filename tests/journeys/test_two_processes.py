"""What `compose.yaml` runs works together.

`serve` and `worker`, two processes on one PostgreSQL, and the sandbox as provider.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from api.sandbox import Sandbox
from tests.rigs.postgres import Postgres
from tests.rigs.running import Service

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
    return {**quiet, **sandbox.settings(), "GEOFENCE_DATABASE_URL": postgres.fresh()}


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

        with (tmp_path / "worker.log").open("wb") as log:
            worker = subprocess.Popen(
                [GEOFENCE, *SERVICES["worker"]["command"]], env=environment, stdout=log, stderr=log
            )
        try:
            arrived = sandbox.wait_for(2, timeout_s=60)
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


def test_the_health_checks_of_the_compose_file_pass_while_all_is_well(
    service: Service, environment: dict[str, str]
) -> None:
    asked = run(
        "serve",
        SERVICES["serve"]["healthcheck"]["test"][1:],
        {**environment, "GEOFENCE_PORT": str(service.port)},
    )
    assert asked.returncode == 0, asked.stdout
    looked = run(
        "worker",
        SERVICES["worker"]["healthcheck"]["test"][1:],
        {**environment, "GEOFENCE_PORT": "0"},
    )
    assert looked.returncode == 0, looked.stdout


def test_the_health_checks_of_the_compose_file_fail_when_nothing_is_there(
    environment: dict[str, str], tmp_path: Path
) -> None:
    nowhere = {
        **environment,
        "GEOFENCE_PORT": "1",
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
