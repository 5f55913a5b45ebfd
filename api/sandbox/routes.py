"""What the sandbox's HTTP port answers.

The provider's two calls, and a view of what has arrived.
"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qs

import msgspec

from api.sandbox.fcm import SEND, Fcm
from api.sandbox.http import Asked, Reply
from api.sandbox.inbox import Inbox, Received
from api.sandbox.oauth import Account
from api.sandbox.page import ICON, PAGE
from api.sandbox.scripts import Scripts


class _Order(msgspec.Struct):
    to: str
    behaviour: str
    times: int | None = None


class Routes:
    """The handler of every request. Runs in the sandbox's thread."""

    def __init__(
        self, account: Account, scripts: Scripts, inbox: Inbox, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._account = account
        self._scripts = scripts
        self._inbox = inbox
        self._loop = loop
        self._fcm = Fcm(account, scripts, inbox)
        self._watchers: set[asyncio.Transport] = set()
        inbox.on_new.append(self._tell)

    def handle(self, asked: Asked) -> Reply:
        """Answer a request."""
        found = SEND.fullmatch(asked.path) if asked.method == "POST" else None
        if found:
            return self._fcm.send(asked, found[1])
        if asked.method == "POST":
            return self._posted(asked)
        if asked.path == "/inbox":
            after = parse_qs(asked.query).get("after", ["0"])[0]
            items = self._inbox.attempts(int(after) if after.isdecimal() else 0)
            return Reply(200, msgspec.json.encode({"data": [shown(item) for item in items]}))
        if asked.path == "/inbox/stream":
            return Reply(200, b": listening\n\n", "text/event-stream", stream=self._watchers.add)
        if asked.path == "/":
            return Reply(200, PAGE.encode(), "text/html; charset=utf-8")
        if asked.path in ("/icon.svg", "/favicon.ico"):
            return Reply(200, ICON.encode(), "image/svg+xml")
        return Reply(404, b'{"error":"not found"}')

    def _posted(self, asked: Asked) -> Reply:
        if asked.path == "/token":
            script = self._scripts.of("oauth", ":")
            if script.behaviour == "unavailable":
                return Reply(503, b'{"error":"temporarily_unavailable"}')
            reply = self._account.grant(asked)
            return (
                reply._replace(delay_s=script.number or 3600)
                if script.behaviour == "hang"
                else reply
            )
        if asked.path == "/scripts":
            return self._order(asked.body)
        return Reply(404, b'{"error":"not found"}')

    def _order(self, body: bytes) -> Reply:
        try:
            order = msgspec.json.decode(body, type=_Order)
            self._scripts.put(order.to, order.behaviour, order.times)
        except (msgspec.DecodeError, ValueError) as problem:
            return Reply(400, msgspec.json.encode({"error": str(problem)}))
        return Reply(200, b'{"result":"ok"}')

    def _tell(self, item: Received) -> None:
        """Called where the message was added, which is this very thread."""
        if not self._watchers:
            return
        line = b"id: %d\ndata: %s\n\n" % (item.seq, msgspec.json.encode(shown(item)))
        for watcher in list(self._watchers):
            if watcher.is_closing():
                self._watchers.discard(watcher)
            else:
                watcher.write(line)


def shown(item: Received) -> dict[str, Any]:
    """A message as the inbox shows it."""
    return msgspec.structs.asdict(item) | {"delivered": item.delivered}
