"""Limits of texts, names and documents, the same for every way in."""

from __future__ import annotations

import math
from typing import Any

MAX_NAME = 128
MAX_TEXT = 1_000
MAX_TAGS = 100
MAX_RINGS = 20
MAX_DEPTH = 16
MAX_METADATA_BYTES = 16_384
_WHOLE = 2**63


def is_storable(text: str) -> bool:
    """Whether PostgreSQL could store it: no NUL, no lone surrogate."""
    return text.isprintable() or (
        "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)
    )


def document_fault(value: Any, depth: int = 0) -> str | None:
    """What keeps a JSON document from being stored, in words; None when nothing does."""
    if isinstance(value, str):
        return None if is_storable(value) else "texts must not hold NUL or half of a surrogate pair"
    if isinstance(value, float) and not math.isfinite(value):
        return "numbers must be finite"
    if isinstance(value, int) and not -_WHOLE <= value < _WHOLE:
        return "whole numbers must fit 64 bits"
    if not isinstance(value, dict | list):
        return None
    if depth >= MAX_DEPTH:
        return f"must not be nested deeper than {MAX_DEPTH}"
    parts = [*value, *value.values()] if isinstance(value, dict) else value
    return next((fault for part in parts if (fault := document_fault(part, depth + 1))), None)
