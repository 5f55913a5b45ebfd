"""What gates found, as traces store it."""

from __future__ import annotations

import msgspec
import pytest

from geofence.model.decision import GateResult, passed, stopped
from geofence.street.decide import GATES, ORDER

STORED = b'{"gate":"%s","passed":false,"reason":"r=1/2","measured":"1","threshold":"2"}'


@pytest.mark.parametrize(
    ("stored", "name"),
    [
        ("running", "active"),
        ("hours", "schedule"),
        ("known", "identified"),
        ("quiet", "quiet_hours"),
        ("gap", "min_gap"),
        ("cap", "frequency_cap"),
        ("approach", "escalation"),
    ],
)
def test_a_gate_stored_under_its_old_name_is_read_as_its_present_one(
    stored: str, name: str
) -> None:
    found = msgspec.json.decode(STORED % stored.encode(), type=GateResult)
    assert found == GateResult(name, False, "r=1/2", "1", "2")
    assert name in GATES


@pytest.mark.parametrize("name", ORDER)
def test_present_names_are_read_as_they_are(name: str) -> None:
    assert msgspec.json.decode(STORED % name.encode(), type=GateResult).gate == name


def test_the_reason_of_a_stop_holds_what_was_measured_and_the_limit() -> None:
    assert stopped("min_gap", "5s", "60s").reason == "min_gap=5s/60s"
    assert stopped("approach_told", "lunch").reason == "approach_told=lunch"
    assert stopped("customer_unknown").reason == "customer_unknown"
    assert passed("5s", "60s") == GateResult("", True, "", "5s", "60s")
