"""What a customer agreed to, after new statements."""

from __future__ import annotations

import pytest

from geofence.model.customer import Consent
from geofence.people.consent import Statement, latest, merge, withdraw

NOW_MS = 1_000


@pytest.mark.parametrize(
    ("known", "said", "held"),
    [
        (None, Statement(True), Consent(True, NOW_MS)),
        (None, Statement(True, 5, "till"), Consent(True, 5, "till")),
        (Consent(True, 3, "app"), Statement(True, None, "app"), Consent(True, 3, "app")),
        (Consent(True, 3, "app"), Statement(True, None, "till"), Consent(True, NOW_MS, "till")),
        (Consent(False, 7), Statement(True, 6), Consent(False, 7)),
        (Consent(False, 7), Statement(True, 8), Consent(True, 8)),
        (Consent(True, 7), Statement(False, 6), Consent(False, 6)),
    ],
)
def test_a_newer_refusal_outlives_an_older_grant_and_a_repeat_keeps_its_time(
    known: Consent | None, said: Statement, held: Consent
) -> None:
    assert latest(known, said, NOW_MS) == held


def test_a_grant_that_is_not_repeated_is_gone_and_a_refusal_stays() -> None:
    known = {"location": Consent(True, 1), "push": Consent(False, 1), "email": Consent(True, 1)}
    said = {"location": Statement(True, 1)}
    assert merge(known, said, NOW_MS) == {
        "location": Consent(True, 1),
        "push": Consent(False, 1),
    }


def test_a_consent_that_is_withdrawn_is_refused_and_says_where() -> None:
    known = {"push": Consent(True, 1), "email": Consent(True, 1)}
    assert withdraw(known, "push", NOW_MS, "a page") == {
        "push": Consent(False, NOW_MS, "a page"),
        "email": Consent(True, 1),
    }
