"""The command: first keys, an orderly end, settings that cannot be used."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import httpx

from api.sandbox import Sandbox
from geofence.backends.sql.database import open_database
from tests.rigs.postgres import Postgres
from tests.rigs.running import KEY, Service

GEOFENCE = str(Path(sys.executable).with_name("geofence"))


def _geofence(folder: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GEOFENCE_")}
    mine = {f"GEOFENCE_{name}": value for name, value in settings.items()}
    return subprocess.run(
        [GEOFENCE, *words],
        cwd=folder,
        env=clean | mine,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_serve_prints_its_first_keys_once_and_ends_in_order_on_sigterm(tmp_path: Path) -> None:
    service = Service(f"sqlite:///{tmp_path}/data/record.db", tmp_path / "log").start()
    assert (
        httpx.get(
            f"{service.url}/v1/project", headers={"Authorization": f"Bearer {KEY}"}
        ).status_code
        == 200
    )
    keys = json.loads(
        _geofence(
            tmp_path, "keys", "list", "--json", DATABASE_URL=f"sqlite:///{tmp_path}/data/record.db"
        ).stdout
    )
    assert [key["kind"] for key in keys] == ["pk", "sk"] or [key["kind"] for key in keys] == [
        "sk",
        "pk",
    ]
    assert service.stop() == 0
    first = (tmp_path / "log").read_text()
    assert first.count("pk_") == 1
    assert KEY not in first
    service.start()
    assert service.stop() == 0
    assert (tmp_path / "log").read_text().count("pk_") == 1


def test_keys_are_made_and_revoked_beside_a_running_service(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/record.db"
    with Service(url, tmp_path / "log") as service:
        made = json.loads(
            _geofence(
                tmp_path, "keys", "create", "--scope", "read", "--json", DATABASE_URL=url
            ).stdout
        )
        headers = {"Authorization": f"Bearer {made['secret']}"}
        assert httpx.get(f"{service.url}/v1/events", headers=headers).status_code == 200
        assert httpx.get(f"{service.url}/v1/keys", headers=headers).status_code == 403
        assert _geofence(tmp_path, "keys", "revoke", made["id"], DATABASE_URL=url).returncode == 0
        second = _geofence(tmp_path, "serve", "--port", "0", DATABASE_URL=url)
        assert second.returncode == 3


def test_settings_are_printed_with_their_source_and_without_secrets(tmp_path: Path) -> None:
    (tmp_path / "geofence.toml").write_text('port = 9000\nhost = "127.0.0.9"\ncolour = "red"\n')
    url = "postgresql://me:hunter2@db/geofence"
    answer = _geofence(
        tmp_path,
        "settings",
        "--json",
        CONFIG="geofence.toml",
        PORT="9001",
        DEV_KEY="sk_very_secret_1234",
        DATABASE_URL=url,
        ODD="1",
    )
    by_name = {one["name"]: one for one in json.loads(answer.stdout)}
    assert (by_name["GEOFENCE_PORT"]["value"], by_name["GEOFENCE_PORT"]["source"]) == (
        "9001",
        "environment",
    )
    assert (by_name["GEOFENCE_HOST"]["value"], by_name["GEOFENCE_HOST"]["source"]) == (
        "127.0.0.9",
        "geofence.toml",
    )
    assert by_name["GEOFENCE_MAX_ITEMS"]["source"] == "default"
    assert "hunter2" not in answer.stdout
    assert "very_secret" not in answer.stdout
    assert "GEOFENCE_ODD" in answer.stderr
    assert "colour" in answer.stderr


def test_a_setting_that_cannot_be_used_ends_with_2_and_a_clear_word(tmp_path: Path) -> None:
    for name, value in (
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("CLOCK", "sundial"),
        ("CONFIG", "missing.toml"),
        ("DEV_KEY", "letmein"),
    ):
        answer = _geofence(tmp_path, "settings", **{name: value})
        assert (answer.returncode, f"GEOFENCE_{name}" in answer.stderr) == (2, True)
        assert "letmein" not in answer.stderr


def test_the_doctor_finds_a_healthy_service_and_a_sick_one(tmp_path: Path) -> None:
    well = _geofence(tmp_path, "doctor", "--json", PORT="0")
    assert well.returncode == 0, well.stdout
    assert {one["name"] for one in json.loads(well.stdout)} == {
        "python",
        "libraries",
        "disk",
        "database",
        "clock",
        "channels",
        "port",
    }
    (tmp_path / "broken.db").write_text(
        "this is no database, only a text that is long enough to be looked at" * 20
    )
    sick = _geofence(
        tmp_path, "doctor", "--json", PORT="0", DATABASE_URL=f"sqlite:///{tmp_path}/broken.db"
    )
    assert sick.returncode == 1
    assert [one["name"] for one in json.loads(sick.stdout) if not one["fine"]] == ["database"]


def test_the_doctor_refuses_a_schema_that_serve_refuses(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/record.db"
    database = open_database(url)
    database.migrate()
    database.close()
    with sqlite3.connect(tmp_path / "record.db") as file:
        file.execute("UPDATE alembic_version SET version_num = '0099'")
    file.close()
    seen = _geofence(tmp_path, "doctor", "--json", PORT="0", DATABASE_URL=url)
    assert seen.returncode == 1
    (bad,) = [one for one in json.loads(seen.stdout) if not one["fine"]]
    assert bad["name"] == "database"
    assert "0099" in bad["seen"]
    served = _geofence(tmp_path, "serve", PORT="0", DATABASE_URL=url)
    assert (served.returncode, "newer version" in served.stderr) == (3, True)


def test_the_doctor_says_of_an_empty_postgresql_that_serve_makes_its_tables(
    tmp_path: Path, postgres: Postgres
) -> None:
    url = postgres.fresh()
    seen = _geofence(tmp_path, "doctor", "--json", PORT="0", DATABASE_URL=url)
    assert seen.returncode == 0, seen.stdout
    by_name = {one["name"]: one["seen"] for one in json.loads(seen.stdout)}
    assert by_name["database"] == "empty; `geofence serve` makes its tables"
    postgres.drop(url)


def test_the_doctor_connects_to_the_relay_and_the_provider(tmp_path: Path) -> None:
    def seen(**settings: str) -> tuple[int, str]:
        ran = _geofence(tmp_path, "doctor", "--json", PORT="0", **settings)
        by_name = {one["name"]: one["seen"] for one in json.loads(ran.stdout)}
        return ran.returncode, by_name["channels"]

    with Sandbox.start() as sandbox:
        given = {
            name.removeprefix("GEOFENCE_"): value for name, value in sandbox.settings().items()
        }
        assert seen(**given) == (0, "email: configured, push: configured")
        wrong = given | {"SMTP_URL": given["FCM_ENDPOINT"].replace("http", "smtp")}
        code, why = seen(**wrong)
        assert code == 1
        assert "does not greet like a mail relay" in why or "does not answer" in why
    code, why = seen(SMTP_URL="smtp://me:hunter2@127.0.0.1:1")
    assert code == 1
    assert "GEOFENCE_SMTP_URL: 127.0.0.1:1 does not answer" in why
    assert "hunter2" not in why


def test_the_doctor_refuses_channels_that_would_stop_serve(tmp_path: Path) -> None:
    (tmp_path / "fcm.json").write_text("{}")
    for name, value in (
        ("FCM_CREDENTIALS", "missing.json"),
        ("FCM_CREDENTIALS", "fcm.json"),
        ("SMTP_URL", "http://relay"),
    ):
        answer = _geofence(tmp_path, "doctor", "--json", PORT="0", **{name: value})
        assert answer.returncode == 1
        bad = [one for one in json.loads(answer.stdout) if not one["fine"]]
        assert [one["name"] for one in bad] == ["channels"]
        assert f"GEOFENCE_{name}" in bad[0]["seen"]
        assert _geofence(tmp_path, "serve", PORT="0", **{name: value}).returncode == 2


def test_serve_says_which_channels_are_open(tmp_path: Path) -> None:
    with Service(
        f"sqlite:///{tmp_path}/record.db", tmp_path / "log", SMTP_URL="smtp://127.0.0.1:1"
    ):
        found = (tmp_path / "log").read_text().splitlines()
    assert "email: configured" in found
    assert any(line.startswith("push: not configured (GEOFENCE_FCM_CREDENTIALS)") for line in found)


def test_a_port_that_is_taken_is_named_before_anything_is_made(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        answer = _geofence(tmp_path, "serve", PORT=port)
        assert answer.returncode == 2
        assert "GEOFENCE_PORT or --port" in answer.stderr
        assert len(answer.stderr.splitlines()) == 1
        assert (answer.stdout, list(tmp_path.iterdir())) == ("", [])


def test_health_asks_the_running_service(tmp_path: Path) -> None:
    with Service(f"sqlite:///{tmp_path}/record.db", tmp_path / "log") as service:
        assert _geofence(tmp_path, "health", PORT=str(service.port)).returncode == 0
        service.stop()
        assert _geofence(tmp_path, "health", PORT=str(service.port)).returncode == 1


def test_the_version_is_the_packages(tmp_path: Path) -> None:
    assert _geofence(tmp_path, "--version").stdout.strip()[:2] in ("0.", "1.")
