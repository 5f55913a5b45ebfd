"""People: what they agreed to, all that is kept of them, and how they leave."""

from __future__ import annotations

import pytest

from tests.rigs.offers import INAPP, PUSH, open_front, register, step_inside
from tests.rigs.shop import Shop, open_shop

KIM = {
    "email": "kim@example.org",
    "attributes": {"first_name": "Kim", "tier": "gold", "pets": [{"name": "Rex"}]},
    "tags": ["vip"],
    "consent": {
        "push": {"granted": True, "at": "2026-01-05T10:00:00+02:00", "source": "app"},
        "email": {"granted": False},
    },
    "quiet_hours": {"start": "21:00", "until": "08:00"},
    "locale": "de-AT",
}


def test_a_customer_is_put_read_listed_and_gone(shop: Shop) -> None:
    made = shop.client.put("/v1/customers/kim", json=KIM)
    assert made.status_code == 201
    found = made.json()
    assert found["consent"]["push"] == {
        "granted": True,
        "at": "2026-01-05T08:00:00.000Z",
        "source": "app",
    }
    assert (found["id"], found["email"], found["attributes"], found["quiet_hours"]) == (
        "kim",
        KIM["email"],
        KIM["attributes"],
        KIM["quiet_hours"],
    )
    assert set(found["consent"]) == {"push", "email"}
    again = shop.client.put("/v1/customers/kim", json=KIM)
    assert (again.status_code, again.json()) == (200, found)
    assert shop.client.get("/v1/customers/kim").json() == found
    gone = shop.client.delete("/v1/customers/kim")
    assert (gone.status_code, gone.json()["result"], gone.json()["erased"]["customers"]) == (
        202,
        "erased",
        1,
    )
    assert gone.json()["receipt"].startswith("era_")
    assert shop.client.get("/v1/customers/kim").status_code == 404
    assert shop.client.delete("/v1/customers/kim").status_code == 404


def test_put_replaces_and_what_is_not_mentioned_is_not_granted(shop: Shop) -> None:
    shop.client.put("/v1/customers/kim", json=KIM)
    answer = shop.client.put("/v1/customers/kim", json={"tags": ["new"]}).json()
    assert (
        answer["email"],
        answer["attributes"],
        answer["tags"],
        answer["quiet_hours"],
        answer["locale"],
    ) == (None, {}, ["new"], None, None)
    assert {purpose: said["granted"] for purpose, said in answer["consent"].items()} == {
        "email": False
    }


def test_an_old_grant_does_not_undo_a_newer_refusal_and_a_new_one_does(shop: Shop) -> None:
    def say(**said: object) -> dict[str, object]:
        answer = shop.client.put("/v1/customers/kim", json={"consent": {"email": said}})
        assert answer.status_code in (200, 201), answer.text
        word: dict[str, object] = answer.json()["consent"]["email"]
        return word

    assert say(granted=True, at="2026-03-01T00:00:00Z")["granted"] is True
    assert say(granted=False, at="2026-04-01T00:00:00Z")["granted"] is False
    assert say(granted=True, at="2026-03-01T00:00:00Z") == {
        "granted": False,
        "at": "2026-04-01T00:00:00.000Z",
        "source": "",
    }
    shop.client.put("/v1/customers/kim", json={})
    assert say(granted=True, at="2026-03-31T23:59:59.999Z")["granted"] is False
    assert say(granted=True, at="2026-04-01T00:00:00Z")["granted"] is True
    assert say(granted=False)["granted"] is False
    assert say(granted=True)["granted"] is True


def test_pages_of_customers_are_complete_and_can_be_filtered_by_tag(shop: Shop) -> None:
    for number in range(7):
        shop.client.put(
            f"/v1/customers/c{number}", json={"tags": ["odd" if number % 2 else "even"]}
        )
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = shop.client.get(
            "/v1/customers", params={"limit": 3} | ({"cursor": cursor} if cursor else {})
        ).json()
        found += [one["id"] for one in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == [f"c{number}" for number in range(7)]
    assert [
        one["id"] for one in shop.client.get("/v1/customers", params={"tag": "odd"}).json()["data"]
    ] == ["c1", "c3", "c5"]
    other = shop.client.get(
        "/v1/stores",
        params={"cursor": shop.client.get("/v1/customers?limit=1").json()["next_cursor"]},
    )
    assert (other.status_code, other.json()["code"]) == (400, "bad_cursor")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"colour": "red"}, "/colour"),
        ({"email": "kim"}, "/email"),
        ({"email": "kim@"}, "/email"),
        ({"email": "a..b@example.org"}, "/email"),
        ({"email": "kim@example.org\r\nBcc: all@example.org"}, "/email"),
        ({"email": "Kim <kim@example.org>"}, "/email"),
        ({"email": "kim@-example.org"}, "/email"),
        ({"email": "kim@exa\0mple.org"}, "/email"),
        ({"email": f"{'k' * 65}@example.org"}, "/email"),
        ({"email": f"kim@{'x' * 300}.org"}, "/email"),
        ({"email": "kïm@example.org"}, "/email"),
        ({"email": "a@b@example.org"}, "/email"),
        ({"consent": {"sms": {"granted": True}}}, "/consent/sms"),
        ({"consent": {"push": True}}, "/consent/push"),
        ({"consent": {"push": {}}}, "/consent/push/granted"),
        ({"consent": {"push": {"granted": "yes"}}}, "/consent/push/granted"),
        ({"consent": {"push": {"granted": True, "at": "yesterday"}}}, "/consent/push/at"),
        ({"consent": {"push": {"granted": True, "at": "2026-01-01T00:00:00"}}}, "/consent/push/at"),
        (
            {"consent": {"push": {"granted": True, "at": "0001-01-01T00:00:00+14:00"}}},
            "/consent/push/at",
        ),
        ({"consent": {"push": {"granted": True, "source": "a\0"}}}, "/consent/push/source"),
        ({"quiet_hours": {"start": "21:00"}}, "/quiet_hours/until"),
        ({"quiet_hours": {"start": "24:00", "until": "08:00"}}, "/quiet_hours/start"),
        ({"quiet_hours": {"start": "08:00\n", "until": "09:00"}}, "/quiet_hours/start"),
        ({"quiet_hours": {"start": "08:00", "until": "08:00"}}, "/quiet_hours"),
        ({"attributes": {"n": 2**64}}, "/attributes"),
        ({"attributes": {"a": "\0"}}, "/attributes"),
        ({"attributes": {"a": "x" * 20_000}}, "/attributes"),
        ({"attributes": []}, "/attributes"),
        ({"tags": ["a\0"]}, "/tags/0"),
        ({"tags": ["x"] * 101}, "/tags"),
        ({"locale": "de AT"}, "/locale"),
    ],
)
def test_a_bad_customer_names_the_field_and_nothing_is_kept(
    shop: Shop, body: dict[str, object], pointer: str
) -> None:
    answer = shop.client.put("/v1/customers/bad", json=body)
    assert answer.status_code == 422, answer.text
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    assert shop.client.get("/v1/customers/bad").status_code == 404


def test_bodies_that_are_no_customers_get_their_4xx(shop: Shop) -> None:
    for body in (
        b"",
        b"[]",
        b"null",
        b'{"email":',
        b"\xff",
        b'{"attributes":' + b'{"a":' * 100_000,
        b'{"attributes":' + b'{"a":' * 40 + b"1" + b"}" * 41,
    ):
        answer = shop.client.put("/v1/customers/bad", content=body)
        assert answer.status_code in (400, 422), answer.text
    for path in (
        "/v1/customers/a%00b",
        "/v1/customers/" + "x" * 129,
        "/v1/customers/kim/export",
        "/v1/customers/kim/coupons",
    ):
        assert shop.client.put(path, json={}).status_code == 422, path


def test_an_address_in_any_script_is_taken(shop: Shop) -> None:
    for email in ("kim@bücher.example", "k.i-m+tag@sub.example.org", "kim@localhost"):
        assert shop.client.put("/v1/customers/kim", json={"email": email}).json()["email"] == email


def test_an_id_may_hold_a_slash_and_other_tenants_see_nothing(shop: Shop) -> None:
    assert shop.client.put("/v1/customers/https://id.example/7", json={}).status_code == 201
    assert (
        shop.client.get("/v1/customers/https://id.example/7").json()["id"] == "https://id.example/7"
    )
    other = open_shop(shop.running, "other").client
    assert other.get("/v1/customers/https://id.example/7").status_code == 404
    assert other.get("/v1/customers/https://id.example/7/export").status_code == 404
    assert other.delete("/v1/customers/https://id.example/7").status_code == 404
    assert other.get("/v1/customers").json()["data"] == []


def test_a_publishable_key_sees_and_changes_no_customer(shop: Shop) -> None:
    shop.client.put("/v1/customers/kim", json=KIM)
    phone = shop.with_key(shop.pk)
    for method, path in (
        ("PUT", "/v1/customers/kim"),
        ("GET", "/v1/customers/kim"),
        ("DELETE", "/v1/customers/kim"),
        ("GET", "/v1/customers"),
        ("GET", "/v1/customers/kim/export"),
        ("GET", "/v1/customers/kim/coupons"),
        ("GET", "/v1/decisions"),
        ("GET", "/v1/messages"),
        ("PUT", "/v1/campaigns/c"),
        ("GET", "/v1/campaigns"),
        ("POST", "/v1/campaigns/c/activate"),
        ("POST", "/v1/campaigns/c/preview"),
        ("GET", "/v1/coupons/ABC"),
        ("POST", "/v1/coupons/ABC/redeem"),
        ("POST", "/v1/coupons/ABC/void"),
    ):
        answer = phone.request(method, path, content="{}")
        assert (answer.status_code, answer.json()["code"]) == (403, "scope"), (method, path)


def test_the_export_holds_everything_and_after_the_erasure_nothing_is_left(shop: Shop) -> None:
    open_front(shop, PUSH, INAPP)
    register(
        shop, "kim", "location", "push", token="token-of-kim-0123456789", email="kim@example.org"
    )
    step_inside(shop, "kim")
    found = shop.client.get("/v1/customers/kim/export").json()
    assert found["customer"]["email"] == "kim@example.org"
    assert {
        noun: len(found[noun])
        for noun in ("devices", "visits", "events", "decisions", "messages", "coupons")
    } == {"devices": 1, "visits": 1, "events": 1, "decisions": 1, "messages": 2, "coupons": 1}
    push = next(one for one in found["messages"] if one["message"]["channel"] == "push")
    assert push["address"] == "token-of-kim-0123456789"
    code = found["coupons"][0]["code"]
    assert code in push["content"]["body"]
    receipt = shop.client.delete("/v1/customers/kim").json()
    assert receipt["erased"] == {"customers": 1, "decisions": 1, "messages": 2}
    assert receipt["kept_anonymised"] == {"devices": 1, "visits": 1, "events": 1, "coupons": 1}
    assert shop.client.get("/v1/customers/kim/export").status_code == 404
    for path in ("/v1/decisions", "/v1/messages", "/v1/events", "/v1/visits"):
        assert shop.client.get(path, params={"customer": "kim"}).json()["data"] == [], path
    left = shop.client.get(f"/v1/coupons/{code}").json()
    assert (left["customer_id"], left["status"]) == (None, "void")
    assert shop.client.get("/v1/devices/kim-phone").json()["has_push_token"] is False
    assert shop.with_key("").get(f"/p/{push['message']['id']}").status_code == 404


def test_somebody_known_only_from_pings_can_leave_too(shop: Shop) -> None:
    shop.client.put(
        "/v1/geofences/g",
        json={
            "region": {"type": "circle", "lat": 1, "lon": 2, "radius_m": 100},
            "profile": "exact",
        },
    )
    shop.client.post(
        "/v1/pings",
        json={"device_id": "d", "customer_id": "ghost", "lat": 1, "lon": 2, "ts": shop.now_ms},
    )
    assert shop.client.get("/v1/customers/ghost").status_code == 404
    assert len(shop.client.get("/v1/customers/ghost/export").json()["events"]) == 1
    assert shop.client.delete("/v1/customers/ghost").json()["kept_anonymised"]["events"] == 1
    assert shop.client.get("/v1/events").json()["data"][0]["customer_id"] is None
    assert shop.client.delete("/v1/customers/ghost").status_code == 404
