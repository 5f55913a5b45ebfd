"""Reads that change nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from geofence.model.account import Key, Project
from geofence.model.place import Geofence


class Queries(Protocol):
    """Reads of the record that change nothing.

    Each call is one short transaction, from any thread.
    """

    def project(self, project_id: str) -> Project | None:
        """The project of that id."""

    def projects(self) -> list[Project]:
        """All projects, oldest first."""

    def key_of(self, digest: str) -> Key | None:
        """The key with that SHA-256, revoked or not."""

    def keys(self, project_id: str) -> list[Key]:
        """All keys of a project, oldest first."""

    def geofences(self, project_id: str) -> list[Geofence]:
        """All geofences of a project, by uid."""

    def page(
        self, noun: str, project_id: str | None, filters: Mapping[str, Any], after: Any, limit: int
    ) -> list[Any]:
        """A page of a noun after a sort key.

        Nouns, filters and keys as in `backends/sql/listing.py`.

        `project_id` None asks every tenant: only for what is known by an id that nobody can guess.
        """

    def newest_seq(self, project_id: str) -> int:
        """The highest `stream_seq` given so far, 0 without events."""

    def health(self) -> Mapping[str, Any]:
        """Facts for readiness.

        Raises:
            RecordError: The record does not answer.
        """
