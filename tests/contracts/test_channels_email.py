"""E-mail against a local relay that speaks SMTP."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from api.sandbox import Sandbox
from geofence.delivery.channels.email.channel import Email
from geofence.delivery.channels.email.connection import Patience
from geofence.errors import InputError
from tests.rigs.channel_rigs import NOW_MS, message, send_one
from tests.rigs.receiver import free_port

SENDER = "Shöp <offers@shop.example>"
SOON = Patience(step_s=1, total_s=2, wait_s=5)
REPLIES = [
    ("ann", "sent", "accepted"),
    ("450+ann", "retry", "later"),
    ("550+ann", "suppress", "recipient_refused"),
    ("policy+ann", "failed", "policy"),
    ("535+ann", "pause", "auth_failed"),
    ("content+ann", "failed", "content_refused"),
    ("hang+ann", "unknown", "timeout"),
    ("drop+ann", "unknown", "lost"),
]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox.start() as made:
        yield made


@pytest.fixture
def channel(sandbox: Sandbox) -> Iterator[Email]:
    made = Email(sandbox.smtp_url, sender=SENDER, patience=SOON)
    yield made
    made.close()


@contextmanager
def relay_that(talks: Callable[[socket.socket, threading.Event], None]) -> Iterator[str]:
    """The URL of a relay that takes connections and then does this with each."""
    stopped = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            while not stopped.is_set():
                client, _ = listening.accept()
                with client:
                    talks(client, stopped)

        thread = threading.Thread(target=accept)
        thread.start()
        port = listening.getsockname()[1]
        yield f"smtp://127.0.0.1:{port}"
        stopped.set()
        socket.create_connection(("127.0.0.1", port)).close()
        thread.join()


def say_nothing(_client: socket.socket, stopped: threading.Event) -> None:
    stopped.wait(30)


def drip(client: socket.socket, stopped: threading.Event) -> None:
    """A greeting that never ends: every step is quick, the whole is not."""
    try:
        while not stopped.wait(0.05):
            client.sendall(b"220-wait\r\n")
    except OSError:
        return


@pytest.mark.parametrize(("local", "verdict", "reason"), REPLIES)
def test_a_reply_of_the_relay_leads_to_this_verdict(
    channel: Email, local: str, verdict: str, reason: str
) -> None:
    outcome = send_one(channel, message(1, "email", f"{local}@example.com"))
    assert (outcome.verdict, outcome.reason) == (verdict, reason)
    assert "ann" not in outcome.detail


def test_a_refused_message_spoils_nothing_for_the_next_on_the_same_connection(
    sandbox: Sandbox,
) -> None:
    channel = Email(sandbox.smtp_url, sender=SENDER, connections=1, patience=SOON)
    batch = [
        message(number, "email", f"{local}@example.com")
        for number, (local, _, _) in enumerate(REPLIES * 2)
    ]
    outcomes = dict(channel.send(batch, NOW_MS))
    channel.close()
    assert [outcomes[sent.id].verdict for sent in batch] == [
        verdict for _, verdict, _ in REPLIES * 2
    ]


def test_a_mail_has_text_html_a_stable_id_and_one_click_unsubscribe(
    sandbox: Sandbox, channel: Email
) -> None:
    sent = message(
        1,
        "email",
        "ann@example.com",
        subject="Grüße ☕",
        text="Hallo\n.Punkt\n",
        html="<p>Grüße</p>",
    )
    assert send_one(channel, sent).verdict == "sent"
    [got] = sandbox.wait_for(1, 5)
    headers = got.content["headers"]
    assert (got.title, got.message_id) == ("Grüße ☕", sent.id)
    assert headers["Message-ID"] == f"<{sent.id}@shop.example>"
    assert (headers["From"], headers["To"]) == (SENDER, "ann@example.com")
    assert headers["List-Unsubscribe"] == "<https://shop.example/u/1>"
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["Content-Type"].startswith("multipart/alternative")
    assert got.content["text"].splitlines() == ["Hallo", ".Punkt"]
    assert got.content["html"].strip() == "<p>Grüße</p>"


@pytest.mark.parametrize(
    "changed",
    [
        {"subject": "Hello\r\nBcc: everybody@example.com"},
        {"subject": "Hello\nX: y"},
        {"unsubscribe_url": "https://shop.example/u>\r\nBcc: x@example.com"},
    ],
)
def test_a_line_break_in_a_header_fails_the_message(
    sandbox: Sandbox, channel: Email, changed: dict[str, str]
) -> None:
    outcome = send_one(channel, message(1, "email", "ann@example.com", **changed))
    assert (outcome.verdict, outcome.reason) == ("failed", "header_injection")
    assert sandbox.attempts() == []


NO_ADDRESSES = [
    "",
    "nobody",
    "a@b@c",
    "a@example.com, b@example.com",
    "<a@example.com>",
    "a@example.com\r\nRCPT TO:<b@example.com>",
    "@x",
    "ü@x.de",
]


@pytest.mark.parametrize("address", NO_ADDRESSES)
def test_what_is_not_one_address_fails_without_reaching_the_relay(
    sandbox: Sandbox, channel: Email, address: str
) -> None:
    outcome = send_one(channel, message(1, "email", address))
    assert outcome.verdict == "failed"
    assert sandbox.attempts() == []


def test_a_domain_beyond_ascii_is_written_as_dns_knows_it(sandbox: Sandbox, channel: Email) -> None:
    assert send_one(channel, message(1, "email", "ann@bücher.example")).verdict == "sent"
    assert sandbox.wait_for(1, 5)[0].to == "ann@xn--bcher-kva.example"


def test_a_password_the_relay_refuses_pauses_the_channel(sandbox: Sandbox) -> None:
    channel = Email(
        sandbox.smtp_url.replace("://", "://shop:refused@"), sender=SENDER, patience=SOON
    )
    outcome = send_one(channel, message(1, "email", "ann@example.com"))
    channel.close()
    assert (outcome.verdict, outcome.reason, outcome.status) == ("pause", "auth_failed", 535)
    assert sandbox.attempts() == []


def test_a_password_the_relay_takes_sends_the_mail(sandbox: Sandbox) -> None:
    channel = Email(
        sandbox.smtp_url.replace("://", "://shop:p%40ss@"), sender=SENDER, patience=SOON
    )
    outcome = send_one(channel, message(1, "email", "ann@example.com"))
    channel.close()
    assert outcome.verdict == "sent"


def test_a_relay_without_starttls_pauses_a_channel_that_asks_for_it(sandbox: Sandbox) -> None:
    channel = Email(
        sandbox.smtp_url.replace("smtp://", "smtp+starttls://"), sender=SENDER, patience=SOON
    )
    outcome = send_one(channel, message(1, "email", "ann@example.com"))
    channel.close()
    assert (outcome.verdict, outcome.reason) == ("pause", "relay_refused")


def test_a_relay_that_is_not_there_is_tried_again() -> None:
    channel = Email(f"smtp://127.0.0.1:{free_port()}", sender=SENDER, patience=SOON)
    outcome = send_one(channel, message(1, "email", "ann@example.com"))
    channel.close()
    assert (outcome.verdict, outcome.reason) == ("retry", "unreachable")


@pytest.mark.parametrize("talks", [say_nothing, drip])
def test_a_relay_that_never_greets_is_given_up(
    talks: Callable[[socket.socket, threading.Event], None],
) -> None:
    with relay_that(talks) as url:
        channel = Email(url, sender=SENDER, patience=SOON)
        outcome = send_one(channel, message(1, "email", "ann@example.com"))
        channel.close()
    assert (outcome.verdict, outcome.reason) == ("retry", "timeout")


def test_mails_behind_hanging_ones_are_given_back_and_not_kept_waiting(sandbox: Sandbox) -> None:
    channel = Email(
        sandbox.smtp_url,
        sender=SENDER,
        connections=1,
        patience=Patience(step_s=1, total_s=2, wait_s=0.5),
    )
    batch = [message(number, "email", "hang+ann@example.com") for number in range(4)]
    verdicts = sorted(
        (outcome.verdict, outcome.reason) for _, outcome in channel.send(batch, NOW_MS)
    )
    channel.close()
    assert verdicts == [("retry", "waited")] * 3 + [("unknown", "timeout")]


def test_a_kept_connection_that_has_died_is_replaced_unnoticed(
    sandbox: Sandbox, channel: Email
) -> None:
    port = int(sandbox.smtp_url.rpartition(":")[2])
    assert send_one(channel, message(1, "email", "ann@example.com")).verdict == "sent"
    sandbox.close()
    with Sandbox.start(smtp_port=port) as again:
        assert send_one(channel, message(2, "email", "ann@example.com")).verdict == "sent"
        assert len(again.inbox()) == 1


@pytest.mark.parametrize(
    "url", ["", "http://relay", "smtp://", "smtp://relay:x", "smtp://user:SECRET@relay:99999"]
)
def test_a_url_that_names_no_relay_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(InputError) as refused:
        Email(url, sender=SENDER)
    assert refused.value.code == "smtp_url"
    assert "SECRET" not in str(refused.value)


@pytest.mark.parametrize("sender", ["", "nobody", "a@b\r\nX: y"])
def test_a_sender_that_is_no_address_is_refused(sender: str) -> None:
    with pytest.raises(InputError) as refused:
        Email("smtp://relay", sender=sender)
    assert refused.value.code == "email_sender"
