"""The family of wire formats: how phones and trackers write pings, and the answer they expect.

One format is one module of this folder with a `NAME`; scanning finds it. Each member has recorded
samples in `tests/samples/wire/<name>/`, and the contract tests run over all of them.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol, cast

import msgspec
from starlette.responses import Response

from api import wire
from api.http.problems import FieldWarning
from geofence.model.ping import PingIn, Rejection
from geofence.model.receipt import Receipt
from geofence.plugins import discover


class Posted(NamedTuple):
    """A request as it arrived: its whole body, and its content type or an empty text."""

    body: bytes
    media_type: str = ""


class Intake(NamedTuple):
    """A request's pings with their places in it, and the items that are no pings.

    `single`: the body was one object. `warnings`: fields that look like a misspelt field of a ping.
    """

    items: list[tuple[int, PingIn]]
    rejected: list[Rejection]
    single: bool = False
    warnings: tuple[FieldWarning, ...] = ()


class Format(Protocol):
    """A member of the family."""

    NAME: str

    def read(self, posted: Posted, max_items: int) -> Intake:
        """The pings of a request.

        A bad item becomes a rejection and never spoils its batch.

        Raises:
            Refusal: 400 for a body that is not of this format, 413 for more than `max_items`.
        """

    def write(self, receipt: Receipt, intake: Intake, include: frozenset[str]) -> Response:
        """The answer that clients of this format expect."""


def formats() -> dict[str, Format]:
    """The members by name."""
    return {name: cast(Format, module) for name, module in discover(wire).items()}


def encoded(value: msgspec.Struct, status: int) -> Response:
    """A struct as a JSON answer."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")
