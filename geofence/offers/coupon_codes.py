"""Coupon codes, and the end of their validity."""

from __future__ import annotations

import secrets
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # no 0/O, no 1/I
LENGTH = 13  # 65 bits


def new_code() -> str:
    """A code of 65 random bits, as `XXXX-XXXX-XXXXX`, in letters that look like no other."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return f"{letters[:4]}-{letters[4:8]}-{letters[8:]}"


def read_code(typed: str) -> str:
    """The code in what was typed at a till; case, spaces and dashes do not matter."""
    letters = "".join(typed.upper().split()).replace("-", "").replace("\u2013", "")
    return f"{letters[:4]}-{letters[4:8]}-{letters[8:]}"


def end_of_validity_ms(issued_ms: int, valid_days: int, zone: str) -> int:
    """When a code issued at `issued_ms` ends (epoch ms UTC, exclusive).

    At the end of the N-th day after that day, local time.

    The day of issue does not count, so that a code for one day issued late in the evening is worth
    something.
    """
    issued = datetime.fromtimestamp(issued_ms / 1000, ZoneInfo(zone))
    end = datetime.combine(issued.date() + timedelta(days=valid_days + 1), time(), ZoneInfo(zone))
    return int(end.timestamp() * 1000)


def last_day(expires_ms: int, zone: str) -> str:
    """The last local day on which the code is good, as 2026-11-25."""
    return (
        (datetime.fromtimestamp(expires_ms / 1000, ZoneInfo(zone)) - timedelta(seconds=1))
        .date()
        .isoformat()
    )
