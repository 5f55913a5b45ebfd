"""Devices' states as the writer of an embedded record last committed them."""

from __future__ import annotations

from collections.abc import Mapping

from geofence.model.presence import DeviceKey, DeviceState

SIZE = 2_000_000


class StateCache:
    """The states of up to `size` devices; a full cache forgets its older half.

    A device that is not in here is read from the record, which has all but the watermarks of pings
    that changed nothing.
    """

    def __init__(self, size: int = SIZE) -> None:
        self._size = size
        self._states: dict[DeviceKey, DeviceState] = {}

    def get(self, key: DeviceKey) -> DeviceState | None:
        """The state last committed, None when the record must be read."""
        return self._states.get(key)

    def put(self, states: Mapping[DeviceKey, DeviceState]) -> None:
        """Remember what was committed."""
        if len(self._states) + len(states) > self._size:
            half = list(self._states)[len(self._states) // 2 :]
            self._states = {key: self._states[key] for key in half}
        self._states.update(states)

    def drop(self, key: DeviceKey) -> None:
        """Forget a device that was erased."""
        self._states.pop(key, None)
