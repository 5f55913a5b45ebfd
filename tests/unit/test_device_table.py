"""The table of devices: objects in, objects out; bounded between units."""

from __future__ import annotations

from geofence.model.device_table import BUSY, KNOWN, READ, DeviceTable
from geofence.model.presence import DeviceState, Presence

FULL = DeviceState(
    known=True,
    watermark_ms=1_790_000_000_123,
    fix_ms=1_790_000_000_000,
    lat=48.1,
    lon=-11.25,
    customer_id="kim",
    presences={"gf": Presence("gf", inside=True, last_ms=5)},
    fix_accuracy_m=12.5,
    odd_ms=1_790_000_000_100,
    odd_lat=-0.0,
    odd_lon=180.0,
)


def test_a_state_comes_back_as_it_was_put() -> None:
    table = DeviceTable("p")
    rows = table.rows(["full", "bare"]).tolist()
    for row, state in zip(rows, (FULL, DeviceState(known=True, watermark_ms=7)), strict=True):
        table.put(row, state)
        assert table.state(row) == state
    assert (table.flag[rows] == [READ | KNOWN | BUSY, READ | KNOWN]).all()


def test_a_device_without_a_row_in_the_record_is_unknown() -> None:
    table = DeviceTable("p")
    assert table.state(int(table.rows(["new"])[0])) == DeviceState()


def test_a_forgotten_device_is_asked_for_again() -> None:
    table = DeviceTable("p")
    [row] = table.rows(["phone"]).tolist()
    table.put(row, FULL)
    table.forget("phone")
    assert (table.state(row), int(table.flag[row])) == (DeviceState(), 0)


def test_a_table_grows_without_moving_what_it_holds() -> None:
    table = DeviceTable("p")
    [first] = table.rows(["first"]).tolist()
    table.put(first, FULL)
    table.rows([f"d{nth}" for nth in range(5_000)])
    assert table.state(first) == FULL
    assert len(table) == 5_001


def test_a_full_table_keeps_the_half_that_units_met_last() -> None:
    table = DeviceTable("p")
    names = [f"d{nth}" for nth in range(100)]
    for name in names:
        rows = table.rows([name])
        table.put(int(rows[0]), FULL)
        table.touch(rows)
    table.trim(80)
    assert table.names == names[60:]
    assert all(table.state(row) == FULL for row in table.rows(names[60:]).tolist())
    assert table.state(int(table.rows(["d3"])[0])) == DeviceState()
