"""Hot state: what is remembered of each device between two of its pings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from geofence.model.presence import DeviceKey, DeviceState

if TYPE_CHECKING:  # the table needs numpy, which small commands do without
    from geofence.model.device_table import DeviceTable, Moved


class HotState(Protocol):
    """Devices' states within a unit.

    `read` locks the devices, in sorted order, until the unit ends.
    """

    def meet(self, names: Mapping[str, Sequence[str]]) -> dict[str, DeviceTable]:
        """Project id -> its table of devices, with these devices read and locked.

        Args:
            names: Project id -> devices.
        """

    def read(self, keys: Iterable[DeviceKey]) -> dict[DeviceKey, DeviceState]:
        """The state of each device; an unknown device has an empty `DeviceState`."""

    def at_geofences(self, uids: Sequence[str]) -> list[DeviceKey]:
        """Devices that have a presence at any of these geofences."""

    def due(self, now_ms: int, limit: int) -> list[DeviceKey]:
        """Devices with a presence whose timer is due, oldest first."""

    def save(
        self,
        states: Mapping[DeviceKey, DeviceState],
        watermarks: Mapping[DeviceKey, DeviceState],
        moved: Sequence[tuple[DeviceTable, Moved]] = (),
    ) -> None:
        """Write `states` and new devices of `moved`; remember the rest of `moved` and `watermarks`.

        Args:
            states: Devices that are new, or whose presences or customer changed.
            watermarks: Devices of which only the watermark moved.
            moved: The same as rows of tables that `meet` returned.
        """

    def assign(self, key: DeviceKey, customer_id: str | None) -> None:
        """Set the customer who carries a device from now on."""

    def drop(self, key: DeviceKey) -> None:
        """Forget a device that this unit erases."""

    def committed(self) -> None:
        """Adopt what the unit read and saved: it is durable now."""
