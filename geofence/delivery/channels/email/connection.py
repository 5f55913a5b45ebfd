"""One connection to the mail relay on its own thread, kept over batches."""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from email.headerregistry import Address
from queue import SimpleQueue
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from geofence.delivery.channels.email.mime import Unwritable, recipient, write
from geofence.delivery.channels.email.verdict import (
    judge_content,
    judge_greeting,
    judge_recipient,
    judge_sender,
)
from geofence.errors import InputError
from geofence.model.message import OutboxMessage, Outcome

_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
_STUFF = re.compile(rb"(?m)^\.")


Finished = Callable[[], None]


class Relay(NamedTuple):
    """Where mail is handed in. `scheme` is smtp, smtps (TLS from the start) or smtp+starttls."""

    scheme: str
    host: str
    port: int
    user: str
    password: str


class Patience(NamedTuple):
    """Seconds.

    For one step of the dialogue, for one message in all, and in the queue before the start.
    """

    step_s: float = 10.0
    total_s: float = 20.0
    wait_s: float = 20.0


class Job(NamedTuple):
    """A message, and where its outcome goes. Not started after `until` (monotonic seconds)."""

    message: OutboxMessage
    done: SimpleQueue[tuple[str, Outcome]]
    until: float


class _Over(Exception):
    """The dialogue about this message has ended with `outcome`.

    `broken` when the connection is of no more use.
    """

    def __init__(self, outcome: Outcome, *, broken: bool = False) -> None:
        super().__init__(outcome.reason)
        self.outcome = outcome
        self.broken = broken


def read_url(url: str) -> Relay:
    """The relay of `smtp://user:password@host:port`.

    Raises `InputError`, which never repeats the URL.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise InputError("the SMTP URL cannot be read", code="smtp_url") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise InputError(
            "the SMTP URL must be smtp://, smtps:// or smtp+starttls:// and name a host",
            code="smtp_url",
        )
    return Relay(
        parts.scheme,
        parts.hostname,
        port or _PORTS[parts.scheme],
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )


class SmtpConnection:
    """Takes jobs from the shared queue until it finds None, and calls `finished` after each."""

    def __init__(
        self,
        relay: Relay,
        sender: Address,
        patience: Patience,
        jobs: SimpleQueue[Job | None],
        finished: Finished,
    ) -> None:
        self._relay = relay
        self._sender = sender
        self._patience = patience
        self._jobs = jobs
        self._finished = finished
        self._smtp: smtplib.SMTP | None = None
        self._deadline: float | None = None
        self._handed_over = False
        self._late = False
        self.thread = threading.Thread(target=self._run, name="geofence-smtp", daemon=True)
        self.thread.start()

    def look(self, now: float) -> None:
        """Cut the connection when its message has taken longer than `total_s`.

        Drops of answer must not stretch it.
        """
        if self._deadline is not None and now > self._deadline:
            self._late = True
            self.cut()

    def cut(self) -> None:
        """End the step that the connection waits for."""
        sock = self._smtp.sock if self._smtp else None
        try:
            if sock is not None:
                sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it has gone by itself

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            outcome = Outcome("retry", "waited", "the relay has been slow")
            try:
                if time.monotonic() < job.until:
                    outcome = self._attempt(job.message)
            except Exception as error:  # noqa: BLE001 - any error ends in an outcome, and the thread goes on
                outcome = self._lost(type(error).__name__)
                self._drop()
            finally:
                self._deadline = None
                self._finished()
                job.done.put((job.message.id, outcome))
        self._leave()

    def _attempt(self, message: OutboxMessage) -> Outcome:
        self._handed_over = self._late = False
        try:
            to = recipient(message)
            body = write(message, self._sender, to)
        except Unwritable as error:
            return Outcome("failed", error.reason)
        self._deadline = time.monotonic() + self._patience.total_s
        try:
            self._hand_over(to.addr_spec, body)
        except _Over as over:
            if over.broken:
                self._drop()
            return over.outcome
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return self._lost(_reason(error))
        return Outcome("sent", "accepted", status=250)

    def _hand_over(self, to: str, body: bytes) -> None:
        smtp = self._ready()
        code, text = smtp.rcpt(to)
        if code not in (250, 251):
            self._refused(smtp, code, judge_recipient(code, text))
        code, text = smtp.docmd("DATA")
        if code != 354:
            self._refused(smtp, code, judge_content(code, text))
        self._handed_over = True
        smtp.send(_STUFF.sub(b"..", body) + b".\r\n")
        code, text = smtp.getreply()
        if code != 250:
            self._refused(smtp, code, judge_content(code, text))

    def _ready(self) -> smtplib.SMTP:
        """A connection that has taken MAIL FROM.

        One that was kept and has died meanwhile is replaced, once.
        """
        if self._smtp is not None:
            try:
                return self._mail_from(self._smtp)
            except (ConnectionError, smtplib.SMTPServerDisconnected) as error:
                self._drop()  # relays close idle connections; nothing of this message has left yet
                if _timed_out(error):
                    raise
        return self._mail_from(self._connect())

    def _mail_from(self, smtp: smtplib.SMTP) -> smtplib.SMTP:
        code, text = smtp.mail(self._sender.addr_spec)
        if code == 421:
            raise smtplib.SMTPServerDisconnected
        if code != 250:
            self._refused(smtp, code, judge_sender(code, text))
        return smtp

    def _connect(self) -> smtplib.SMTP:
        relay, step_s = self._relay, self._patience.step_s
        context = ssl.create_default_context()
        try:
            if relay.scheme == "smtps":
                smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                    timeout=step_s, context=context, local_hostname="localhost"
                )
            else:
                smtp = smtplib.SMTP(timeout=step_s, local_hostname="localhost")
            self._smtp = smtp
            smtp._host = relay.host  # type: ignore[attr-defined]  # noqa: SLF001 - the name TLS checks; smtplib sets it only in __init__
            code, text = smtp.connect(relay.host, relay.port)
            if code != 220:
                raise _Over(judge_greeting(code, text), broken=True)
            smtp.ehlo_or_helo_if_needed()
            if relay.scheme == "smtp+starttls":
                smtp.starttls(context=context)
                smtp.ehlo()
            if relay.user:
                smtp.login(relay.user, relay.password)
        except smtplib.SMTPNotSupportedError:
            raise _Over(
                Outcome("pause", "relay_refused", "the relay lacks STARTTLS or AUTH"), broken=True
            ) from None
        except smtplib.SMTPResponseException as error:
            raise _Over(
                judge_greeting(error.smtp_code, _bytes(error.smtp_error)), broken=True
            ) from None
        return smtp

    def _refused(self, smtp: smtplib.SMTP, code: int, outcome: Outcome) -> None:
        broken = code in (421, -1)
        if not broken:
            try:
                broken = smtp.rset()[0] != 250
            except (OSError, smtplib.SMTPException):
                broken = True  # the refusal stands all the same
        raise _Over(outcome, broken=broken)

    def _lost(self, reason: str) -> Outcome:
        reason = "timeout" if self._late else reason
        if self._handed_over:
            return Outcome("unknown", reason, "handed over, the reply did not come")
        return Outcome("retry", reason, "not handed over")

    def _drop(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()

    def _leave(self) -> None:
        """Say goodbye, without waiting for an answer."""
        try:
            if self._smtp is not None:
                self._smtp.putcmd("quit")
        except (OSError, smtplib.SMTPException):
            pass  # the relay left first
        self._drop()


def _reason(error: Exception) -> str:
    if _timed_out(error):
        return "timeout"
    if isinstance(error, ssl.SSLError):
        return "tls"
    if isinstance(error, socket.gaierror):
        return "unresolved"
    return "unreachable" if isinstance(error, ConnectionRefusedError) else "lost"


def _timed_out(error: Exception) -> bool:
    return isinstance(error, TimeoutError) or isinstance(
        error.__context__, TimeoutError
    )  # smtplib wraps it as disconnected


def _bytes(text: bytes | str) -> bytes:
    return text.encode() if isinstance(text, str) else text
