"""Reads pings in our own format: one typed decode, or item by item where an item is bad."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import msgspec

from api.http.body import guard_containers
from api.http.problems import FieldWarning, Refusal
from api.wire.format import Intake
from api.wire.near_misses import in_items, in_start
from geofence.limits import document_fault
from geofence.model.ping import MAX_ID, PingIn, Rejection
from geofence.street.normalise import REJECTION_CODES

_BOM = b"\xef\xbb\xbf"
_FIELD = re.compile(r"(?:`\$\.|required field `)(\w+)")
_CODE_OF_FIELD = {
    "lat": "invalid_position",
    "lon": "invalid_position",
    "ts": "invalid_time",
    "device_id": "invalid_device",
}


class _Envelope(msgspec.Struct):
    pings: list[PingIn]


_NO_PINGS = 'The body is not a ping, an array of pings, or {"pings": [...]}.'
_UNREADABLE_TIME = "ts cannot be read: send RFC 3339 with an offset, or epoch milliseconds"
_ARRAY = msgspec.json.Decoder(list[PingIn])
_ONE = msgspec.json.Decoder(PingIn)
_WRAPPED = msgspec.json.Decoder(_Envelope)


def read_pings(body: bytes, max_items: int, media_type: str = "") -> Intake:
    """The pings of a body: one object, an array, `{"pings": [...]}`, or NDJSON.

    Refuses (400) what is none of these, and (413) more than `max_items`. Numbers beyond the finite
    are left for the street.
    """
    body = body.removeprefix(_BOM).strip()
    if not body:
        raise Refusal(400, "malformed", "The body is empty.")
    guard_containers(body)
    lines = "ndjson" in media_type or "jsonl" in media_type or _looks_like_lines(body)
    pings, single = _at_once(body, lines)
    if pings is None or any(_text_fault(ping) for ping in pings):
        return _one_by_one(body, max_items, lines)
    _count(pings, max_items)
    warnings = _second_reading(body, lines) if in_start(body) else ()
    return Intake(list(enumerate(pings)), [], single, warnings)


def _second_reading(body: bytes, lines: bool) -> tuple[FieldWarning, ...]:
    """The misspelt fields of a body that was read well; none where only msgspec can read it."""
    try:
        found, _ = _items(body.decode(errors="replace"), lines)
    except Refusal:
        return ()
    return in_items(found)


def _at_once(body: bytes, lines: bool) -> tuple[list[PingIn] | None, bool]:
    """The usual case: one typed decode of everything. None when any part of it is out of order."""
    try:
        if lines:
            return _ONE.decode_lines(body), False
        if body[:1] == b"[":
            return _ARRAY.decode(body), False
        if b'"pings"' in body[:64]:
            return _WRAPPED.decode(body).pings, False
        return [_ONE.decode(body)], True
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None, False


def _one_by_one(body: bytes, max_items: int, lines: bool) -> Intake:
    """The slow way, item by item.

    Also reads the `NaN` and `Infinity` that some clients write into their JSON.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise Refusal(400, "malformed", "The body is not UTF-8.") from None
    found, single = _items(text, lines, max_items)
    items: list[tuple[int, PingIn]] = []
    rejected: list[Rejection] = []
    for index, item in enumerate(found):
        ping = _ping(index, item)
        if isinstance(ping, Rejection):
            rejected.append(ping)
        else:
            items.append((index, ping))
    return Intake(items, rejected, single, in_items(found))


def _items(text: str, lines: bool, max_items: int | None = None) -> tuple[list[Any], bool]:
    """The items of a body as they were written, and whether it is one object."""
    if lines:
        rows = [row for row in text.split("\n") if row.strip()]
        _count(rows, max_items)
        return list(map(_line, rows)), False
    document = _document(text)
    single = isinstance(document, dict) and "pings" not in document
    found = [document] if single else document["pings"] if isinstance(document, dict) else document
    if not isinstance(found, list):
        raise Refusal(400, "malformed", _NO_PINGS)
    _count(found, max_items)
    return found, single


def _ping(index: int, item: Any) -> PingIn | Rejection:
    if not isinstance(item, dict):
        return Rejection(index, "invalid_item", REJECTION_CODES["invalid_item"])
    try:
        ping = msgspec.convert(item, PingIn)
    except msgspec.ValidationError as error:
        named = _FIELD.search(str(error))
        return _refused(index, named.group(1) if named else "item", str(error))
    fault = _text_fault(ping)
    return ping if fault is None else _refused(index, fault, "")


def _refused(index: int, field: str, cause: str) -> Rejection:
    code = _CODE_OF_FIELD.get(field, "invalid_field")
    return Rejection(index, code, _sentence(field, cause))


def _sentence(field: str, cause: str) -> str:
    """What is wrong with a field, by what msgspec says of it; never its value."""
    if "missing required" in cause:
        return f"{field} is missing"
    if field == "ts":
        return "ts has no offset" if "timezone" in cause else _UNREADABLE_TIME
    if field in ("lat", "lon"):
        return f"{field} is not a number"
    if field == "device_id":
        return "device_id is not a text"
    return f"{field} is not what it must be"


def _text_fault(ping: PingIn) -> str | None:
    """The first text of a ping that could not be stored, by field.

    The device's name is judged by the street.
    """
    if ping.id is not None and not _is_name(ping.id):
        return "id"
    if ping.customer_id is not None and not _is_name(ping.customer_id):
        return "customer_id"
    if ping.attributes is not None and document_fault(ping.attributes):
        return "attributes"
    return None


def _is_name(text: str) -> bool:
    return 0 < len(text) <= MAX_ID and text.isprintable()


def _looks_like_lines(body: bytes) -> bool:
    """Whether the first line could be a whole object and others follow it."""
    end = body.find(b"\n")
    if end < 0 or body[:1] != b"{" or not body[:end].rstrip().endswith(b"}"):
        return False
    return body[end:].lstrip()[:1] not in (b"", b",", b"}")


def _document(text: str) -> Any:
    try:
        document = json.loads(text, parse_int=_whole)
    except (ValueError, RecursionError):
        raise Refusal(400, "malformed", "The body is not JSON, or was cut off.") from None
    if not isinstance(document, dict | list):
        raise Refusal(400, "malformed", _NO_PINGS)
    return document


def _line(text: str) -> Any:
    try:
        return json.loads(text, parse_int=_whole)
    except (ValueError, RecursionError):
        return None


def _whole(digits: str) -> float:
    # thousands of digits cost quadratic time to read exactly; nothing of that size is accepted
    # anyway
    return (
        int(digits) if len(digits) < 20 else math.copysign(math.inf, -1 if digits[0] == "-" else 1)
    )


def _count(items: list[Any], max_items: int | None) -> None:
    if max_items is not None and len(items) > max_items:
        raise Refusal(413, "too_large", f"More than {max_items} items; nothing was stored.")
