"""Edits that a test writes as a function of the unit: a kind of edit of the tests' own."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from geofence.model.edit import EditArguments, EditResult
from geofence.ports.unit import Unit
from geofence.street.handlers import edit_handlers
from geofence.street.writer import Writer

Work = Callable[[Unit], EditResult]
KIND = "test.closure"
_works: dict[int, Work] = {}
_numbers = itertools.count()


class RunClosure(EditArguments, frozen=True, tag=KIND):
    """Run the function of this number."""

    number: int


def run_closure(edit: RunClosure, unit: Unit, _: str, __: int) -> EditResult:
    """The value is that of the function."""
    return _works[edit.number](unit)


def run_edit(writer: Writer, project_id: str, work: Work) -> Future[Any]:
    """Run `work` as an edit of a project; its value comes after the commit."""
    if KIND not in edit_handlers().arguments:
        edit_handlers().add(RunClosure, run_closure)
    number = next(_numbers)
    _works[number] = work
    future = writer.submit_edit(project_id, RunClosure(number=number))
    future.add_done_callback(lambda _: _works.pop(number))
    return future
