"""Projects, keys, devices and remembered answers."""

from __future__ import annotations

from typing import Protocol

from geofence.model.account import Device, Key, Project


class Accounts(Protocol):
    """Projects, keys and devices within a unit."""

    def put_project(self, project: Project) -> None:
        """Insert or replace."""

    def put_key(self, key: Key) -> None:
        """Insert or replace."""

    def device(self, project_id: str, device_id: str) -> Device | None:
        """The device of that id."""

    def put_device(self, project_id: str, device: Device) -> None:
        """Insert, or replace what an app may set; hot state stays."""

    def delete_device(self, project_id: str, device_id: str) -> None:
        """Erase the device with its presences, visits and events."""

    def remember_answer(
        self, project_id: str, key: str, fingerprint: str, status: int, body: bytes, now_ms: int
    ) -> None:
        """Keep the answer to an Idempotency-Key."""

    def answer(self, project_id: str, key: str, since_ms: int) -> tuple[str, int, bytes] | None:
        """(fingerprint, status, body) kept for that key since then."""
