"""Members of a drawer are found by looking into it."""

from __future__ import annotations

import geofence.delivery.channels
import geofence.model
from geofence.plugins import discover


def test_a_module_with_a_name_is_a_member_and_one_without_is_not() -> None:
    found = discover(geofence.delivery.channels)
    assert {"email", "inapp", "push", "webhook"} <= found.keys()
    assert list(found) == sorted(found)
    assert found["push"].__name__ == "geofence.delivery.channels.fcm"


def test_a_package_without_named_modules_has_no_members() -> None:
    assert discover(geofence.model) == {}
