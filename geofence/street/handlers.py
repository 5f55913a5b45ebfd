"""Finds the handler of each kind of edit, runs edits, and carries them as MessagePack.

A handler is a public function in a module `edits` of any room of `geofence/`. Its first parameter
is annotated with the arguments of its kind, and it returns an `EditResult`: one new kind is one new
function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from inspect import isfunction, signature
from types import ModuleType
from typing import Any, get_type_hints

import msgspec

import geofence
from geofence.errors import InputError
from geofence.model.edit import EditArguments, EditResult
from geofence.plugins import modules_named
from geofence.ports.unit import Unit

# takes the arguments, the unit, the project id ("" for the service's own) and the time (epoch ms)
Handler = Callable[[Any, Unit, str, int], EditResult]


class EditHandlers:
    """The handlers by kind.

    Raises:
        ValueError: Two handlers take the same kind.
    """

    def __init__(self, modules: Iterable[ModuleType]) -> None:
        self.arguments: dict[str, type[EditArguments]] = {}
        self._handlers: dict[str, Handler] = {}
        for module in modules:
            for name, function in vars(module).items():
                taken = _taken_by(function) if not name.startswith("_") else None
                if taken is not None and function.__module__ == module.__name__:
                    self.add(taken, function)

    def add(self, arguments: type[EditArguments], handler: Handler) -> None:
        """Let `handler` run the edits with these arguments."""
        kind = str(arguments.__struct_config__.tag)
        if kind in self._handlers:
            raise ValueError(f"Two handlers run edits of the kind {kind}.")
        self.arguments[kind], self._handlers[kind] = arguments, handler

    def check(self, arguments: EditArguments) -> None:
        """Refuse an edit of an unknown kind.

        Raises:
            InputError: No handler runs this kind (code `unknown_edit`).
        """
        if self.arguments.get(arguments.kind) is not type(arguments):
            raise _unknown(arguments.kind)

    def run(self, arguments: EditArguments, unit: Unit, project_id: str, now_ms: int) -> EditResult:
        """Run an edit within a unit. Raises what its handler raises, and as `check` does."""
        self.check(arguments)
        return self._handlers[arguments.kind](arguments, unit, project_id, now_ms)

    def encode(self, arguments: EditArguments) -> bytes:
        """The edit as MessagePack, with its kind."""
        self.check(arguments)
        return msgspec.msgpack.encode(arguments)

    def decode(self, packed: bytes) -> EditArguments:
        """The edit of `encode`.

        Raises:
            InputError: No handler runs its kind, or the arguments are not of that kind.
        """
        try:
            kind = msgspec.msgpack.decode(packed, type=_Kind).kind
            if kind not in self.arguments:
                raise _unknown(kind)
            decoded: EditArguments = msgspec.msgpack.decode(packed, type=self.arguments[kind])
        except msgspec.DecodeError as error:
            raise InputError(f"The edit cannot be read: {error}", code="malformed_edit") from None
        return decoded


class _Kind(msgspec.Struct):
    kind: str


@lru_cache(maxsize=1)
def edit_handlers() -> EditHandlers:
    """The handlers of every room."""
    return EditHandlers(modules_named(geofence, "edits"))


def _taken_by(function: object) -> type[EditArguments] | None:
    """The arguments that a handler takes; None for anything that is no handler."""
    parameters = list(signature(function).parameters) if isfunction(function) else []
    if not parameters:
        return None
    hints = get_type_hints(function)
    first = hints.get(parameters[0])
    if not (isinstance(first, type) and issubclass(first, EditArguments)):
        return None
    return first if hints.get("return") is EditResult else None


def _unknown(kind: str) -> InputError:
    return InputError(f"No handler runs edits of the kind {kind}.", code="unknown_edit")
