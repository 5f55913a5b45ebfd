"""Posting pings: what may be asked for, and what is said of misspelt fields."""

from __future__ import annotations

import pytest

from tests.rigs.shop import Shop


@pytest.mark.parametrize(
    "query",
    ["include=hint&include=offers", "include=hint,offers", "include=offers&include=,hint"],
)
def test_what_to_include_may_be_repeated_or_comma_separated(shop: Shop, query: str) -> None:
    ping = {"device_id": "d", "lat": 1, "lon": 2, "ts": shop.now_ms}
    answer = shop.client.post(f"/v1/pings?{query}", json=ping)
    assert answer.status_code == 202
    assert set(answer.json()["devices"]["d"]) == {"hint", "offers"}


def test_a_single_parameter_of_pings_is_not_taken_twice(shop: Shop) -> None:
    ping = {"device_id": "d", "lat": 1, "lon": 2, "ts": shop.now_ms}
    answer = shop.client.post("/v1/pings?platform=ios&platform=android", json=ping)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["detail"] == "/query/platform: It is given more than once."


def test_a_misspelt_field_is_named_in_the_receipt_and_in_the_answer_to_the_phone(
    shop: Shop,
) -> None:
    ping = {"device_id": "d", "lat": 1, "lon": 2, "ts": shop.now_ms, "accuracy": 12}
    warning = {"field": "accuracy", "did_you_mean": "accuracy_m", "count": 1}
    assert shop.client.post("/v1/pings", json=ping).json()["warnings"] == [warning]
    phone = shop.client.post("/v1/devices/e/ping", json=ping | {"device_id": "e"})
    assert phone.json()["warnings"] == [warning]
    clean = {"device_id": "f", "lat": 1, "lon": 2, "ts": shop.now_ms, "accuracy_m": 12}
    assert "warnings" not in shop.client.post("/v1/pings", json=clean).json()
    assert "warnings" not in shop.client.post("/v1/devices/f/ping", json=clean).json()


def test_a_refused_ping_says_which_field_was_meant_and_never_where_it_was(shop: Shop) -> None:
    wrong = {"device_id": "d", "latitude": 48.2082, "longitude": 16.3738, "timestamp": shop.now_ms}
    for path in ("/v1/pings", "/v1/devices/d/ping"):
        answer = shop.client.post(path, json=wrong)
        assert answer.status_code == 422
        assert [one["did_you_mean"] for one in answer.json()["warnings"]] == ["lat", "lon", "ts"]
        assert "48.2" not in answer.text


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"ts": 5}, "ts lies before the year 2000"),
        ({"lat": 91}, "lat is outside ±90 degrees"),
        ({"lon": -181}, "lon is outside ±180 degrees"),
        ({"device_id": ""}, "device_id is missing"),
    ],
)
def test_a_rejection_states_its_one_cause(
    shop: Shop, change: dict[str, object], detail: str
) -> None:
    ping = {"device_id": "d", "lat": 1, "lon": 2, "ts": shop.now_ms} | change
    answer = shop.client.post("/v1/pings", json=ping)
    assert answer.json()["rejected"][0]["detail"] == detail


def test_a_refusals_detail_is_its_first_fault(shop: Shop) -> None:
    body = {"name": "S", "lat": 91, "lon": 2, "colour": "red"}
    answer = shop.client.put("/v1/stores/s", json=body).json()
    assert answer["code"] == "invalid"
    first = answer["errors"][0]
    assert answer["detail"] == f"{first['pointer']}: {first['detail']}"
    assert len(answer["errors"]) == 2
