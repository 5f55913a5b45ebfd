"""The mail relay of the sandbox: real SMTP by aiosmtpd, with replies scripted per recipient."""

from __future__ import annotations

import asyncio
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from api.sandbox.inbox import Inbox
from api.sandbox.scripts import Scripts

REFUSED_PASSWORD = "refused"  # noqa: S105 - any password logs in, save this one, which is for trying a refusal

_AT_RCPT = {
    "450": "450 4.2.1 The mailbox is busy",
    "550": "550 5.1.1 There is no such mailbox",
    "policy": "550 5.7.1 Refused by policy",
    "535": "535 5.7.8 The credentials are invalid",
}


class Mail:
    """Handler of aiosmtpd: takes mails and records them."""

    def __init__(self, scripts: Scripts, inbox: Inbox) -> None:
        self._scripts = scripts
        self._inbox = inbox

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        _server: SMTP,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        """A recipient is named."""
        reply = _AT_RCPT.get(self._scripts.of(address, "+").behaviour)
        if reply is not None:
            self._inbox.add("email", address, int(reply[:3]), "", ("", ""), {})
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """A mail has come in whole."""
        to = str(envelope.rcpt_tos[0])
        behaviour, number = self._scripts.of(to, "+")
        silent = behaviour in ("hang", "drop")
        self._record(
            to, _bytes(envelope.content), 0 if silent else 554 if behaviour == "content" else 250
        )
        if behaviour == "content":
            return "554 5.6.0 The content is refused"
        if behaviour == "hang":
            await asyncio.sleep(number or 3600)
        if behaviour == "drop":
            cast(asyncio.Transport, server.transport).abort()
        return "250 2.0.0 Queued"

    def _record(self, to: str, raw: bytes, status: int) -> None:
        mail = message_from_bytes(raw, policy=policy.default)
        assert isinstance(mail, EmailMessage)  # noqa: S101 - the default policy makes nothing else
        parts = {
            kind: part.get_content()
            for kind in ("plain", "html")
            if (part := mail.get_body((kind,))) is not None
        }
        headers = {name: str(value) for name, value in mail.items()}
        message_id = str(mail["Message-ID"] or "").strip("<>").partition("@")[0]
        content = {
            "headers": headers,
            "text": parts.get("plain", ""),
            "html": parts.get("html", ""),
        }
        self._inbox.add(
            "email",
            to,
            status,
            message_id,
            (str(mail["Subject"] or ""), parts.get("plain", "")),
            content,
        )


def login(
    _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: object
) -> AuthResult:
    """Any name and password, save one."""
    refused = isinstance(given, LoginPassword) and given.password == REFUSED_PASSWORD.encode()
    return AuthResult(success=not refused, handled=False)


def protocol(scripts: Scripts, inbox: Inbox, loop: asyncio.AbstractEventLoop) -> SMTP:
    """One client's connection."""
    mail = Mail(scripts, inbox)
    return SMTP(
        mail,
        hostname="localhost",
        ident="Geofence sandbox",
        loop=loop,
        authenticator=login,
        auth_require_tls=False,
    )


def _bytes(content: bytes | str | None) -> bytes:
    return content.encode() if isinstance(content, str) else content or b""
