"""Real phones with real claims of accuracy.

What the raw rule makes of them, and what `balanced` does.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rigs import real_phones
from tests.rigs.real_phones import RADIUS_M

pytestmark = pytest.mark.skipif(bool(real_phones.MISSING), reason=real_phones.MISSING)


def test_exact_gives_the_transitions_of_the_brute_force(tmp_path: Path) -> None:
    events = real_phones.walk("exact", tmp_path).transitions
    truth = real_phones.truth()
    assert len(events) == len(set(events))
    assert set(events) == set(truth)
    assert sum(one[3] == "enter" for one in truth) == 481


def test_of_187_raw_enters_on_fixes_worse_than_the_radius_few_are_believed(tmp_path: Path) -> None:
    raw = real_phones.enters()
    poor = [one for one in raw if one.accuracy_m is not None and one.accuracy_m > RADIUS_M]
    balanced = real_phones.walk("balanced", tmp_path)
    fates = real_phones.fates(poor, balanced)
    entered = [event for event in balanced.events if event.kind == "geofence.entered"]
    assert (len(raw), len(poor)) == (481, 187)
    assert fates["never: every fix of it was worse than 300 m"] > 150
    assert fates["entered at the same ping"] < 10
    assert not [
        event
        for event in entered
        if event.accuracy_m is not None and event.accuracy_m > 2 * RADIUS_M
    ]
