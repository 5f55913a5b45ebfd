"""A message as an e-mail.

Text and HTML side by side, with one-click unsubscribe (RFC 5322, RFC 2369, RFC 8058).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from geofence.model.message import OutboxMessage

_POLICY = SMTP.clone(cte_type="7bit")  # no relay on the way needs 8BITMIME
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_ADDRESS = re.compile(
    r"""[^\s<>()\[\],;:"@\\]+@[^\s<>()\[\],;:"@\\]+"""
)  # one plain address, nothing quoted


class Unwritable(Exception):
    """No e-mail can be made of this; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def recipient(message: OutboxMessage) -> Address:
    """The one address it goes to.

    Raises `Unwritable` for none, several, or one that is no address.
    """
    if _CONTROL.search(message.address):
        raise Unwritable("header_injection")
    return plain_address(message.address)


def plain_address(text: str, name: str = "") -> Address:
    """The address `local@domain`, its domain as DNS knows it. Raises `Unwritable`."""
    if not _ADDRESS.fullmatch(text) or _CONTROL.search(name):
        raise Unwritable("invalid_address")
    local, _, domain = text.partition("@")
    try:
        address = Address(name, local, domain.encode("idna").decode())
    except (
        ValueError,
        IndexError,
    ):  # the parser of the standard library stumbles over some nonsense
        raise Unwritable("invalid_address") from None
    if not local.isascii():
        raise Unwritable("invalid_address")
    return address


def write(message: OutboxMessage, sender: Address, to: Address) -> bytes:
    """The e-mail with CRLF line ends.

    The Message-ID is made of the message id, so it is the same on every attempt.

    Raises `Unwritable` when a header holds a line break or other control characters.
    """
    content = message.content
    headers = {
        "From": str(sender),
        "To": str(to),
        "Subject": str(content.get("subject") or ""),
        "Date": format_datetime(datetime.fromtimestamp(message.created_ms / 1000, UTC)),
        "Message-ID": f"<{message.id}@{sender.domain}>",
    }
    if unsubscribe_url := content.get("unsubscribe_url"):
        headers["List-Unsubscribe"] = f"<{unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    if any(_CONTROL.search(value) for value in headers.values()) or re.search(
        r"[<>\s]", str(unsubscribe_url or "")
    ):
        raise Unwritable("header_injection")
    mail = EmailMessage(policy=_POLICY)
    for name, value in headers.items():
        mail[name] = value
    _fill(mail, str(content.get("text") or ""), str(content.get("html") or ""))
    return mail.as_bytes()


def _fill(mail: EmailMessage, text: str, html: str) -> None:
    if text or not html:
        mail.set_content(text)
        if html:
            mail.add_alternative(html, subtype="html")
    else:
        mail.set_content(html, subtype="html")
