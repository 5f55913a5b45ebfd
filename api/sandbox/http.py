"""A small HTTP/1.1 server on asyncio and httptools, with what a framework would rightly refuse.

Answers that come late,
end early, or never come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple, cast

import httptools

MAX_BODY = 1_000_000
_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    429: "Too Many Requests",
}


class Asked(NamedTuple):
    """A request with its whole body."""

    method: str
    path: str
    query: str
    authorization: str
    body: bytes


class Reply(NamedTuple):
    """An answer after `delay_s`.

    `cut` sends `body` as it is, without a head, and closes the connection.

    `stream` keeps the connection open and is called with the function that writes to it.
    """

    status: int = 200
    body: bytes = b""
    kind: str = "application/json; charset=UTF-8"
    headers: tuple[tuple[str, str], ...] = ()
    delay_s: float = 0.0
    cut: bool = False
    stream: Callable[[asyncio.Transport], None] | None = None


Handler = Callable[[Asked], Reply]


class Connection(asyncio.Protocol):
    """One client's connection; requests are answered one after the other."""

    def __init__(self, handler: Handler, open_ones: set[asyncio.Transport]) -> None:
        self._handler = handler
        self._open_ones = open_ones
        self._parser = httptools.HttpRequestParser(self)
        self._begin()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio has a client for us."""
        self._transport = cast(
            asyncio.Transport, transport
        )  # a stream server is given nothing else
        self._open_ones.add(self._transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """The client has gone."""
        self._open_ones.discard(self._transport)

    def data_received(self, data: bytes) -> None:
        """asyncio has bytes for us."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.close()

    def on_url(self, url: bytes) -> None:
        """The parser has read the target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """The parser has read a header."""
        if name.lower() == b"authorization":
            self._authorization = value.decode("latin-1")
        elif name.lower() == b"expect":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, chunk: bytes) -> None:
        """The parser has read a piece of the body."""
        self._body += chunk
        if len(self._body) > MAX_BODY:
            self._transport.close()

    def on_message_complete(self) -> None:
        """The parser has read a whole request."""
        target = httptools.parse_url(self._url)
        query = (target.query or b"").decode("latin-1")
        method = self._parser.get_method().decode()
        asked = Asked(
            method, target.path.decode("latin-1"), query, self._authorization, bytes(self._body)
        )
        self._begin()
        reply = self._handler(asked)
        if reply.delay_s:
            asyncio.get_running_loop().call_later(reply.delay_s, self._answer, reply)
        else:
            self._answer(reply)

    def _begin(self) -> None:
        self._url = b""
        self._authorization = ""
        self._body = bytearray()

    def _answer(self, reply: Reply) -> None:
        if self._transport.is_closing():
            return
        if reply.cut:
            self._transport.write(reply.body)
            self._transport.close()
            return
        self._transport.write(head(reply) + reply.body)
        if reply.stream is not None:
            reply.stream(self._transport)


def head(reply: Reply) -> bytes:
    """Status line and headers of a reply."""
    lines = [
        f"HTTP/1.1 {reply.status} {_REASONS.get(reply.status, 'Status')}",
        f"Content-Type: {reply.kind}",
    ]
    lines += [f"{name}: {value}" for name, value in reply.headers]
    lines.append(
        "Cache-Control: no-store" if reply.stream else f"Content-Length: {len(reply.body)}"
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
