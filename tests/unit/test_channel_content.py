"""What a channel writes from a plan, and which of a variant's messages may go out."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from geofence.delivery.channels import CAMPAIGN_CHANNELS, CHANNELS
from geofence.delivery.channels.email import EmailPlan
from geofence.delivery.channels.fcm import PushPlan
from geofence.delivery.reach import lacking, sendable
from geofence.errors import InputError
from geofence.model.campaign import Campaign, Variant
from geofence.model.case import Case
from geofence.model.customer import Consent
from geofence.offers.filling import fields_of, sample_case
from geofence.offers.plan import read_plan
from tests.rigs.some_offers import plan

PAGE = "https://shop.example/p/msg_1"
BOTH = Variant(
    "a", (PushPlan(title="t", body="b"), EmailPlan(subject="s", text="t", when="no_push"))
)


def case_of(*purposes: str, **changes: object) -> Case:
    case = sample_case(Campaign("lunch", plan()), 1_790_000_000_000)
    assert case.customer is not None
    granted = {purpose: Consent(True, 1) for purpose in purposes}
    return replace(case, customer=replace(case.customer, consent=granted), **changes)


def email_text(text: str) -> str:
    case = case_of("email")
    written = EmailPlan(subject="s", text=text)
    content = CHANNELS["email"].content(case, written, fields_of(case, None, PAGE))
    assert content["unsubscribe_url"] == PAGE
    return str(content["text"])


def test_a_text_without_the_unsubscribe_link_gets_a_line_with_it() -> None:
    assert email_text("Come in") == f"Come in\n\nTo get no more offers by e-mail: {PAGE}\n"


def test_a_template_may_place_the_unsubscribe_link_itself() -> None:
    assert email_text("Stop: {{ unsubscribe_url }}.") == f"Stop: {PAGE}."
    case = case_of("email")
    html = EmailPlan(subject="s", text="t", html='<a href="{{ unsubscribe_url }}">Stop</a>')
    content = CHANNELS["email"].content(case, html, fields_of(case, None, PAGE))
    assert content["html"] == f'<a href="{PAGE}">Stop</a>'


@pytest.mark.parametrize(
    ("purposes", "changes", "channels", "lacks"),
    [
        (("push", "email"), {}, ["push"], []),
        (("email",), {}, ["email"], ["consent:push"]),
        (("push", "email"), {"devices": ()}, ["email"], ["address:push"]),
        ((), {}, [], ["consent:push", "consent:email"]),
    ],
)
def test_a_message_for_want_of_a_push_goes_out_only_where_none_can(
    purposes: tuple[str, ...], changes: dict[str, object], channels: list[str], lacks: list[str]
) -> None:
    case = case_of(*purposes, **changes)
    assert [one.channel for one in sendable(case, BOTH)] == channels
    assert lacking(case, BOTH) == lacks


@pytest.mark.parametrize("name", sorted(CAMPAIGN_CHANNELS))
def test_every_channel_of_campaigns_declares_what_a_campaign_needs(name: str) -> None:
    kind = CAMPAIGN_CHANNELS[name]
    assert kind.plan is not None
    assert set(kind.templates) < set(kind.plan.__struct_fields__)
    assert kind.stops.startswith("offers ")
    assert kind.by_answer == (kind.from_settings is None)
    assert kind.from_settings is None or kind.settings


def test_a_document_that_is_no_plan_is_refused_with_its_place() -> None:
    with pytest.raises(InputError) as caught:
        read_plan({"name": "a", "variants": 5}, 0)
    assert caught.value.code == "invalid"
    assert len(caught.value.errors) == 1
