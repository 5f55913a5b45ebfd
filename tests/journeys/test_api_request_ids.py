"""Request ids, the access log, and what a proxy may say, at the running service."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.http.proxy import Proxies
from api.http.request_id import request_id_of
from api.settings import SettingError, load
from tests.rigs.running import KEY, Service

PING = {"device_id": "kims-phone", "lat": 48.2313, "lon": 16.7423, "accuracy_m": 10}


def lines_of(log: Path, event: str) -> list[dict[str, Any]]:
    """JSON log lines of that event; stdout's plain lines are left out."""
    found = (json.loads(line) for line in log.read_text().splitlines() if line.startswith("{"))
    return [line for line in found if line["event"] == event]


def test_every_answer_carries_the_clients_id_where_it_is_sane_and_a_new_one_otherwise(
    tmp_path: Path,
) -> None:
    with Service(f"sqlite:///{tmp_path}/r.db", tmp_path / "log") as service:
        kept = httpx.get(f"{service.url}/livez", headers={"X-Request-Id": "till-7/0042"})
        assert kept.headers["x-request-id"] == "till-7/0042"
        seen = set()
        for odd in ("", "two words", "x" * 129, '"><script>', "-first"):
            answer = httpx.get(f"{service.url}/v1/stores", headers={"X-Request-Id": odd})
            given = answer.headers["x-request-id"]
            assert re.fullmatch(r"req_[0-9a-f]{12,}", given)
            assert answer.json()["request_id"] == given
            seen.add(given)
        assert len(seen) == 5
        assert httpx.options(f"{service.url}/nowhere").json()["request_id"].startswith("req_")


def test_the_access_log_holds_route_and_key_id_and_neither_query_nor_position_nor_secret(
    tmp_path: Path,
) -> None:
    url, log = f"sqlite:///{tmp_path}/r.db", tmp_path / "log"
    with Service(url, log, ACCESS_LOG="on", LOG_FORMAT="json") as service, service.client() as ours:
        ping = PING | {"ts": time.time_ns() // 1_000_000}
        assert ours.post("/v1/pings", json=ping, headers={"X-Request-Id": "one"}).is_success
        assert ours.get("/v1/stores/kettle-1?limit=48.2313").status_code == 422
        assert httpx.get(f"{service.url}/v1/pings?key=sk_wrong").status_code == 405
        wrong = httpx.post(f"{service.url}/v1/pings?key=sk_wrong", json=ping)
        assert wrong.status_code == 401
        service.stop()
    written = {line["request_id"]: line for line in lines_of(log, "request")}
    one = written["one"]
    assert (one["method"], one["route"], one["status"]) == ("POST", "/v1/pings", 202)
    assert one["key_id"].startswith("key_")
    assert 0 < one["ms"] < 60_000
    assert {"/v1/stores/{external_id}", "/v1/pings"} <= {line["route"] for line in written.values()}
    (refused,) = lines_of(log, "API key refused")
    assert written[refused["request_id"]]["status"] == 401
    for secret in (KEY, "sk_wrong", "48.2313", "kettle-1", "kims-phone", "limit="):
        assert secret not in log.read_text(), secret


def test_without_the_setting_no_request_is_logged(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with Service(f"sqlite:///{tmp_path}/r.db", log, LOG_FORMAT="json") as service:
        httpx.get(f"{service.url}/livez")
        service.stop()
    assert not lines_of(log, "request")


FORWARDED = {
    "X-Forwarded-Prefix": "/shop",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "shop.example",
}


@pytest.mark.parametrize(
    ("trusted", "prefix"), [("127.0.0.0/8, 10.0.0.1", "/shop"), ("10.0.0.0/8", "/geo")]
)
def test_only_trusted_proxies_say_where_the_outside_sees_the_service(
    trusted: str, prefix: str, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/r.db"
    with Service(
        url, tmp_path / "log", ROOT_PATH="/geo", TRUSTED_PROXIES=trusted, PUBLIC_URL="https://a.b/g"
    ) as service:
        document = httpx.get(f"{service.url}/openapi.json", headers=FORWARDED).json()
        assert document["servers"] == [{"url": prefix}, {"url": "https://a.b/g"}]
        # stripped by the proxy, or left as it came
        for path in ("/v1/project", f"{prefix}/v1/project"):
            answer = httpx.get(
                service.url + path, headers={**FORWARDED, "Authorization": f"Bearer {KEY}"}
            )
            assert answer.status_code == 200, path
        assert httpx.head(f"{service.url}{prefix}/livez", headers=FORWARDED).status_code == 200
        assert f"Listening on http://127.0.0.1:{service.port}" in (tmp_path / "log").read_text()


def scope(peer: str, **headers: str) -> dict[str, Any]:
    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {"client": (peer, 5), "scheme": "http", "headers": [(b"host", b"inner"), *pairs]}


def test_forwarded_values_that_are_no_host_scheme_or_path_are_ignored() -> None:
    proxies = Proxies("/geo", "10.0.0.0/8,2001:db8::/32")
    good = {name.lower(): value for name, value in FORWARDED.items()}
    taken = proxies.apply(scope("10.1.2.3", **good))
    assert (taken["root_path"], taken["scheme"]) == ("/shop", "https")
    assert (b"host", b"shop.example") in taken["headers"]
    assert proxies.apply(scope("2001:db8::7", **good))["root_path"] == "/shop"
    bad = {
        "x-forwarded-prefix": "//evil.example",
        "x-forwarded-proto": "javascript",
        "x-forwarded-host": "evil.example/path",
    }
    for peer, headers in (("10.1.2.3", bad), ("192.0.2.1", good), ("not an address", good)):
        kept = proxies.apply(scope(peer, **headers))
        assert (kept["root_path"], kept["scheme"]) == ("/geo", "http")
        assert (b"host", b"inner") in kept["headers"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ROOT_PATH", "geo"),
        ("ROOT_PATH", "/geo/"),
        ("ROOT_PATH", "/v1/geo"),
        ("ROOT_PATH", "/a b"),
        ("TRUSTED_PROXIES", "proxy.example"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
    ],
)
def test_a_root_path_or_a_network_that_cannot_be_used_is_refused_by_name(
    name: str, value: str
) -> None:
    with pytest.raises(SettingError, match=f"GEOFENCE_{name}"):
        load({f"GEOFENCE_{name}": value})


def test_ids_are_taken_from_the_first_sane_header() -> None:
    assert request_id_of([(b"x-request-id", b"bad id"), (b"x-request-id", b"good")]) == "good"
