"""Campaigns: how a body is read, and the answers.

The plan's own structs are the contract. A refusal names the field that breaks it by its pointer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from api.http.literals import choices_at
from api.http.problems import Refusal
from api.schemas.messages import ChannelName
from api.schemas.shown import Moment, shown
from geofence.limits import MAX_DEPTH, is_storable
from geofence.model.campaign import Campaign, Plan, Status

_WHERE = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?$", re.DOTALL)
_FIELD = re.compile(
    r"^Object (?:contains unknown|missing required) field `(?P<name>.*)`$", re.DOTALL
)
_VALUE = re.compile(r" '.*'$", re.DOTALL)  # a refusal never repeats what was sent
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")


EXAMPLE: dict[str, Any] = {
    "name": "Lunch coffee",
    "trigger": {"event": "entered", "ring": "near", "stores": {"brand": "Example Coffee"}},
    "schedule": {"days": ["mon", "tue"], "between": ["11:00", "14:00"], "only_when_open": True},
    "pressure": {"per_customer": {"count": 1, "window_s": 604_800}, "min_gap_s": 3600},
    "holdout": 0.1,
    "offer": {"title": "2 for 1", "coupon": {"valid_days": 3}},
    "variants": [
        {
            "name": "a",
            "messages": [
                {
                    "channel": "push",
                    "title": "Coffee, {{ customer.first_name | default: 'friend' }}?",
                    "body": "Show {{ coupon.code }} at {{ store.name }}.",
                    "ttl_s": 900,
                }
            ],
        }
    ],
}


class CampaignIn(Plan, frozen=True, kw_only=True):
    """A campaign to insert or replace.

    `id` may repeat the address; `status` is left as it is when absent, `draft` at first.
    """

    id: str | None = None
    status: Status | None = None

    def plan(self) -> Plan:
        """The plan alone."""
        return Plan(**{name: getattr(self, name) for name in Plan.__struct_fields__})


class CampaignOut(Plan, frozen=True, kw_only=True):
    """A campaign: its plan, its id and its status.

    `version` grows with every change of the plan.
    """

    id: str
    status: Status
    version: int
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(cls, campaign: Campaign) -> CampaignOut:
        """The campaign as clients see it."""
        plan = {name: getattr(campaign.plan, name) for name in Plan.__struct_fields__}
        return shown(cls, campaign, **plan)


class CampaignPage(msgspec.Struct, frozen=True):
    """A page of campaigns."""

    data: tuple[CampaignOut, ...]
    next_cursor: str | None


class PreviewOut(msgspec.Struct, frozen=True):
    """One message of a variant, filled in for an invented customer."""

    variant: str
    channel: ChannelName
    title: str | UnsetType = UNSET
    body: str | UnsetType = UNSET
    link: str | UnsetType = UNSET
    subject: str | UnsetType = UNSET
    text: str | UnsetType = UNSET
    html: str | UnsetType = UNSET


class PreviewPage(msgspec.Struct, frozen=True):
    """Every message of a campaign."""

    data: tuple[PreviewOut, ...]
    next_cursor: None = None


def read_plan(body: bytes, campaign_id: str) -> CampaignIn:
    """The campaign in a body.

    Refuses (400) what is no JSON, and (422) what breaks the contract, with the field named.
    """
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refusal(400, "malformed", "The body is not one JSON document in UTF-8.") from None
    fault = next(_unstorable(found, "", 0), None)
    if fault is not None:
        raise _invalid(*fault)
    try:
        read = msgspec.convert(found, CampaignIn)
    except msgspec.ValidationError as error:
        raise _invalid(*place_of(str(error), found)) from None
    if read.id not in (None, campaign_id):
        raise _invalid("/id", "Differs from the one in the address.")
    return read


def place_of(words: str, body: Any) -> tuple[str, str]:
    """(JSON pointer, detail) of a message of msgspec about a body.

    ``Expected `int` <= 1000 - at `$.priority` ``.
    """
    found = _WHERE.match(words)
    what, path = (found["what"], found["path"] or "") if found else (words, "")
    steps = _STEP.findall(path)
    pointer = "".join(f"/{name or number}" for name, number in steps)
    named = _FIELD.match(what)
    if what.startswith("Invalid "):
        choices = choices_at(CampaignIn, body, [name or int(number) for name, number in steps])
        if choices:
            return pointer, f"Must be one of: {', '.join(choices)}."
    if named is None:
        return pointer, _VALUE.sub("", what) + "."
    detail = "Is missing." if "missing" in what.partition("`")[0] else "There is no such field."
    return f"{pointer}/{_escaped(named['name'])}", detail


def _unstorable(value: Any, pointer: str, depth: int) -> Iterator[tuple[str, str]]:
    """The first text that no database stores, or the nesting that is too deep."""
    if isinstance(value, str):
        if not is_storable(value):
            yield pointer, "Must not hold NUL or half of a surrogate pair."
    elif isinstance(value, dict | list):
        if depth >= MAX_DEPTH:
            yield pointer, f"Must not be nested deeper than {MAX_DEPTH}."
            return
        named = value.items() if isinstance(value, dict) else enumerate(value)
        for name, part in named:
            yield from _unstorable(part, f"{pointer}/{_escaped(str(name))}", depth + 1)


def _invalid(pointer: str, detail: str) -> Refusal:
    return Refusal(
        422, "invalid", "The request breaks a rule; see errors.", errors=[(pointer, detail)]
    )


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
