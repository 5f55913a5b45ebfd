"""One HTTP POST on one libcurl easy handle: the request, its answer, whether it was handed over.

libcurl reads the request body from a callback that cannot rewind, on purpose: when a kept
connection dies before the answer, libcurl sends a POST again by itself, which would be a hidden
second attempt. Without rewind it can do so only while it has taken nothing of the body, and the
same callback shows whether a request was handed over. The price is that a stream which an HTTP/2
server refuses while it shuts down counts as handed over, too, and ends as unknown.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import NamedTuple

import certifi
import pycurl

MayDial = Callable[[str], bool]

_UNRESOLVED = {pycurl.E_COULDNT_RESOLVE_HOST, pycurl.E_COULDNT_RESOLVE_PROXY}
_TLS = {
    pycurl.E_SSL_CONNECT_ERROR,
    pycurl.E_PEER_FAILED_VERIFICATION,
    pycurl.E_SSL_CACERT_BADFILE,
    pycurl.E_SSL_CIPHER,
}


class Limits(NamedTuple):
    """Bounds of a transport.

    Seconds to connect, in total, and in the queue before the start; bytes of an answer; requests
    at once, in all and per host.
    """

    connect_s: float = 5.0
    total_s: float = 10.0
    wait_s: float = 10.0
    answer_bytes: int = 65_536
    in_flight: int = 512
    per_host: int = 512


class ConnectOptions(NamedTuple):
    """How a transport reaches its receivers.

    `may_dial` is asked for every address about to be dialled; `direct` ignores proxies of the
    environment; `share` waits for a coming HTTP/2 connection rather than opening another. Without
    HTTP/2 at the other end, sharing means standing in line.
    """

    may_dial: MayDial | None = None
    direct: bool = False
    share: bool = False


class Request(NamedTuple):
    """One POST. `key` is the caller's name for it within its batch."""

    key: int
    url: str
    headers: list[str]
    body: bytes


class Answer(NamedTuple):
    """What came of a POST.

    `status` is 0 when no status line came; `whole` says that the answer ended as it should;
    `handed_over` that some of the body was taken for sending, so the receiver may have it.
    `failure` is empty or one of: timeout, unresolved, unreachable, refused_address, tls, lost,
    too_long, waited, closed.
    """

    key: int
    status: int = 0
    body: bytes = b""
    whole: bool = False
    handed_over: bool = False
    failure: str = ""
    retry_after_s: float | None = None


class Exchange:
    """An easy handle, used for one request after the other. Never used by two threads."""

    def __init__(self, limits: Limits, ways: ConnectOptions) -> None:
        self.curl = _handle(limits)
        self.curl.setopt(pycurl.READFUNCTION, self._read)
        self.curl.setopt(pycurl.WRITEFUNCTION, self._write)
        self._may_dial = ways.may_dial
        if ways.may_dial is not None:
            self.curl.setopt(pycurl.OPENSOCKETFUNCTION, self._open)
        if ways.direct:
            self.curl.setopt(pycurl.PROXY, "")
        if ways.share:
            self.curl.setopt(pycurl.PIPEWAIT, 1)
        self._most = limits.answer_bytes
        self._headers: list[str] = []
        self._reset(Request(0, "", [], b""))

    def begin(self, request: Request) -> None:
        """Load the handle with a request."""
        self._reset(request)
        self.curl.setopt(pycurl.URL, request.url)
        self.curl.setopt(pycurl.POSTFIELDSIZE, len(request.body))
        if request.headers is not self._headers:
            self._headers = request.headers
            self.curl.setopt(pycurl.HTTPHEADER, request.headers)

    def end(self, errno: int) -> Answer:
        """Read the result out of the handle; `errno` is libcurl's, 0 for success."""
        status = int(self.curl.getinfo(pycurl.RESPONSE_CODE))
        wait_s = (
            int(self.curl.getinfo(pycurl.RETRY_AFTER)) if status > 299 else 0
        )  # libcurl reads seconds and dates
        failure = self._failure(errno) if errno else ""
        body = b"".join(self._chunks)
        return Answer(
            self.request.key,
            status,
            body,
            not errno,
            self._handed_over,
            failure,
            float(wait_s) if wait_s > 0 else None,
        )

    def stop(self, failure: str) -> Answer:
        """The answer for a request that is given up before its end."""
        return Answer(self.request.key, handed_over=self._handed_over, failure=failure)

    def _reset(self, request: Request) -> None:
        self.request = request
        self._taken = 0
        self._handed_over = False
        self._chunks: list[bytes] = []
        self._size = 0
        self._too_long = False
        self._refused_address = False

    def _read(self, size: int) -> bytes:
        self._handed_over = True
        piece = self.request.body[self._taken : self._taken + size]
        self._taken += len(piece)
        return piece

    def _write(self, chunk: bytes) -> int:
        self._size += len(chunk)
        self._too_long = self._size > self._most
        if self._too_long:
            return 0  # less than was given: libcurl stops here
        self._chunks.append(chunk)
        return len(chunk)

    def _open(
        self, _purpose: int, address: tuple[int, int, int, tuple[str | bytes, ...]]
    ) -> socket.socket | int:
        family, kind, protocol, target = address
        host = target[0]
        if self._may_dial is None or not self._may_dial(
            host if isinstance(host, str) else host.decode()
        ):
            self._refused_address = True
            return pycurl.SOCKET_BAD
        return socket.socket(family, kind, protocol)

    def _failure(self, errno: int) -> str:
        if self._too_long:
            return "too_long"
        if self._refused_address and not self._handed_over:
            return "refused_address"
        if errno == pycurl.E_OPERATION_TIMEDOUT:
            return "timeout"
        if errno in _UNRESOLVED:
            return "unresolved"
        if errno in _TLS:
            return "tls"
        return "unreachable" if errno == pycurl.E_COULDNT_CONNECT else "lost"


def _handle(limits: Limits) -> pycurl.Curl:
    curl = pycurl.Curl()
    curl.setopt(pycurl.POST, 1)
    curl.setopt(pycurl.NOSIGNAL, 1)  # time-outs of the resolver must not use SIGALRM in a thread
    curl.setopt(pycurl.FOLLOWLOCATION, 0)
    curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
    curl.setopt(pycurl.CONNECTTIMEOUT_MS, int(limits.connect_s * 1000))
    curl.setopt(pycurl.TIMEOUT_MS, int(limits.total_s * 1000))
    curl.setopt(
        pycurl.CAINFO, ssl.get_default_verify_paths().cafile or certifi.where()
    )  # the machine's trust comes first
    return curl
