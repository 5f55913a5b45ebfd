"""Edits that a test writes as a function of the unit."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from geofence.model.edit import EditResult
from geofence.ports.unit import Unit
from geofence.street.writer import Writer


def run_edit(writer: Writer, project_id: str, work: Callable[[Unit], EditResult]) -> Future[Any]:
    """Run `work` as an edit of a project; its value comes after the commit."""
    return writer.submit_edit(project_id, work)
