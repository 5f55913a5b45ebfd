from __future__ import annotations

import json

import msgspec
import pytest

from api.http.problems import Refusal
from api.wire.native_in import Intake, read_pings

PING = {"device_id": "d", "lat": 1.5, "lon": 2.5, "ts": 1767600000000}


def _codes(intake: Intake) -> dict[int, str]:
    return {one.index: one.code for one in intake.rejected}


def _read(body: object, **more: object) -> Intake:
    return read_pings(body if isinstance(body, bytes) else json.dumps(body).encode(), 100, **more)


def test_one_object_an_array_an_envelope_and_lines_mean_the_same() -> None:
    one = json.dumps(PING).encode()
    for body in (
        one,
        b"[" + one + b"]",
        b'{"pings": [' + one + b"]}",
        b" \n" + one + b"\n",
        one + b"\n" + one,
        b"\xef\xbb\xbf" + one,
    ):
        intake = _read(body)
        assert intake.items[0][1].lat == 1.5
        assert intake.rejected == []
    assert _read(one).single
    assert not _read(b"[" + one + b"]").single


def test_an_object_written_over_several_lines_is_one_object() -> None:
    assert _read(json.dumps(PING, indent=2).encode()).single
    assert len(_read(json.dumps({"pings": [PING, PING]}, indent=2).encode()).items) == 2


def test_the_media_type_can_say_that_a_single_bad_line_is_a_line() -> None:
    intake = _read(b'{"lat": 1,\n' + json.dumps(PING).encode(), media_type="application/x-ndjson")
    assert (_codes(intake), len(intake.items)) == ({0: "invalid_item"}, 1)


def test_unknown_fields_are_ignored() -> None:
    assert len(_read(PING | {"colour": "red", "deep": {"er": [1, 2]}}).items) == 1


@pytest.mark.parametrize(
    ("field", "right"),
    [
        ("accuracy", "accuracy_m"),
        ("speed", "speed_mps"),
        ("heading", "heading_deg"),
        ("customerId", "customer_id"),
        ("horizontal_accuracy", "accuracy_m"),
    ],
)
def test_a_misspelt_field_of_a_readable_ping_is_named_with_its_count(
    field: str, right: str
) -> None:
    wrong = PING | {field: 5}
    for body in (wrong, [wrong], [wrong, PING, wrong], {"pings": [wrong]}):
        intake = _read(body)
        count = 2 if body == [wrong, PING, wrong] else 1
        assert [(one.field, one.did_you_mean, one.count) for one in intake.warnings] == [
            (field, right, count)
        ]
        assert intake.rejected == []
    lines = b"\n".join([json.dumps(wrong).encode()] * 3)
    assert [one.count for one in _read(lines).warnings] == [3]


def test_a_clean_ping_and_a_name_inside_attributes_or_beside_the_right_field_warn_of_nothing() -> (
    None
):
    assert _read(PING).warnings == ()
    assert _read(PING | {"attributes": {"accuracy": 5, "time": 1}}).warnings == ()
    assert _read(PING | {"accuracy": 5, "accuracy_m": 5}).warnings == ()
    assert _read(PING | {"id": 'x"accuracy": '}).warnings == ()


def test_warnings_are_bounded_and_never_hold_a_value() -> None:
    wrong = PING | {"latitude": 48.2, "colour": 1, "x" * 500: 2, "accuracy": 12.75}
    intake = _read([wrong] * 90)
    assert [(one.field, one.count) for one in intake.warnings] == [("accuracy", 90)]
    assert "12.75" not in msgspec.json.encode(intake.warnings).decode()


def test_broken_text_after_a_misspelt_field_is_no_error() -> None:
    body = b'{"device_id":"d","lat":1,"lon":2,"ts":1767600000000,"accuracy":5,"x":"\xff"}'
    intake = _read(body)
    assert len(intake.items) + len(intake.rejected) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"ts": "2026-01-05T10:00:00"}, "ts has no offset"),
        ({"ts": "yesterday"}, "ts cannot be read"),
        ({"lat": "1"}, "lat is not a number"),
        ({"lon": None}, "lon is not a number"),
        ({"device_id": 5}, "device_id is not a text"),
    ],
)
def test_a_rejection_states_its_one_cause(change: dict[str, object], words: str) -> None:
    assert words in _read([PING | change]).rejected[0].detail


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"lat": None}, "invalid_position"),
        ({"lat": "1"}, "invalid_position"),
        ({"lon": True}, "invalid_position"),
        ({"ts": None}, "invalid_time"),
        ({"ts": 1.5}, "invalid_time"),
        ({"ts": True}, "invalid_time"),
        ({"ts": "2026-01-05T10:00:00"}, "invalid_time"),
        ({"ts": "2026-02-30T10:00:00Z"}, "invalid_time"),
        ({"device_id": 5}, "invalid_device"),
        ({"device_id": None}, "invalid_device"),
        ({"id": 5}, "invalid_field"),
        ({"id": ""}, "invalid_field"),
        ({"id": "a\0"}, "invalid_field"),
        ({"id": "x" * 129}, "invalid_field"),
        ({"customer_id": "\ud800"}, "invalid_field"),
        ({"mocked": "yes"}, "invalid_field"),
        ({"battery": "full"}, "invalid_field"),
        ({"attributes": []}, "invalid_field"),
        ({"attributes": {"a": "\0"}}, "invalid_field"),
        ({"attributes": {"n": 2**70}}, "invalid_field"),
    ],
)
def test_a_wrong_field_is_named_and_the_rest_of_the_batch_goes_on(
    change: dict[str, object], code: str
) -> None:
    intake = _read([PING, PING | change, PING])
    assert _codes(intake) == {1: code}
    assert [index for index, _ in intake.items] == [0, 2]
    if code == "invalid_field":
        assert next(iter(change)) in intake.rejected[0].detail


def test_a_missing_field_is_named_by_its_code() -> None:
    for field, code in (
        ("lat", "invalid_position"),
        ("lon", "invalid_position"),
        ("ts", "invalid_time"),
    ):
        intake = _read([{name: value for name, value in PING.items() if name != field}])
        assert _codes(intake) == {0: code}
        assert intake.rejected[0].detail == f"{field} is missing"


def test_nan_and_infinity_are_read_and_left_for_the_street() -> None:
    intake = _read(b'[{"lat": NaN, "lon": -Infinity, "ts": 5}, {"lat": 1e999, "lon": 1, "ts": 5}]')
    assert [str(ping.lat) for _, ping in intake.items] == ["nan", "inf"]


def test_numbers_of_thousands_of_digits_cost_nothing() -> None:
    digits = b"9" * 100_000
    intake = _read(
        b'[{"lat": %b, "lon": 1, "ts": 5}, {"lat": 1, "lon": 1, "ts": %b}]' % (digits, digits)
    )
    assert len(intake.items) + len(intake.rejected) == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        b"5",
        b"nul",
        b"[1,",
        b'{"pings": 3}',
        b"\xff",
        b"[" * 5000,
        b'{"lat": 1} trailing',
    ],
)
def test_what_is_no_json_of_pings_is_malformed(body: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        _read(body)
    assert (refused.value.status, refused.value.code) == (400, "malformed")


def test_more_items_than_allowed_are_refused_in_every_form() -> None:
    one = json.dumps(PING).encode()
    for body in (
        b"[" + b",".join([one] * 101) + b"]",
        b"\n".join([one] * 101),
        b'{"pings": [' + b",".join([b"5"] * 101) + b"]}",
    ):
        with pytest.raises(Refusal) as refused:
            _read(body)
        assert refused.value.status == 413


def test_a_refusals_words_never_repeat_what_was_sent() -> None:
    intake = _read([PING | {"lat": "secret place"}, PING | {"customer_id": 12345678}])
    assert "secret" not in str(intake.rejected)
    assert "12345678" not in msgspec.json.encode(intake.rejected).decode()
