"""Honest counts of a demo: what was posted, what was decided and why, what arrived."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from urllib.parse import urlencode

import msgspec

from api.client.pings import PingClient, PostError
from api.sandbox import Received

PAGE = 1_000


class _Decision(msgspec.Struct, frozen=True):
    id: str
    at: str
    outcome: str
    reason: str


class _Page(msgspec.Struct, frozen=True):
    data: list[_Decision]
    next_cursor: str | None = None


class Decided:
    """Decisions by outcome and, for silent ones, by the word of the gate.

    Read from the service a little at a time.
    """

    def __init__(self, poster: PingClient) -> None:
        self.outcomes: Counter[str] = Counter()
        self.silent: Counter[str] = Counter()
        self._poster = poster
        self._decode = msgspec.json.Decoder(_Page).decode
        self._since: str | None = None
        self._seen: set[str] = set()

    def read(self) -> None:
        """Count what was decided since the last time. Raises `PostError`."""
        cursor: str | None = None
        while True:
            page = self._page(cursor)
            for one in page.data:
                self._count(one)
            cursor = page.next_cursor
            if cursor is None:
                return

    def _count(self, one: _Decision) -> None:
        if one.id in self._seen:
            return
        if one.at != self._since:
            self._since, self._seen = one.at, set()
        self._seen.add(one.id)
        self.outcomes[one.outcome] += 1
        if one.outcome == "silent":
            self.silent[one.reason.partition("=")[0]] += 1

    def _page(self, cursor: str | None) -> _Page:
        asked = (
            {"limit": PAGE, "since": self._since, "cursor": cursor}
            if cursor is None
            else {"limit": PAGE, "cursor": cursor}
        )
        response = self._poster.send(
            "GET",
            "/v1/decisions?" + urlencode({name: value for name, value in asked.items() if value}),
            b"",
        )
        if not response.is_success:
            raise PostError(f"GET /v1/decisions answers {response.status_code}")
        return self._decode(response.content)


def counted(
    pings: int, events: Counter[str], decided: Decided, received: Iterable[Received]
) -> str:
    """One line: pings, events by kind, decisions by outcome and reason, pushes and mails."""
    arrived, refused = Counter[str](), 0
    for item in received:
        if item.delivered:
            arrived[item.kind] += 1
        else:
            refused += 1
    kinds = _listed({kind.rpartition(".")[2]: count for kind, count in events.items()})
    outcomes = decided.outcomes
    silent = f"{outcomes['silent']:,} silent" + (
        f" ({_listed(decided.silent)})" if decided.silent else ""
    )
    decisions = f"{outcomes['send']:,} sent, {outcomes['holdout']:,} held out, {silent}"
    return (
        f"{pings:,} pings, {events.total():,} events ({kinds or 'none'}); "
        f"{outcomes.total():,} decisions: {decisions}; "
        f"{arrived['push']:,} pushes and {arrived['email']:,} mails arrived, {refused:,} refused"
    )


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(
        f"{count:,} {name}"
        for name, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    )
