"""Edits are data: every kind is found by scanning, and MessagePack carries it without loss."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any, cast

import msgspec
import pytest
from msgspec import inspect

from geofence.errors import InputError
from geofence.model.edit import EditArguments, EditResult
from geofence.ports.unit import Unit
from geofence.street.handlers import EditHandlers, edit_handlers

ANYTHING = {"text": "Café", "number": 2.5, "list": [1, None, True, {"deep": "x"}]}
KINDS = sorted(kind for kind in edit_handlers().arguments if not kind.startswith("test."))


def _sample(kind: inspect.Type) -> Any:
    """A value of that type in which as much as possible differs from the defaults."""
    if isinstance(kind, inspect.Metadata):
        return _sample(kind.type)
    if isinstance(kind, inspect.UnionType):
        return _sample(next(one for one in kind.types if not isinstance(one, inspect.NoneType)))
    if isinstance(kind, inspect.StructType | inspect.NamedTupleType):
        return kind.cls(**{field.name: _sample(field.type) for field in kind.fields})
    if isinstance(kind, inspect.DictType):
        return {_sample(kind.key_type): _sample(kind.value_type)}
    if isinstance(kind, inspect.TupleType):
        return tuple(map(_sample, kind.item_types))
    many = {inspect.ListType: list, inspect.VarTupleType: tuple, inspect.FrozenSetType: frozenset}
    if type(kind) in many:
        return many[type(kind)]([_sample(cast(Any, kind).item_type)])
    if isinstance(kind, inspect.LiteralType):
        return kind.values[-1]
    return _plain(kind)


def _plain(kind: inspect.Type) -> Any:
    if isinstance(kind, inspect.AnyType):
        return ANYTHING
    if isinstance(kind, inspect.StrType):
        texts = ("Zürich", "12:30", "2026-12-31")
        return next(text for text in texts if re.search(kind.pattern or "", text))
    if isinstance(kind, inspect.IntType):
        return 1_790_000_000_123 if kind.le is None else kind.le
    if isinstance(kind, inspect.FloatType):
        return 0.1 + 0.2
    assert isinstance(kind, inspect.BoolType)
    return True


def _sample_of(kind: str) -> EditArguments:
    found = inspect.type_info(edit_handlers().arguments[kind])
    return cast(EditArguments, _sample(found))


def test_the_edits_of_every_room_are_found_by_scanning() -> None:
    rooms = {kind.partition(".")[0] for kind in KINDS}
    assert {"store", "geofence", "stores", "geofences", "campaign", "coupon"} <= rooms
    assert {"customer", "device", "key", "project", "outbox"} <= rooms


@pytest.mark.parametrize("kind", KINDS)
def test_the_arguments_survive_messagepack_without_loss(kind: str) -> None:
    edit = _sample_of(kind)
    carried = edit_handlers().decode(edit_handlers().encode(edit))
    assert carried == edit
    assert (type(carried), carried.kind) == (type(edit), kind)
    assert repr(carried) == repr(edit)  # also 1 and 1.0, a list and a tuple differ


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_carried_names_its_kind(kind: str) -> None:
    assert msgspec.msgpack.decode(edit_handlers().encode(_sample_of(kind)))["kind"] == kind


class _Strange(EditArguments, frozen=True, tag="strange.thing"):
    number: int


class _StrangeAgain(EditArguments, frozen=True, tag="strange.thing"):
    number: int


def run_strange(edit: _Strange, unit: Unit, project_id: str, now_ms: int) -> EditResult:
    return EditResult((edit.number, project_id, now_ms))


def test_an_unknown_kind_is_refused_before_it_runs_and_as_it_arrives() -> None:
    handlers = edit_handlers()
    with pytest.raises(InputError) as refused:
        handlers.check(_Strange(1))
    assert refused.value.code == "unknown_edit"
    with pytest.raises(InputError) as refused:
        handlers.decode(msgspec.msgpack.encode(_Strange(1)))
    assert refused.value.code == "unknown_edit"


def test_arguments_that_do_not_fit_their_kind_are_refused() -> None:
    for packed in (b"", b"\xc1", msgspec.msgpack.encode({"kind": "store.put", "store": 7})):
        with pytest.raises(InputError) as refused:
            edit_handlers().decode(packed)
        assert refused.value.code == "malformed_edit"


def test_one_function_more_is_one_kind_more() -> None:
    room = ModuleType("geofence.strange.edits")
    room.__dict__["run_strange"] = run_strange
    run_strange.__module__ = room.__name__
    handlers = EditHandlers([room])
    assert list(handlers.arguments) == ["strange.thing"]
    unit = cast(Unit, None)
    assert handlers.run(_Strange(7), unit, "p", 5).value == (7, "p", 5)


def test_two_handlers_of_one_kind_are_refused() -> None:
    handlers = EditHandlers([])
    handlers.add(_Strange, run_strange)
    with pytest.raises(ValueError, match=r"strange\.thing"):
        handlers.add(_StrangeAgain, run_strange)
