"""Opening hours from one column per day, as OSM text.

Source: https://wiki.openstreetmap.org/wiki/Key:opening_hours
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_WEEK = (
    "monday mon mo",
    "tuesday tue tues tu",
    "wednesday wed we",
    "thursday thu thur thurs th",
    "friday fri fr",
    "saturday sat sa",
    "sunday sun su",
)
_SPANS = {"mf": 5, "mon_fri": 5, "monday_friday": 5, "weekday": 5, "weekdays": 5, "daily": 7}
_NAMES: dict[str, tuple[int, ...]] = {
    **{name: (nth,) for nth, names in enumerate(_WEEK) for name in names.split()},
    **{name: tuple(range(days)) for name, days in _SPANS.items()},
    **dict.fromkeys(("weekend", "weekends"), (5, 6)),
}
_LONGEST_FIRST = sorted(_NAMES, key=len, reverse=True)
_ROLES = {
    **dict.fromkeys(
        (
            "",
            "hours",
            "opening_hours",
            "open_hours",
            "store_hours",
            "operating_hours",
            "business_hours",
        ),
        "span",
    ),
    **dict.fromkeys(
        (
            "open",
            "opens",
            "opening",
            "begin",
            "begin_time",
            "start",
            "start_time",
            "from",
            "open_time",
            "opening_time",
        ),
        "from",
    ),
    **dict.fromkeys(
        (
            "close",
            "closes",
            "closing",
            "thru",
            "thru_time",
            "end",
            "end_time",
            "to",
            "until",
            "close_time",
            "closing_time",
        ),
        "to",
    ),
    **dict.fromkeys(("is_open", "opened"), "is_open"),
    **dict.fromkeys(("is24_hours", "is_24_hours", "open_24_hours"), "is_24"),
}
_LONGEST = 100  # characters of a cell: three spans of time in one day are half of it
# Each run of blanks belongs to the group behind it: two runs side by side would backtrack over all
# ways to split them.
_TIME = r"(\d{1,2})(?:[:.h](\d{2}))?(?::\d{2})?(?:\s*([ap]\.?m\.?))?"
_SPAN = re.compile(rf"^\s*{_TIME}\s*(?:-|–|—|to|bis|until)\s*{_TIME}\s*$", re.IGNORECASE)
_ONE = re.compile(rf"^\s*{_TIME}\s*$", re.IGNORECASE)
_CLOSED = {"closed", "off", "geschlossen", "fermé", "cerrado", "-"}
_NO, _YES = {"false", "no", "0", "n"}, {"true", "yes", "1", "y"}


class DayColumn(NamedTuple):
    """The days of a column, and its role: `span`, `from`, `to`, `is_open` or `is_24`."""

    days: tuple[int, ...]
    role: str


def day_column(name: str) -> DayColumn | None:
    """The days and the role of a column by its name; None when it is not about days.

    Examples: `Mon`, `mon_open`, `hours_monday`, `BeginTime.MF`.
    """
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    word = re.sub(r"[\W_]+", "_", apart.casefold()).strip("_")
    for day in _LONGEST_FIRST:
        for role in (
            word.removesuffix("_" + day),
            word.removeprefix(day + "_"),
            "" if word == day else word,
        ):
            if role != word and role in _ROLES:
                return DayColumn(_NAMES[day], _ROLES[role])
    return None


def hours_of(cells: Iterable[tuple[DayColumn, object]]) -> str | None:
    """OSM text; None when all cells are empty.

    Raises ValueError for a cell that is no time, or too long.
    """
    said: dict[tuple[int, ...], dict[str, str]] = {}
    for column, cell in cells:
        if cell not in (None, ""):
            said.setdefault(column.days, {})[column.role] = _bounded(str(cell).strip())
    week: dict[int, str] = {}
    for days, roles in said.items():
        text = _day(roles)
        if text is not None:
            week.update(dict.fromkeys(days, text))
    return _folded(week) if week else None


def _bounded(text: str) -> str:
    if len(text) > _LONGEST:
        raise ValueError(f"a cell of one day has {len(text):,} characters; the limit is {_LONGEST}")
    return text


def _day(roles: dict[str, str]) -> str | None:
    if roles.get("is_open", "").lower() in _NO:
        return "off"
    if roles.get("is_24", "").lower() in _YES:
        return "00:00-24:00"
    if "span" in roles:
        return _spans(roles["span"])
    if "from" not in roles or "to" not in roles:
        return None
    if {roles["from"].lower(), roles["to"].lower()} & _CLOSED:
        return "off"
    begin, end = _ONE.match(roles["from"]), _ONE.match(roles["to"])
    if begin is None or end is None:
        raise ValueError("not a time of day such as 9:00")
    return _span(begin.groups(), end.groups())


def _spans(text: str) -> str:
    if text.lower() in _CLOSED:
        return "off"
    matches = [_SPAN.match(part) for part in re.split(r"[,;/&]", text)]
    if None in matches:
        raise ValueError("not a span of time such as 9:00-18:00")
    spans = [_span(match.groups()[:3], match.groups()[3:]) for match in matches if match]
    for one, later in pairwise(spans):
        if later[:5] < one[6:]:  # 8-12,1-5 goes on in the afternoon
            raise ValueError(f"{one},{later} goes back in time: say am and pm, or 24 hours")
    return ",".join(spans)


def _span(begin: Sequence[str | None], end: Sequence[str | None]) -> str:
    since, until = _clock(*begin, ends=False), _clock(*end, ends=True)
    # 18:00-2:00 crosses midnight, and so does a span that ends at hour 0; 9-5 does not, and
    # 9:00-5:00 or 9am-5 are ambiguous
    if until <= since and not end[2] and int(end[0] or 0) and (begin[2] or since <= "12:59"):
        raise ValueError(
            f"{since}-{until} may be morning or evening without am and pm, such as 9 am-5 pm, "
            "or 24 hours, such as 9:00-17:00"
        )
    return f"{since}-{until}"


def _clock(hour: str | None, minute: str | None, half: str | None, *, ends: bool) -> str:
    hours, minutes = int(hour or 0), int(minute or 0)
    if half and hours <= 12:
        hours = hours % 12 + (12 if half[0].lower() == "p" else 0)
    if ends and (hours, minutes) in ((0, 0), (23, 59)):
        hours, minutes = 24, 0
    if hours > 24 or minutes > 59 or (hours == 24 and minutes):
        raise ValueError("not a time of day such as 9:00")
    return f"{hours:02}:{minutes:02}"


def _folded(week: dict[int, str]) -> str:
    """OSM text with consecutive days of the same hours as one span of days."""
    runs: list[tuple[int, int, str]] = []
    for day in sorted(week):
        if runs and runs[-1][1] == day - 1 and runs[-1][2] == week[day]:
            runs[-1] = (runs[-1][0], day, week[day])
        else:
            runs.append((day, day, week[day]))
    return "; ".join(
        f"{DAYS[first]}{'' if first == last else '-' + DAYS[last]} {hours}"
        for first, last, hours in runs
    )
