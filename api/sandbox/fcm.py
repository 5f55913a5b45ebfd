"""The push provider of the sandbox: `messages:send` of FCM HTTP v1, with answers in its shapes."""

from __future__ import annotations

import re
import secrets
import time
from email.utils import formatdate
from typing import Any

import msgspec

from api.sandbox.http import Asked, Reply
from api.sandbox.inbox import Inbox
from api.sandbox.oauth import PROJECT, Account
from api.sandbox.scripts import Script, Scripts

SEND = re.compile(r"/v1/projects/([^/]+)/messages:send")
MAX_PAYLOAD_BYTES = 4096
_FCM = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_BAD = "type.googleapis.com/google.rpc.BadRequest"

# behaviour: HTTP status, google.rpc status, FCM errorCode
_ERRORS = {
    "unregistered": (404, "NOT_FOUND", "UNREGISTERED"),
    "quota": (429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"),
    "quota-date": (429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"),
    "unavailable": (503, "UNAVAILABLE", "UNAVAILABLE"),
    "internal": (500, "INTERNAL", "INTERNAL"),
    "sender-mismatch": (403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"),
    "auth-error": (401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"),
    "unauthorized": (401, "UNAUTHENTICATED", ""),
    "not-found": (404, "NOT_FOUND", ""),
}


class _Notification(msgspec.Struct, frozen=True):
    title: str = ""
    body: str = ""
    image: str = ""


class _Message(msgspec.Struct, forbid_unknown_fields=True):
    token: str = ""
    notification: _Notification = _Notification()
    data: dict[str, str] = {}
    android: dict[str, Any] = {}
    apns: dict[str, Any] = {}
    webpush: dict[str, Any] = {}
    fcm_options: dict[str, Any] = {}


class _Body(msgspec.Struct):
    message: _Message
    validate_only: bool = False


_body = msgspec.json.Decoder(_Body)


class Fcm:
    """Answers pushes and records them."""

    def __init__(self, account: Account, scripts: Scripts, inbox: Inbox) -> None:
        self._account = account
        self._scripts = scripts
        self._inbox = inbox

    def send(self, asked: Asked, project: str) -> Reply:
        """Take one message."""
        if not self._account.knows(asked.authorization):
            return error(
                401, "UNAUTHENTICATED", "The access token is missing, unknown or has run out."
            )
        if project != PROJECT:
            return error(404, "NOT_FOUND", "There is no such project.")
        try:
            message = _body.decode(asked.body).message
        except msgspec.DecodeError as problem:
            return error(
                400,
                "INVALID_ARGUMENT",
                "The JSON payload is invalid.",
                _violation(_field(str(problem))),
            )
        if not message.token:
            return error(
                400, "INVALID_ARGUMENT", "The message names no recipient.", _violation("message")
            )
        script = self._scripts.of(message.token, ":")
        reply = _too_big(message) or _answer(script)
        self._record(
            message, 0 if script.behaviour in ("hang", "drop", "endless") else reply.status
        )
        return reply

    def _record(self, message: _Message, status: int) -> None:
        shown = (message.notification.title, message.notification.body)
        self._inbox.add(
            "push",
            message.token,
            status,
            message.data.get("message_id", ""),
            shown,
            msgspec.to_builtins(message),
        )


def error(
    status: int,
    rpc: str,
    words: str,
    *details: dict[str, Any],
    headers: tuple[tuple[str, str], ...] = (),
) -> Reply:
    """An error as Google's APIs shape it."""
    body = {"error": {"code": status, "message": words, "status": rpc, "details": details}}
    return Reply(status, msgspec.json.encode(body), headers=headers)


def _answer(script: Script) -> Reply:
    behaviour, number = script
    if behaviour in _ERRORS:
        status, rpc, code = _ERRORS[behaviour]
        return error(
            status,
            rpc,
            f"Scripted: {behaviour}.",
            *([_fcm(code)] if code else []),
            headers=_retry_after(behaviour, number),
        )
    if behaviour == "invalid-token":
        return error(
            400,
            "INVALID_ARGUMENT",
            "The registration token is malformed.",
            _fcm("INVALID_ARGUMENT"),
            _violation("message.token"),
        )
    if behaviour == "invalid-payload":
        return error(
            400,
            "INVALID_ARGUMENT",
            "Scripted: a value is invalid.",
            _violation("message.data[0].value"),
        )
    accepted = Reply(
        200,
        b'{\n  "name": "projects/%s/messages/0:%s"\n}\n'
        % (PROJECT.encode(), secrets.token_hex(8).encode()),
    )
    return _oddity(behaviour, number, accepted)


def _oddity(behaviour: str, number: float, accepted: Reply) -> Reply:
    """Answers no provider should give, and some give on a bad day."""
    if behaviour in ("hang", "slow"):
        return accepted._replace(delay_s=(number or 3600) if behaviour == "hang" else number / 1000)
    odd = {
        "html": Reply(200, b"<!doctype html><title>Sign in</title>", "text/html"),
        "empty": Reply(200, b""),
        "nameless": Reply(200, b'{"name": 5}'),
        "truncated": Reply(
            body=b'HTTP/1.1 200 OK\r\nContent-Length: 80\r\n\r\n{"name": "proj', cut=True
        ),
        "drop": Reply(cut=True),
        "redirect": Reply(307, headers=(("Location", "/elsewhere"),)),
        "endless": Reply(200, b'{"name":"' + b"x" * 500_000),
    }
    return odd.get(behaviour, accepted)


def _retry_after(behaviour: str, number: float) -> tuple[tuple[str, str], ...]:
    if not number:
        return ()
    text = (
        formatdate(time.time() + number, usegmt=True)
        if behaviour == "quota-date"
        else f"{number:.0f}"
    )
    return (("Retry-After", text),)


def _too_big(message: _Message) -> Reply | None:
    size = sum(len(text.encode()) for pair in message.data.items() for text in pair)
    size += len((message.notification.title + message.notification.body).encode())
    if size <= MAX_PAYLOAD_BYTES:
        return None
    return error(400, "INVALID_ARGUMENT", "The message is too big.", _fcm("INVALID_ARGUMENT"))


def _field(problem: str) -> str:
    """The path msgspec names, as Google spells it: `$.message.data[...]` is `message.data`."""
    found = re.search(r"`\$\.([\w.]+)", problem)
    return found[1] if found else "message"


def _fcm(code: str) -> dict[str, Any]:
    return {"@type": _FCM, "errorCode": code}


def _violation(field: str) -> dict[str, Any]:
    return {
        "@type": _BAD,
        "fieldViolations": [{"field": field, "description": "This value is invalid."}],
    }
