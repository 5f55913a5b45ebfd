"""The one check of a campaign: what its document may say, and whether it can work."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from typing import Any, TypeVar

import msgspec

from geofence.errors import InputError
from geofence.limits import MAX_DEPTH, is_storable
from geofence.model.campaign import Campaign, Plan
from geofence.offers.choices import choices_at
from geofence.offers.filling import check_templates, sample_case

P = TypeVar("P", bound=Plan)
Problem = tuple[str, str]  # JSON pointer, detail

# Fields of a later version, so that no campaign rests on what nothing heeds.
NOT_SUPPORTED_YET = {
    ("attribution_days",): "Sales are not attributed to offers yet. Leave the field out.",
    ("offer", "coupon", "budget"): "No budget limits the codes yet. Leave the field out.",
}
_WHERE = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?$", re.DOTALL)
_FIELD = re.compile(
    r"^Object (?:contains unknown|missing required) field `(?P<name>.*)`$", re.DOTALL
)
_VALUE = re.compile(r" '.*'$", re.DOTALL)  # a refusal never repeats what was sent
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")


def read_plan(document: Any, now_ms: int, kind: type[P] = Plan) -> P:  # type: ignore[assignment]  # P's bound
    """The plan in a decoded JSON document.

    Every template is rendered, which may take seconds: call it outside of any unit.

    Args:
        document: As JSON was decoded.
        now_ms: Epoch ms UTC, for the sample that the templates are tried with.
        kind: `Plan`, or a struct with more fields.

    Raises:
        InputError: With (JSON pointer, detail) pairs. The code is `invalid` where the document
            breaks the contract, `not_supported_yet` for a field of a later version, and
            `invalid_campaign` for everything that cannot work, all of it at once.
    """
    for pointer, detail in _unstorable(document, "", 0):
        raise _invalid(pointer, detail)
    early = tuple(_not_supported_yet(document))
    if early:
        detail = "This campaign needs what a later version brings; see errors."
        raise InputError(detail, code="not_supported_yet", errors=early)
    try:
        plan = msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        raise _invalid(*_place_of(str(error), document, kind)) from None
    campaign = Campaign("", plan)
    wrong = [*_problems(plan), *check_templates(campaign, sample_case(campaign, now_ms))]
    if wrong:
        raise InputError("This campaign cannot work.", code="invalid_campaign", errors=tuple(wrong))
    return plan


def _invalid(pointer: str, detail: str) -> InputError:
    what = "The request breaks a rule; see errors."
    return InputError(what, code="invalid", errors=((pointer, detail),))


def _unstorable(value: Any, pointer: str, depth: int) -> Iterator[Problem]:
    """Every text that no database stores, and nesting that is too deep."""
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


def _not_supported_yet(document: Any) -> Iterator[Problem]:
    for path, detail in NOT_SUPPORTED_YET.items():
        inner = document
        for step in path[:-1]:
            inner = inner.get(step) if isinstance(inner, dict) else None
        if isinstance(inner, dict) and path[-1] in inner:
            yield "/" + "/".join(path), detail


def _place_of(words: str, document: Any, kind: type[Plan]) -> Problem:
    """(JSON pointer, detail) of an error of msgspec: ``Expected `int` - at `$.priority` ``."""
    found = _WHERE.match(words)
    what, path = (found["what"], found["path"] or "") if found else (words, "")
    steps = _STEP.findall(path)
    pointer = "".join(f"/{name or number}" for name, number in steps)
    named = _FIELD.match(what)
    if what.startswith("Invalid "):
        choices = choices_at(kind, document, [name or int(number) for name, number in steps])
        if choices:
            return pointer, f"Must be one of: {', '.join(choices)}."
    if named is None:
        return pointer, _VALUE.sub("", what) + "."
    detail = "Is missing." if "missing" in what.partition("`")[0] else "There is no such field."
    return f"{pointer}/{_escaped(named['name'])}", detail


def _problems(plan: Plan) -> Iterator[Problem]:
    """What the contract allows and no campaign can mean."""
    trigger, schedule = plan.trigger, plan.schedule
    if (trigger.event == "dwelled") != (trigger.dwell_s is not None):
        yield "/trigger/dwell_s", "is needed for `dwelled`, and only there"
    if schedule.from_ and schedule.until and schedule.until < schedule.from_:
        yield "/schedule/until", "lies before `from`"
    for name, day in (("from", schedule.from_), ("until", schedule.until)):
        if day is not None and not _is_date(day):
            yield f"/schedule/{name}", "is no date of the calendar"
    if schedule.between is not None and schedule.between[0] == schedule.between[1]:
        yield "/schedule/between", "start and end are equal, so the window is empty"
    if len(set(schedule.days)) != len(schedule.days):
        yield "/schedule/days", "names a day twice"
    yield from _variant_problems(plan)


def _variant_problems(plan: Plan) -> Iterator[Problem]:
    names = Counter(variant.name for variant in plan.variants)
    for place, variant in enumerate(plan.variants):
        if names[variant.name] > 1:
            yield f"/variants/{place}/name", "is the name of another variant"
    for place, variant in enumerate(plan.variants):
        for channel, count in Counter(one.channel for one in variant.messages).items():
            if count > 1:
                detail = f"has {count} messages on the channel {channel}; one is enough"
                yield f"/variants/{place}/messages", detail


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
