"""`geofence import` and `geofence export` as a person runs them.

One import loses its service half way.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.rigs.running import KEY, Service
from tests.rigs.shop import until

GEOFENCE = str(Path(sys.executable).with_name("geofence"))
HEADER = "id,name,lat,lon,opening_hours"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("cli")
    with Service(f"sqlite:///{folder / 'record.db'}", folder / "log") as one:
        yield one


def _geofence(service: Service, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("GEOFENCE_")
    } | {"GEOFENCE_DEV_KEY": KEY}
    return subprocess.run(
        [GEOFENCE, *words, "--url", service.url],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def _file(folder: Path, *rows: str) -> str:
    path = folder / "stores.csv"
    path.write_text("\n".join((HEADER, *rows)), encoding="utf-8")
    return str(path)


def test_a_good_file_is_taken_in_and_the_columns_are_reported(
    service: Service, tmp_path: Path
) -> None:
    done = _geofence(
        service,
        "import",
        _file(tmp_path, "a,A,48.1,11.5,24/7"),
        "--kind",
        "stores",
        "--ring",
        "near:100",
        "--ring",
        "wide:900",
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert "1 row of csv: 1 created" in done.stderr
    assert "external_id  id" in done.stderr
    with service.client() as client:
        assert [ring["name"] for ring in client.get("/v1/stores/a").json()["rings"]] == [
            "near",
            "wide",
        ]


def test_rows_that_failed_are_named_by_their_lines(service: Service, tmp_path: Path) -> None:
    path = _file(tmp_path, "b,B,48.1,11.5,whenever", "c,C,948.1,11.5,")
    done = _geofence(service, "import", path, "--kind", "stores", "--dry-run")
    assert done.returncode == 1
    assert 'line 3 ("C"), lat: latitude must be from -90 to 90 (invalid_position)' in done.stderr
    assert "line 2, opening_hours" in done.stderr
    assert "a dry run" in done.stderr
    answer = _geofence(service, "import", path, "--kind", "stores", "--dry-run", "--json")
    assert (answer.returncode, json.loads(answer.stdout)["failed"], answer.stderr) == (1, 1, "")
    with service.client() as client:
        assert client.get("/v1/stores/b").status_code == 404


def test_a_file_that_cannot_be_read_ends_with_two(service: Service, tmp_path: Path) -> None:
    (tmp_path / "strange.bin").write_bytes(b"\0\1\2 nothing that anybody knows")
    for path in (tmp_path / "strange.bin", tmp_path / "not there.csv"):
        done = _geofence(service, "import", str(path), "--kind", "stores")
        assert (done.returncode, "Traceback" in done.stderr) == (2, False)
        assert done.stderr.startswith(f"{path} cannot be read: ")
        assert service.url not in done.stderr
    refused = _geofence(
        service, "import", _file(tmp_path), "--kind", "stores", "--map", "colour:red"
    )
    assert (refused.returncode, "--map: Must be field:column" in refused.stderr) == (1, True)
    away = subprocess.run(
        [
            GEOFENCE, "import", _file(tmp_path), "--kind", "stores",
            "--url", "http://127.0.0.1:9", "--key", KEY,
        ],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (away.returncode, "nothing was sent; --url names another service" in away.stderr) == (
        1,
        True,
    )


def test_a_list_of_one_brand_needs_no_column_for_it(service: Service, tmp_path: Path) -> None:
    path = _file(tmp_path, "t1,T,48.1,11.5,24/7")
    done = _geofence(service, "import", path, "--kind", "stores", "--set", "brand=target")
    assert done.returncode == 0, done.stderr
    with service.client() as client:
        assert client.get("/v1/stores/t1").json()["brand"] == "target"
    refused = _geofence(service, "import", path, "--kind", "stores", "--set", "brand")
    assert (refused.returncode, "--set: Must be field=value" in refused.stderr) == (1, True)


def test_what_is_the_same_is_said_once(service: Service, tmp_path: Path) -> None:
    path = _file(
        tmp_path, *(f"same-{nth},Same {nth},48.{nth:02},11.5,whenever" for nth in range(30))
    )
    found = _geofence(
        service, "import", path, "--kind", "stores", "--ring", "door:40"
    ).stderr.splitlines()
    (hours,) = [line for line in found if "whenever" in line]
    assert hours.startswith("30 lines, such as 2, 3, 4, opening_hours: ")
    (small,) = [line for line in found if "radius is 40 m" in line]
    assert small.startswith("map: 30 geofences: the radius is 40 m")
    assert small.endswith(', such as "same-0/door", "same-1/door", "same-10/door"')


def test_an_option_that_is_not_understood_is_reported_in_words(
    service: Service, tmp_path: Path
) -> None:
    done = _geofence(service, "import", _file(tmp_path), "--kind", "stores", "--ring", "near")
    assert (done.returncode, done.stderr.strip()) == (
        1,
        "--ring: Must be name:radius, such as near:150. (invalid)",
    )
    out = tmp_path / "stores.xyz"
    done = _geofence(service, "export", "stores", "--out", str(out))
    assert (done.returncode, done.stderr.startswith("which format? ")) == (2, True)
    assert not out.exists()


def test_the_rings_of_stores_come_with_the_geofences_when_asked_for(
    service: Service, tmp_path: Path
) -> None:
    _geofence(service, "import", _file(tmp_path, "ringed,R,10.1,11.5,24/7"), "--kind", "stores")
    for more, there in (((), False), (("--rings",), True)):
        assert (
            _geofence(
                service, "export", "geofences", "--out", str(tmp_path / "out.csv"), *more
            ).returncode
            == 0
        )
        assert ("ringed/near" in (tmp_path / "out.csv").read_text(encoding="utf-8-sig")) == there


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({"GEOFENCE_PORT": "9"}, "http://127.0.0.1:9"),
        (
            {"GEOFENCE_HOST": "0.0.0.0", "GEOFENCE_PORT": "9"},  # noqa: S104 - nothing listens here
            "http://127.0.0.1:9",
        ),
        ({"GEOFENCE_HOST": "::1", "GEOFENCE_PORT": "9"}, "http://[::1]:9"),
        ({"GEOFENCE_PUBLIC_URL": "http://127.0.0.2:9", "GEOFENCE_PORT": "8"}, "http://127.0.0.2:9"),
    ],
)
def test_the_service_is_found_by_the_settings_that_start_it(
    settings: dict[str, str], url: str, tmp_path: Path
) -> None:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("GEOFENCE_")
    }
    done = subprocess.run(
        [GEOFENCE, "import", _file(tmp_path), "--kind", "stores", "--key", KEY],
        env=environment | settings, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.stderr.startswith(f"{url} does not answer (ConnectError); nothing was sent")


def test_what_was_taken_out_can_be_brought_in(service: Service, tmp_path: Path) -> None:
    _geofence(service, "import", _file(tmp_path, "d,D,48.1,11.5,24/7"), "--kind", "stores")
    out = tmp_path / "out.gpkg"
    done = _geofence(service, "export", "stores", "--out", str(out), "--json")
    assert (done.returncode, json.loads(done.stdout)["bytes"]) == (0, out.stat().st_size)
    again = json.loads(_geofence(service, "import", str(out), "--kind", "stores", "--json").stdout)
    assert (again["format"], again["failed"], again["created"], again["updated"]) == (
        "geopackage",
        0,
        0,
        0,
    )
    assert (
        _geofence(
            service, "export", "stores", "--out", str(tmp_path / "no" / "such" / "folder.csv")
        ).returncode
        == 2
    )


def test_an_import_killed_half_way_and_sent_again_gives_the_whole(tmp_path: Path) -> None:
    count = 30_000
    body = "\n".join(
        (
            HEADER,
            *(
                f"s{n},Store {n},{48 + n % 1000 / 1000:.4f},{9 + n // 1000 / 100:.4f},"
                for n in range(count)
            ),
        )
    )
    service = Service(f"sqlite:///{tmp_path / 'record.db'}", tmp_path / "log")
    with service:
        sent = threading.Thread(target=_send_into_the_void, args=(service, body))
        sent.start()
        with service.client() as client:
            until(lambda: client.get("/v1/stores", params={"limit": 1}).json()["data"])
        service.kill()
        sent.join()
        service.start()
        with service.client() as client:
            assert 0 < _held(client) < count
            report = client.post("/v1/imports", params={"kind": "stores"}, content=body).json()
            assert report["complete"]
            assert report["created"] + report["unchanged"] == count
            assert report["created"] > 0
            assert report["unchanged"] > 0
            assert _held(client) == count


def _send_into_the_void(service: Service, body: str) -> None:
    with service.client() as client, pytest.raises(httpx.TransportError):
        client.post("/v1/imports", params={"kind": "stores"}, content=body)


def _held(client: httpx.Client) -> int:
    found, cursor = 0, None
    while True:
        page = client.get(
            "/v1/stores", params={"limit": 1000} | ({"cursor": cursor} if cursor else {})
        ).json()
        found, cursor = found + len(page["data"]), page["next_cursor"]
        if cursor is None:
            return found
