"""API keys: made once, shown once, felt when they are gone."""

from __future__ import annotations

from msgspec.structs import replace

from geofence.model.edit import EditResult
from geofence.ports.unit import Unit
from tests.rigs.closures import run_edit
from tests.rigs.shop import Shop, until


def test_a_new_key_works_at_once_and_a_revoked_one_no_more(shop: Shop) -> None:
    made = shop.client.post(
        "/v1/keys", json={"kind": "sk", "scopes": ["read"], "name": "dashboard"}
    )
    assert made.status_code == 201
    secret, key_id = made.json()["secret"], made.json()["key"]["id"]
    dashboard = shop.with_key(secret)
    assert dashboard.get("/v1/events").status_code == 200
    assert dashboard.put("/v1/stores/s", json={"name": "S", "lat": 1, "lon": 2}).status_code == 403
    listed = shop.client.get("/v1/keys")
    assert secret not in listed.text
    assert [one["last4"] for one in listed.json()["data"] if one["id"] == key_id] == [secret[-4:]]
    assert shop.client.delete(f"/v1/keys/{key_id}").status_code == 204
    assert dashboard.get("/v1/events").status_code == 401
    assert shop.client.delete("/v1/keys/key_unknown").status_code == 404


def test_a_key_revoked_elsewhere_stops_working_within_seconds(shop: Shop) -> None:
    services = shop.running.services
    assert shop.client.get("/v1/events").status_code == 200
    mine = next(
        key
        for key in services.database.queries.keys.page(shop.project_id, None, None, 99)
        if key.kind == "sk"
    )

    def work(unit: Unit) -> EditResult:
        unit.accounts.put_key(replace(mine, revoked_ms=1))
        return EditResult(None)

    run_edit(services.street, shop.project_id, work).result(30)
    until(lambda: shop.client.get("/v1/events").status_code == 401, patience_s=10)


def test_the_same_idempotency_key_gives_the_same_key_and_other_content_a_conflict(
    shop: Shop,
) -> None:
    once = {"Idempotency-Key": "abc"}
    first = shop.client.post("/v1/keys", json={"kind": "pk"}, headers=once)
    again = shop.client.post("/v1/keys", json={"kind": "pk"}, headers={"Idempotency-Key": '"abc"'})
    assert (again.status_code, again.json()) == (201, first.json())
    other = shop.client.post("/v1/keys", json={"kind": "sk"}, headers=once)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert len(shop.client.get("/v1/keys").json()["data"]) == 3
    assert shop.client.delete(f"/v1/keys/{first.json()['key']['id']}").status_code == 204
    shop.client.post("/v1/keys", json={"kind": "pk"}, headers=once)
    assert shop.with_key(first.json()["secret"]).post("/v1/pings", content="[]").status_code == 401


def test_a_remembered_answer_does_not_hold_the_secret(shop: Shop) -> None:
    secret = shop.client.post(
        "/v1/keys", json={"kind": "sk"}, headers={"Idempotency-Key": "abc"}
    ).json()["secret"]
    with shop.running.services.database.engine.connect() as connection:
        bodies = connection.exec_driver_sql("SELECT body FROM idempotency").scalars().all()
    assert bodies
    assert not any(secret.encode() in bytes(body) for body in bodies)


def test_a_publishable_key_cannot_be_given_more_than_ingest(shop: Shop) -> None:
    answer = shop.client.post("/v1/keys", json={"kind": "pk", "scopes": ["manage"]})
    assert answer.status_code == 422
    assert (
        shop.client.post("/v1/keys", json={"kind": "xk"}).json()["errors"][0]["pointer"] == "/kind"
    )
