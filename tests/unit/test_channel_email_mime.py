"""Mails as they are written."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.headerregistry import Address
from typing import Any

import pytest

from geofence.delivery.channels.email.mime import Unwritable, plain_address, write
from geofence.model.message import OutboxMessage

NOW_MS = 1_795_000_000_000
SENDER = Address("Shop", "offers", "shop.example")


def raw(**content: Any) -> bytes:
    sent = OutboxMessage("msg_1", "prj", "email", "ann@example.com", content, NOW_MS, NOW_MS)
    return write(sent, SENDER, plain_address("ann@example.com"))


def test_every_line_is_short_seven_bit_and_ends_in_crlf() -> None:
    body = raw(subject="Grüße " * 40, text="ä" * 5000, html=f"<p>{'x' * 5000}</p>")
    lines = body.split(b"\r\n")
    assert max(map(len, lines)) <= 998
    assert body.isascii()
    assert not any(b"\n" in line or b"\r" in line for line in lines)


def test_the_parts_come_back_as_they_went_in() -> None:
    mail = message_from_bytes(
        raw(subject="Grüße", text="zwei\nZeilen", html="<p>ü</p>"), policy=policy.default
    )
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert mail["Subject"] == "Grüße"
    assert plain is not None
    assert html is not None
    assert plain.get_content().split() == ["zwei", "Zeilen"]
    assert html.get_content().strip() == "<p>ü</p>"


def test_text_or_html_alone_make_a_mail_too() -> None:
    assert (
        message_from_bytes(raw(text="a"), policy=policy.default).get_content_type() == "text/plain"
    )
    assert (
        message_from_bytes(raw(html="<p>a</p>"), policy=policy.default).get_content_type()
        == "text/html"
    )


def test_without_an_unsubscribe_url_no_such_header_is_written() -> None:
    assert b"List-Unsubscribe" not in raw(text="a")


@pytest.mark.parametrize("field", ["subject", "unsubscribe_url"])
@pytest.mark.parametrize("breaks", ["\r\n", "\n", "\r", "\x00"])
def test_a_control_character_in_a_header_is_refused(field: str, breaks: str) -> None:
    with pytest.raises(Unwritable) as refused:
        raw(text="a", **{field: f"https://x.example/{breaks}Bcc: b@example.com"})
    assert refused.value.reason == "header_injection"
