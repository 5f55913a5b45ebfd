"""Recorded walks of real cabs past real stores, and the transitions that a brute force found.

Posted over HTTP, compared.

The data lies beside the project, in `../shared/data`; it is never part of it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx
import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
TRACE = DATA / "traces" / "sf_cabs_dev.parquet"
FENCES = DATA / "truth" / "fences_starbucks_bay_r150.csv"
TRUTH = DATA / "truth" / "sf_dev__starbucks_r150.transitions.parquet"
MISSING = "" if TRUTH.exists() else "the recorded cab trace is not there (../shared/data)"
BATCH = 1000

Transition = tuple[str, int, str, str]


def put_stores(client: httpx.Client) -> int:
    """Create every store of the list with one ring of 150 m under `exact`; how many."""
    with FENCES.open(encoding="utf-8") as file:
        stores = list(csv.DictReader(file))
    for store in stores:
        ring = {"name": "r150", "radius_m": float(store["radius_m"]), "profile": "exact"}
        body = {
            "name": store["name"],
            "lat": float(store["lat"]),
            "lon": float(store["lon"]),
            "brand": store["brand"],
            "rings": [ring],
        }
        answer = client.put(f"/v1/stores/{store['store_id']}", json=body)
        assert answer.status_code in (200, 201), answer.text
    return len(stores)


def cabs(count: int | None = None) -> list[str]:
    """The first `count` cabs by name, all of them for None."""
    names: list[str] = sorted(
        pq.read_table(TRACE, columns=["device_id"]).column(0).unique().to_pylist()
    )
    return names[:count]


def batches(names: list[str]) -> Iterator[bytes]:
    """The pings of these cabs in time order, 1,000 to a request body."""
    table = pq.read_table(TRACE, columns=["device_id", "ts", "lat", "lon"])
    table = table.filter(pc.is_in(table.column("device_id"), value_set=pa.array(names)))
    table = table.sort_by([("ts", "ascending"), ("device_id", "ascending")])
    for start in range(0, len(table), BATCH):
        yield msgspec.json.encode(
            table.slice(start, BATCH).rename_columns(["device_id", "ts", "lat", "lon"]).to_pylist()
        )


def truth(names: list[str]) -> set[Transition]:
    """(device, ts, store, enter or exit) of these cabs."""
    table = pq.read_table(TRUTH, columns=["device_id", "ts", "store_id", "event"])
    wanted = set(names)
    columns = (table.column(name).to_pylist() for name in ("device_id", "ts", "store_id", "event"))
    return {row for row in zip(*columns, strict=True) if row[0] in wanted}


def events(client: httpx.Client) -> list[Transition]:
    """Every event the service tells, page by page, in the same words as the truth."""
    found: list[Transition] = []
    cursor: str | None = None
    words = {"geofence.entered": "enter", "geofence.exited": "exit"}
    while True:
        page = client.get(
            "/v1/events", params={"limit": 1000} | ({"cursor": cursor} if cursor else {})
        ).json()
        found += [
            (e["device_id"], _epoch_ms(e["ts"]), e["store_id"], words[e["kind"]])
            for e in page["data"]
        ]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def post(client: httpx.Client, body: bytes) -> dict[str, int]:
    """Post one batch; raises what httpx raises when no answer comes."""
    answer = client.post("/v1/pings", content=body)
    assert answer.status_code == httpx.codes.ACCEPTED, answer.text
    result: dict[str, int] = answer.json()
    return result


def _epoch_ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)
