"""The device tables that the street's writer keeps between its units, one per project."""

from __future__ import annotations

from geofence.model.device_table import DeviceTable

MOST_DEVICES = 2_000_000  # of a project: some 500 MB


class DeviceTables:
    """A `DeviceTable` per project, each bounded.

    What is thrown out costs a read at the device's next ping, and the watermarks of pings that
    changed nothing.
    """

    def __init__(self, most: int = MOST_DEVICES) -> None:
        self._most = most
        self._tables: dict[str, DeviceTable] = {}

    def of(self, project_id: str) -> DeviceTable:
        """The project's table."""
        table = self._tables.get(project_id)
        if table is None:
            table = self._tables[project_id] = DeviceTable(project_id)
        return table

    def trim(self) -> None:
        """Throw out rows beyond the bound; call it between two units, as rows get new numbers."""
        for table in self._tables.values():
            table.trim(self._most)
