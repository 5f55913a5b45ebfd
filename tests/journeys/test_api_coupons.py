"""Codes at the till: looked up as typed, redeemed once, taken back; and nobody tries them out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.rigs.offers import INAPP, open_front, register, step_inside
from tests.rigs.shop import Shop, open_shop


@pytest.fixture
def code(shop: Shop) -> str:
    """A code that was issued at the store `corner`."""
    return _issue(shop)


def _issue(shop: Shop, **coupon: object) -> str:
    open_front(shop, INAPP, offer={"title": "2 for 1", "coupon": {"valid_days": 3, **coupon}})
    register(shop, "kim", "location")
    step_inside(shop, "kim")
    issued: str = shop.client.get("/v1/customers/kim/coupons").json()["data"][0]["code"]
    return issued


def _redeem(shop: Shop, code: str, key: str = "", **body: object) -> httpx.Response:
    return shop.client.post(
        f"/v1/coupons/{code}/redeem",
        json={"store": "corner", **body},
        headers={"Idempotency-Key": key} if key else {},
    )


def test_a_code_is_found_however_it_is_typed_and_redeemed_once(shop: Shop, code: str) -> None:
    for typed in (code, code.lower(), code.replace("-", ""), code.replace("-", " "), f" {code} "):
        found = shop.client.get(f"/v1/coupons/{typed}")
        assert (found.status_code, found.json()["code"], found.json()["status"]) == (
            200,
            code,
            "issued",
        ), typed
    answer = _redeem(
        shop, code.lower().replace("-", " "), till="till 3", amount=1250, currency="EUR"
    )
    assert answer.status_code == 200, answer.text
    assert (answer.json()["coupon"]["status"], answer.json()["coupon"]["uses"]) == ("redeemed", 1)
    use = answer.json()["redemption"]
    assert (use["store"], use["till"], use["amount"], use["currency"]) == (
        "corner",
        "till 3",
        1250,
        "EUR",
    )
    again = _redeem(shop, code)
    assert (again.status_code, again.json()["code"]) == (409, "coupon_redeemed")
    assert shop.client.get(f"/v1/coupons/{code}").json()["status"] == "redeemed"
    taken = shop.client.post(f"/v1/coupons/{code}/void")
    assert (taken.status_code, taken.json()["code"]) == (409, "coupon_redeemed")


def test_the_same_idempotency_key_gets_the_same_answer_and_other_content_a_conflict(
    shop: Shop, code: str
) -> None:
    first = _redeem(shop, code, "till-3-receipt-77", amount=1250, currency="EUR")
    assert first.status_code == 200
    again = _redeem(shop, code, "till-3-receipt-77", amount=1250, currency="EUR")
    assert (again.status_code, again.json()) == (200, first.json())
    other = _redeem(shop, code, "till-3-receipt-77", amount=1251, currency="EUR")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    assert _redeem(shop, code, "till-4-receipt-1").json()["code"] == "coupon_redeemed"


def test_sixty_four_tills_at_once_redeem_a_code_once(shop: Shop, code: str) -> None:
    with ThreadPoolExecutor(64) as tills:
        answers = list(
            tills.map(lambda till: _redeem(shop, code, f"r{till}", till=str(till)), range(64))
        )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 63
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {
        "coupon_redeemed"
    }


def test_a_code_for_many_uses_counts_them(shop: Shop) -> None:
    code = _issue(shop, single_use=False, stores="any")
    for uses in (1, 2, 3):
        answer = _redeem(shop, code, store="elsewhere")
        assert (answer.status_code, answer.json()["coupon"]["uses"]) == (200, uses)
    assert shop.client.get(f"/v1/coupons/{code}").json()["uses"] == 3


def test_a_code_is_taken_at_its_store_only_and_never_when_void(shop: Shop, code: str) -> None:
    other = _redeem(shop, code, store="elsewhere")
    assert (other.status_code, other.json()["code"]) == (409, "coupon_other_store")
    void = shop.client.post(f"/v1/coupons/{code}/void")
    assert (void.status_code, void.json()["status"]) == (200, "void")
    answer = _redeem(shop, code)
    assert (answer.status_code, answer.json()["code"]) == (409, "coupon_void")


def test_unknown_codes_and_those_of_another_tenant_are_404(shop: Shop, code: str) -> None:
    other = open_shop(shop.running, "other")
    for typed in ("XXXX-XXXX-XXXXX", "-", "é", "ß" * 64):
        assert shop.client.get(f"/v1/coupons/{typed}").json()["code"] == "coupon_unknown", typed
    for answer in (
        other.client.get(f"/v1/coupons/{code}"),
        _redeem(other, code),
        other.client.post(f"/v1/coupons/{code}/void"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "coupon_unknown")
    assert shop.client.get(f"/v1/coupons/{code}").json()["status"] == "issued"
    assert shop.client.get("/v1/coupons/a%00").status_code == 422


def test_thirty_unknown_codes_a_minute_and_then_the_key_waits(shop: Shop, code: str) -> None:
    clerk = shop.with_key(
        shop.client.post("/v1/keys", json={"kind": "sk", "scopes": ["redeem"]}).json()["secret"]
    )
    paths = [("GET", f"/v1/coupons/guess{number}") for number in range(15)]
    paths += [("POST", f"/v1/coupons/guess{number}/redeem") for number in range(15)]
    with ThreadPoolExecutor(10) as hands:
        assert {
            answer.status_code
            for answer in hands.map(
                lambda one: clerk.request(*one, json={"store": "corner"}), paths
            )
        } == {404}
    for answer in (
        clerk.get("/v1/coupons/guess"),
        clerk.get(f"/v1/coupons/{code}"),
        clerk.post(f"/v1/coupons/{code}/redeem", json={"store": "corner"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_unknown_codes")
        assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert _redeem(shop, code).status_code == 200


def test_what_a_key_may_do_with_codes_follows_from_its_scopes(shop: Shop, code: str) -> None:
    may: dict[str, tuple[int, int, int]] = {
        "read": (200, 403, 403),
        "redeem": (200, 200, 409),
        "manage": (403, 403, 409),
        "ingest": (403, 403, 403),
    }
    for scope, wanted in may.items():
        client = shop.with_key(
            shop.client.post("/v1/keys", json={"kind": "sk", "scopes": [scope]}).json()["secret"]
        )
        found = client.get(f"/v1/coupons/{code}").status_code
        redeemed = client.post(f"/v1/coupons/{code}/redeem", json={"store": "corner"}).status_code
        assert (
            found,
            redeemed,
            client.post(f"/v1/coupons/{code}/void").status_code,
        ) == wanted, scope


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/store"),
        ({"store": ""}, "/store"),
        ({"store": "a\0"}, "/store"),
        ({"store": "s", "colour": 1}, "/colour"),
        ({"store": "s", "amount": -1}, "/amount"),
        ({"store": "s", "amount": 1.5}, "/amount"),
        ({"store": "s", "amount": 10**30}, "/amount"),
        ({"store": "s", "currency": "euro"}, "/currency"),
        ({"store": "s", "till": "x" * 129}, "/till"),
        ({"store": "s", "till": "\0"}, "/till"),
    ],
)
def test_a_bad_redemption_names_the_field(
    shop: Shop, body: dict[str, object], pointer: str
) -> None:
    answer = shop.client.post("/v1/coupons/ABC/redeem", json=body)
    assert answer.status_code == 422, answer.text
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]


def test_codes_of_a_customer_come_in_pages(shop: Shop, code: str) -> None:
    page = shop.client.get("/v1/customers/kim/coupons?limit=1").json()
    assert ([one["code"] for one in page["data"]], page["next_cursor"]) == ([code], None)
    assert shop.client.get("/v1/customers/nobody/coupons").json()["data"] == []


@pytest.mark.parametrize("amount", [3.80, 3.0, "3.80"])
def test_an_amount_with_a_point_is_refused_in_words_that_a_cashier_understands(
    shop: Shop, code: str, amount: float | str
) -> None:
    refused = _redeem(shop, code, amount=amount, currency="EUR")
    assert refused.status_code == 422
    [error] = refused.json()["errors"]
    assert error["pointer"] == "/amount"
    assert "smallest unit, without a point: 380 for 3.80 EUR" in error["detail"]
    assert shop.client.get(f"/v1/coupons/{code}").json()["status"] == "issued"


def test_an_amount_needs_a_currency(shop: Shop, code: str) -> None:
    refused = _redeem(shop, code, amount=380)
    assert refused.status_code == 422
    assert [one["pointer"] for one in refused.json()["errors"]] == ["/currency"]
    assert _redeem(shop, code, amount=380, currency="EUR").status_code == 200
