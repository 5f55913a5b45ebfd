"""Ids made from facts and from chance."""

from __future__ import annotations

import re

from geofence import ids

SPELLED = re.compile(r"[0-9A-HJKMNP-TV-Z]+")


def test_the_same_facts_make_the_same_id_and_other_facts_another() -> None:
    assert ids.of_facts("evt", "visit", "entered", 0) == ids.of_facts("evt", "visit", "entered", 0)
    assert ids.of_facts("evt", "a", "bc") != ids.of_facts("evt", "ab", "c")


def test_every_id_is_spelled_in_letters_that_nobody_mistakes() -> None:
    for made, length in (
        (ids.of_facts("x", 1), 26),
        (ids.new("x"), 26),
        (ids.new_secret("sk"), 32),
    ):
        spelled = made.partition("_")[2]
        assert len(spelled) == length
        assert SPELLED.fullmatch(spelled)


def test_random_ids_do_not_repeat() -> None:
    assert len({ids.new("x") for _ in range(10_000)}) == 10_000
