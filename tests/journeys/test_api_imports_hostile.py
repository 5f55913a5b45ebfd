"""Files made to harm, or just broken.

Refused by name, row by row or as a whole, and nothing of them is kept.
"""

from __future__ import annotations

import asyncio
import io
import json
import socket
import zipfile
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.types import Message

from api.http.problems import Refusal
from api.routes.imports import MAX_BYTES, _fill
from tests.rigs.shop import Shop


def _bring(shop: Shop, body: str | bytes, kind: str = "stores", **params: Any) -> httpx.Response:
    return shop.client.post("/v1/imports", params={"kind": kind, **params}, content=body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00\x01\x02 garbage \xff",
        b"{",
        b"[1,2",
        b"%PDF-1.7 hello",
        b"PK\x03\x04 no archive",
        b"<kml><!DOCTYPE",
    ],
)
def test_a_file_that_cannot_be_read_is_a_problem_with_a_code(shop: Shop, body: bytes) -> None:
    answer = _bring(shop, body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json()["code"] in ("empty", "unknown_format", "broken", "external_entity", "bomb")


def test_a_file_that_is_too_large_is_refused_and_nothing_of_it_is_kept(shop: Shop) -> None:
    row = b"s,Store,48.0,11.0\n" * 4096

    def endless() -> Any:
        yield b"id,name,lat,lon\n"
        for _ in range(MAX_BYTES // len(row) + 2):
            yield row

    try:
        status = shop.client.post(
            "/v1/imports", params={"kind": "stores"}, content=endless()
        ).status_code
    except httpx.TransportError:
        status = 413  # the service hangs up on whoever goes on sending
    assert status == 413
    assert _status_of_a_promise(shop, 100 * 1024 * 1024) == 413
    assert shop.client.get("/v1/stores").json()["data"] == []


def _status_of_a_promise(shop: Shop, length: int) -> int:
    """The answer to a request that only says how long its body will be."""
    where = httpx.URL(shop.running.url)
    lines = (
        "POST /v1/imports?kind=stores HTTP/1.1",
        "Host: x",
        f"Authorization: Bearer {shop.sk}",
        f"Content-Length: {length}",
        "",
        "",
    )
    with socket.create_connection((where.host, where.port), 30) as line:
        line.sendall("\r\n".join(lines).encode())
        return int(line.recv(4096).split(b" ")[1])


def _zip(**members: bytes) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return whole.getvalue()


def _kml(inner: str, before: str = "") -> bytes:
    document = f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{inner}</Document></kml>'
    return f'<?xml version="1.0"?>{before}{document}'.encode()


HOSTILE: dict[str, tuple[Any, set[str]]] = {
    "a zip bomb": (
        lambda: _zip(**{"a.shp": bytes(300 << 20), "a.shx": b"", "a.dbf": b""}),
        {"bomb"},
    ),
    "a path out of the archive": (
        lambda: _zip(**{"../../evil.shp": b"x", "a.shp": b"x", "a.shx": b"", "a.dbf": b""}),
        {"path_traversal"},
    ),
    "an external entity": (
        lambda: _kml("&x;", '<!DOCTYPE kml [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
        {"external_entity"},
    ),
    "a network link": (
        lambda: _kml("<NetworkLink><Link><href>http://127.0.0.1:9/</href></Link></NetworkLink>"),
        {"network_link"},
    ),
    "an endless nesting": (
        lambda: b'{"type":"FeatureCollection","features":' + b"[" * 200_000,
        {"broken", "unknown_format"},
    ),
    "an Excel workbook": (
        lambda: _zip(**{"[Content_Types].xml": b"<x/>", "xl/workbook.xml": b"<x/>"}),
        {"unknown_format"},
    ),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_file_is_refused_by_its_name(what: str, shop: Shop) -> None:
    make, codes = HOSTILE[what]
    body = make()
    for dry_run in ("true", "false"):
        answer = _bring(shop, body, dry_run=dry_run)
        assert (answer.status_code, answer.headers["content-type"]) == (
            422,
            "application/problem+json",
        ), answer.text
        assert answer.json()["code"] in codes
    assert shop.client.get("/v1/stores").json()["data"] == []


def test_hostile_cells_are_errors_of_their_rows_and_never_of_the_service(shop: Shop) -> None:
    long = "x" * 20_000
    features = [
        {"id": "a/b\u0007", "name": "control"},
        {"id": "n" * 129, "name": "long id"},
        {"id": "long", "name": "n" * 1001},
        {"id": "ring", "rings": [{"name": "a/b", "radius_m": 50}]},
        {"id": "tiny", "rings": "near:1"},
        {"id": "huge", "radius": 10**400},
        {
            "id": "deep",
            "metadata": json.loads("[" * 20 + "]" * 20),
            "note": json.loads("[" * 20 + "]" * 20),
        },
        {"id": "fat", "a": long, "b": "kept"},
        {"id": "nul", "name": "half \ud83d"},
        {
            "id": "zone",
            "time_zone": "../../etc/passwd",
            "tags": [["x"], "ok"],
            "brand": {"a": 1},
            "opening_hours": ["Mo"],
        },
    ]
    point = {"type": "Point", "coordinates": [11.5, 48.1]}
    body = {
        "type": "FeatureCollection",
        "features": [
            {"type": "Feature", "properties": properties, "geometry": point}
            for properties in features
        ],
    }
    report = _bring(shop, json.dumps(body)).json()
    assert report["rows"] == 10
    failed = {one["number"] for one in report["errors"]}
    assert failed >= {1, 2, 3, 4, 5}
    assert report["created"] == 10 - len(failed)
    fat = shop.client.get("/v1/stores/fat").json()
    assert fat["metadata"] == {"b": "kept"}
    assert {one["code"] for one in report["warnings"] if one["number"] == 8} == {
        "metadata_too_large"
    }
    assert _bring(shop, json.dumps(body)).json()["unchanged"] == report["created"]


def test_a_body_that_never_comes_is_refused_in_the_end() -> None:
    async def nothing() -> Message:
        return await asyncio.Future()

    with pytest.raises(Refusal) as caught:
        asyncio.run(_fill(io.BytesIO(), Request({"type": "http"}, nothing), within_s=0.05))
    assert caught.value.status == 400
