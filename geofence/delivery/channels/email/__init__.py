"""E-mail through a relay by SMTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from geofence.delivery.channel import Address, Channel, ChannelKind
from geofence.model.campaign import MessagePlan, Text
from geofence.model.case import Case
from geofence.templates import render

NAME = "email"
RETRY_S = (60, 300, 900, 3600)
BATCH = 24  # what the connections can start within a fraction of the lease


class EmailPlan(MessagePlan, frozen=True, kw_only=True, tag=NAME):
    """An e-mail as templates.

    `when: no_push` sends it only where the same variant cannot push to this customer. A text that
    does not show `{{ unsubscribe_url }}` gets a line with it at its end.
    """

    subject: Text
    text: Text
    html: Text | None = None
    ttl_s: Annotated[int, msgspec.Meta(ge=60, le=604_800)] = 14_400
    when: Literal["always", "no_push"] = "always"


def address(case: Case) -> Address | None:
    """The customer's e-mail address."""
    email = None if case.customer is None else case.customer.email
    return Address(email, case.event.device_id) if email else None


def content(_: Case, plan: EmailPlan, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Subject, text and HTML, with the page that ends these e-mails."""
    unsubscribe_url, text = fields["unsubscribe_url"], render(plan.text, fields)
    if unsubscribe_url not in text:
        text = f"{text.rstrip()}\n\nTo get no more offers by e-mail: {unsubscribe_url}\n"
    return {
        "subject": " ".join(render(plan.subject, fields).split()),
        "text": text,
        "html": None if plan.html is None else render(plan.html, fields, html=True),
        "unsubscribe_url": unsubscribe_url,
    }


def from_settings(settings: Mapping[str, Any]) -> Channel | None:
    """The channel of the relay that `smtp_url` names."""
    if not settings["smtp_url"]:
        return None
    from geofence.delivery.channels.email.channel import Email

    return Email(settings["smtp_url"], sender=settings["email_from"])


KIND = ChannelKind(
    NAME,
    EmailPlan,
    templates=("subject", "text", "html"),
    purpose="email",
    stops="offers by e-mail",
    address=address,
    content=content,
    settings={"smtp_url": "smtp_url", "email_sender": "email_from"},
    from_settings=from_settings,
    batch=BATCH,
)
