"""Whether a place is closed for good, by the end date of its row: a date in any format, or yes."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from datetime import date

_YES, _NO = {"yes", "true", "1", "closed"}, {"no", "false", "0"}
_YEAR_FIRST = re.compile(r"(\d{4})(?:[-/.]?(\d{1,2})(?:[-/.]?(\d{1,2})(?:[t ].*)?)?)?")
_YEAR_LAST = re.compile(r"(\d{1,2})(\.|/|-) ?(\d{1,2})\2 ?(\d{4})")


def has_ended(said: str, today: date) -> bool | None:
    """Whether the end has come; None where that is ambiguous.

    A text that may mean several days (a month, 05/06/2026) has come once all of them have, and has
    not while none of them has.
    """
    word = said.strip().lower()
    if word in _YES or word in _NO or not word:
        return word in _YES
    days = list(_days(word))
    if not days or min(days) <= today < max(days):
        return None
    return max(days) <= today


def _days(word: str) -> Iterator[date]:
    """The first and the last day of a year or month, else each day that the word may mean."""
    if match := _YEAR_FIRST.fullmatch(word):
        year, month, day = (int(each) if each else None for each in match.groups())
        yield from _day(year, month or 1, day or 1)
        yield from _day(year, month or 12, day)
    elif match := _YEAR_LAST.fullmatch(word):
        first, mark, second, year = int(match[1]), match[2], int(match[3]), int(match[4])
        yield from _day(year, second, first)
        yield from _day(year, first, second) if mark != "." else ()


def _day(year: int | None, month: int, day: int | None) -> Iterator[date]:
    """That day, or the last of the month; nothing for an impossible date."""
    try:
        yield date(year or 0, month, day or calendar.monthrange(year or 0, month)[1])
    except (ValueError, calendar.IllegalMonthError):
        return
