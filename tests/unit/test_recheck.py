"""Why a message must not go out after all: the first reason that holds."""

from __future__ import annotations

import pytest

from geofence.delivery.recheck import reason, reasons
from geofence.model.recipient import Recipient
from tests.rigs import some_offers as offers

THERE = Recipient(customer=offers.customer(), inside=True, registered=True)


@pytest.mark.parametrize(
    ("recipient", "why"),
    [
        (THERE, None),
        (Recipient(customer=None, suppressed=True), "consent_withdrawn"),
        (Recipient(customer=offers.customer(consent={}), inside=True), "consent_withdrawn"),
        (Recipient(customer=offers.customer(), suppressed=True, inside=True), "suppressed"),
        (Recipient(customer=offers.customer(), registered=True), "left"),
        (Recipient(customer=offers.customer(), inside=True), "no_address"),
    ],
)
def test_the_first_reason_that_holds_stops_a_push(recipient: Recipient, why: str | None):
    assert reason(offers.message(1, channel="push"), recipient) == why


def test_a_message_about_an_exit_may_go_to_a_phone_that_left():
    message = offers.message(1, channel="push", content={"near": False})
    assert reason(message, Recipient(customer=offers.customer(), registered=True)) is None


def test_an_email_needs_no_device():
    assert reason(offers.message(1, channel="email"), Recipient(offers.customer())) is None


def test_messages_that_may_go_have_no_reason():
    messages = [offers.message(1, channel="push"), offers.message(2, channel="push")]
    found = reasons(messages, {messages[0].id: THERE, messages[1].id: Recipient()})
    assert found == {messages[1].id: "consent_withdrawn"}
