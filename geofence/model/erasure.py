"""What the erasure of a customer does to the record, as data that a backend carries out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Blank(NamedTuple):
    """Rows of a noun that name the customer stay, with these values instead.

    Rows that have the values of `unless` stay as they are.
    """

    noun: str
    values: Mapping[str, str | None]
    unless: Mapping[str, str | bool] = {}


class Erasure(NamedTuple):
    """The nouns whose rows are removed, and what is blanked in the others, in this order.

    `mentions` are nouns whose rows are removed when their body holds the customer's id.
    """

    removed: tuple[str, ...]
    blanked: tuple[Blank, ...]
    mentions: tuple[str, ...]
