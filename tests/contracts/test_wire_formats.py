"""Every wire format keeps to its contract, with its own recorded samples.

A folder `tests/samples/wire/<name>/` holds bodies as clients send them, and `expected.json`: by
file, its content type, the pings in it, the rejections (index, code, detail) and the warnings
(field, the right field, count).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from api import wire
from api.http.problems import Refusal
from api.wire.format import Intake, Posted, formats
from geofence.model.ping import PingIn, Rejection
from geofence.model.receipt import DeviceAnswer, Receipt

SAMPLES = Path(__file__).resolve().parents[1] / "samples" / "wire"
FORMATS = formats()
EXPECTED = {name: json.loads((SAMPLES / name / "expected.json").read_bytes()) for name in FORMATS}
CASES = [(name, file) for name, files in EXPECTED.items() for file in files]
MOST = 10_000


def _read(name: str, file: str) -> Intake:
    posted = Posted((SAMPLES / name / file).read_bytes(), EXPECTED[name][file]["media_type"])
    return FORMATS[name].read(posted, MOST)


def _intake_or_status(name: str, posted: Posted) -> Intake | int:
    """What the format reads, or the status with which it refuses the body."""
    try:
        return FORMATS[name].read(posted, MOST)
    except Refusal as refusal:
        return refusal.status


def test_the_family_is_found_by_scanning_and_every_member_has_samples() -> None:
    modules = {path.stem for path in Path(wire.__path__[0]).glob("*.py")}
    assert set(FORMATS) <= modules
    assert "native" in FORMATS
    for name in FORMATS:
        bodies = {path.name for path in (SAMPLES / name).iterdir()} - {"expected.json"}
        assert bodies == set(EXPECTED[name]), name


@pytest.mark.parametrize(("name", "file"), CASES)
def test_a_recorded_body_gives_its_pings_rejections_and_warnings(name: str, file: str) -> None:
    expected, intake = EXPECTED[name][file], _read(name, file)
    rejected = [Rejection(*one) for one in expected.get("rejected", [])]
    assert intake.rejected == rejected
    assert [msgspec.structs.astuple(one) for one in intake.warnings] == [
        tuple(one) for one in expected.get("warnings", [])
    ]
    refused = {one.index for one in rejected}
    places = [at for at in range(MOST) if at not in refused][: len(intake.items)]
    pings = [msgspec.convert(one, PingIn) for one in expected["pings"]]
    assert intake.items == list(zip(places, pings, strict=True))


@pytest.mark.parametrize(("name", "file"), CASES)
def test_more_items_than_allowed_are_refused_whole(name: str, file: str) -> None:
    posted = Posted((SAMPLES / name / file).read_bytes(), EXPECTED[name][file]["media_type"])
    with pytest.raises(Refusal) as refused:
        FORMATS[name].read(posted, 0)
    assert refused.value.status == 413


@pytest.mark.parametrize("name", sorted(FORMATS))
@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{", b"[" * 5000, b"<xml/>"])
def test_a_body_of_no_format_is_malformed_and_never_an_error_of_ours(
    name: str, body: bytes
) -> None:
    with pytest.raises(Refusal) as refused:
        FORMATS[name].read(Posted(body), MOST)
    assert refused.value.status == 400


@pytest.mark.parametrize(("name", "file"), CASES)
@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_body_cut_off_anywhere_is_refused_or_read_in_part(name: str, file: str, cut: int) -> None:
    whole = (SAMPLES / name / file).read_bytes()
    posted = Posted(whole[: len(whole) * cut // 4], EXPECTED[name][file]["media_type"])
    outcome = _intake_or_status(name, posted)
    if isinstance(outcome, Intake):
        assert len(outcome.items) <= len(EXPECTED[name][file]["pings"])
    else:
        assert outcome == 400


@pytest.mark.parametrize(("name", "file"), CASES)
def test_an_answer_says_what_was_accepted_and_holds_no_position(name: str, file: str) -> None:
    intake = _read(name, file)
    receipt = Receipt(len(intake.items), 0, tuple(intake.rejected), {"phone-7": DeviceAnswer()})
    answer = FORMATS[name].write(receipt, intake, frozenset({"events"}))
    assert 200 <= answer.status_code < 300
    assert b"52.51" not in bytes(answer.body)


def test_a_refused_batch_of_our_own_format_names_misspelt_fields() -> None:
    native = FORMATS["native"]
    intake = native.read(Posted(b'{"latitude": 52.5163, "longitude": 13.3, "ts": 5}'), MOST)
    answer = native.write(Receipt(0, 0, tuple(intake.rejected)), intake, frozenset())
    found: dict[str, Any] = json.loads(bytes(answer.body))
    assert (answer.status_code, found["code"]) == (422, "rejected")
    assert found["warnings"] == [
        {"field": "latitude", "did_you_mean": "lat", "count": 1},
        {"field": "longitude", "did_you_mean": "lon", "count": 1},
    ]
