"""Campaigns that cannot work are refused, and the refusal names the field."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import pytest

from tests.rigs.campaigns import LUNCH
from tests.rigs.offers import PUSH
from tests.rigs.shop import Shop


def _with(path: Sequence[str | int], value: object) -> dict[str, Any]:
    """A copy of the campaign with one field set."""
    body = copy.deepcopy(LUNCH)
    place: Any = body
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return body


ENDLESS = "{% for i in (1..100000) %}{% for j in (1..100000) %}x{% endfor %}{% endfor %}"
MESSAGE = ("variants", 0, "messages", 0)


@pytest.mark.parametrize("budget", [10_000, None])
def test_fields_that_nothing_heeds_yet_are_refused_by_name(shop: Shop, budget: int | None) -> None:
    body = _with(("offer", "coupon", "budget"), budget) | {"attribution_days": 3}
    refused = shop.client.put("/v1/campaigns/lunch", json=body)
    assert (refused.status_code, refused.json()["code"]) == (422, "not_supported_yet")
    assert {one["pointer"]: one["detail"] for one in refused.json()["errors"]} == {
        "/attribution_days": "Sales are not attributed to offers yet. Leave the field out.",
        "/offer/coupon/budget": "No budget limits the codes yet. Leave the field out.",
    }


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (LUNCH | {"colour": "red"}, "/colour"),
        ({name: value for name, value in LUNCH.items() if name != "trigger"}, "/trigger"),
        (_with(("trigger", "where"), 1), "/trigger/where"),
        (_with(("trigger", "event"), "crossed"), "/trigger/event"),
        (_with(("trigger", "event"), "dwelled"), "/trigger/dwell_s"),
        (_with(("trigger", "dwell_s"), 60), "/trigger/dwell_s"),
        (_with(("trigger", "dwell_s"), 10**30), "/trigger/dwell_s"),
        (_with(("trigger", "ring"), "a\0"), "/trigger/ring"),
        (_with((*MESSAGE, "colour"), 1), "/variants/0/messages/0/colour"),
        (_with((*MESSAGE, "channel"), "fax"), "/variants/0/messages/0/channel"),
        (_with((*MESSAGE, "body"), "{{ customer.shoe_size }}"), "/variants/0/messages/0/body"),
        (_with((*MESSAGE, "body"), "{{ customer.first_name"), "/variants/0/messages/0/body"),
        (_with((*MESSAGE, "body"), "{% include 'x' %}"), "/variants/0/messages/0/body"),
        (_with((*MESSAGE, "body"), ENDLESS), "/variants/0/messages/0/body"),
        (_with((*MESSAGE, "body"), "a\0"), "/variants/0/messages/0/body"),
        (_with((*MESSAGE, "body"), ""), "/variants/0/messages/0/body"),
        (_with((*MESSAGE, "body"), "x" * 20_001), "/variants/0/messages/0/body"),
        (_with((*MESSAGE, "ttl_s"), 29), "/variants/0/messages/0/ttl_s"),
        (_with(("variants", 0, "messages"), [PUSH, PUSH]), "/variants/0/messages"),
        (_with(("variants", 0, "messages"), []), "/variants/0/messages"),
        (_with(("variants",), []), "/variants"),
        (_with(("variants",), [{"name": "a", "messages": [PUSH]}] * 2), "/variants/0/name"),
        (_with(("schedule", "until"), "2026-10-31"), "/schedule/until"),
        (_with(("schedule", "from"), "2026-02-30"), "/schedule/from"),
        (_with(("schedule", "from"), "2026-11-01\n"), "/schedule/from"),
        (_with(("schedule", "between"), ["11:00", "11:00"]), "/schedule/between"),
        (_with(("schedule", "between"), ["11:00", "25:00"]), "/schedule/between/1"),
        (_with(("schedule", "days"), ["mon", "mon"]), "/schedule/days"),
        (_with(("schedule", "days"), ["someday"]), "/schedule/days/0"),
        (_with(("pressure", "per_customer", "count"), 0), "/pressure/per_customer/count"),
        (_with(("pressure", "per_customer", "window_s"), 2**70), "/pressure/per_customer/window_s"),
        (_with(("holdout",), 1.5), "/holdout"),
        (_with(("holdout",), "0.1"), "/holdout"),
        (_with(("priority",), 1e300), "/priority"),
        (_with(("offer", "coupon", "valid_days"), 0), "/offer/coupon/valid_days"),
        (_with(("offer", "coupon", "stores"), "everywhere"), "/offer/coupon/stores"),
        (LUNCH | {"id": "dinner"}, "/id"),
        (LUNCH | {"status": "running"}, "/status"),
        (LUNCH | {"name": ""}, "/name"),
        (LUNCH | {"name": {"a": [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}}, "/name/a" + "/0" * 14),
        (LUNCH | {"a/b~c": 1}, "/a~1b~0c"),
    ],
)
def test_a_campaign_that_cannot_work_is_refused_with_its_field_named(
    shop: Shop, body: dict[str, Any], pointer: str
) -> None:
    answer = shop.client.put("/v1/campaigns/lunch", json=body, timeout=20)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert pointer in [one["pointer"] for one in answer.json()["errors"]], answer.text
    assert all(one["detail"] for one in answer.json()["errors"])
    assert shop.client.get("/v1/campaigns/lunch").status_code == 404


def test_everything_that_is_wrong_with_a_plan_is_reported_at_once(shop: Shop) -> None:
    body = _with(("schedule", "until"), "2026-10-31")
    body["variants"][0]["messages"][0]["title"] = "{{ nobody }}"
    body["variants"][0]["messages"][1]["html"] = "{{ store.colour }}"
    answer = shop.client.put("/v1/campaigns/lunch", json=body).json()
    assert answer["code"] == "invalid_campaign"
    assert [one["pointer"] for one in answer["errors"]] == [
        "/schedule/until",
        "/variants/0/messages/0/title",
        "/variants/0/messages/1/html",
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b'{"name": "\\ud800"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"priority": 1e999}',
        b'{"holdout": NaN}',
    ],
)
def test_a_body_that_is_no_json_is_malformed(shop: Shop, body: bytes) -> None:
    answer = shop.client.put("/v1/campaigns/lunch", content=body)
    assert answer.status_code in (400, 422), answer.text


@pytest.mark.parametrize(
    "body", [b"5", b"null", b'"x"', b"[]", b'{"priority": ' + b"9" * 5000 + b"}"]
)
def test_json_that_is_no_campaign_is_refused(shop: Shop, body: bytes) -> None:
    answer = shop.client.put("/v1/campaigns/lunch", content=body)
    assert answer.status_code in (400, 422), answer.text
    assert len(answer.content) < 1000
