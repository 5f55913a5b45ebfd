"""What becomes of 481 raw enters of real phones under `balanced`, printed as a table."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rigs import real_phones
from tests.rigs.real_phones import RADIUS_M


@pytest.mark.skipif(bool(real_phones.MISSING), reason=real_phones.MISSING)
def test_every_raw_enter_of_the_real_phones_has_a_fate(tmp_path: Path) -> None:
    raw, balanced = real_phones.enters(), real_phones.walk("balanced", tmp_path)
    poor = [one for one in raw if one.accuracy_m is not None and one.accuracy_m > RADIUS_M]
    groups = {
        "worse than the radius": poor,
        "as good as the radius or better": [one for one in raw if one not in poor],
    }
    total = 0
    for name, some in groups.items():
        counts = real_phones.fates(some, balanced)
        total += counts.total()
        print(f"\n{counts.total()} raw enters on fixes {name}:")
        print("\n".join(f"  {count:4d}  {fate}" for fate, count in counts.most_common()))
    print(f"\n{len(balanced.visits)} visits under balanced")
    assert total == len(raw) == 481
