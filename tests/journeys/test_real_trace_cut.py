"""A cut of the recorded cab trace over HTTP; the whole of it is `make test-real`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rigs import real_trace
from tests.rigs.running import Service

CABS = 5


@pytest.mark.skipif(bool(real_trace.MISSING), reason=real_trace.MISSING)
def test_five_real_cabs_past_829_stores_give_exactly_the_transitions_of_the_brute_force(
    tmp_path: Path,
) -> None:
    names = real_trace.cabs(CABS)
    with (
        Service(f"sqlite:///{tmp_path}/record.db", tmp_path / "service.log") as service,
        service.client() as client,
    ):
        assert real_trace.put_stores(client) == 829
        for number, body in enumerate(real_trace.batches(names)):
            real_trace.post(client, body)
            if number % 10 == 0:
                assert real_trace.post(client, body)["accepted"] == 0
            if number == 40:
                service.kill()
                service.start()
                assert real_trace.post(client, body)["rejected"] == []
        events = real_trace.events(client)
    assert len(events) == len(set(events))
    assert set(events) == real_trace.truth(names)
