"""What each field of a ping means, for the OpenAPI document: unit, limits, an example."""

from __future__ import annotations

from typing import Any

PING_EXAMPLE: dict[str, Any] = {
    "device_id": "phone-7",
    "lat": 52.5163,
    "lon": 13.3777,
    "ts": "2026-11-22T09:30:00Z",
    "accuracy_m": 12.0,
}
PING_FIELDS: dict[str, dict[str, Any]] = {
    "lat": {
        "description": "Latitude in degrees WGS84.",
        "minimum": -90,
        "maximum": 90,
        "examples": [52.5163],
    },
    "lon": {
        "description": "Longitude in degrees WGS84.",
        "minimum": -180,
        "maximum": 180,
        "examples": [13.3777],
    },
    "ts": {
        "description": (
            "Time of the fix: RFC 3339 with an offset, or milliseconds since 1970 UTC. From the"
            " year 2000 to five minutes ahead of the service's clock."
        ),
        "examples": ["2026-11-22T09:30:00Z", 1795339800000],
    },
    "device_id": {
        "description": (
            "The device's id. Required in POST /v1/pings; the phone's call takes it from the"
            " address."
        ),
        "minLength": 1,
        "maxLength": 128,
        "examples": ["phone-7"],
    },
    "id": {
        "description": "The client's own id of the ping: the same ping sent again is one ping.",
        "minLength": 1,
        "maxLength": 128,
        "examples": ["01JD9Z3Y5W"],
    },
    "accuracy_m": {
        "description": "Radius in metres around the position, as the phone reports it.",
        "minimum": 0,
        "examples": [12.0],
    },
    "speed_mps": {
        "description": "Speed in metres per second; a negative value means unknown.",
        "examples": [1.4],
    },
    "heading_deg": {
        "description": "Direction of travel in degrees clockwise from north.",
        "examples": [270],
    },
    "altitude_m": {
        "description": "Height above the WGS84 ellipsoid in metres.",
        "examples": [34.0],
    },
    "battery": {"description": "Charge of the battery, from 0 to 1.", "examples": [0.8]},
    "mocked": {
        "description": "True where the operating system says that the position is not real.",
        "examples": [False],
    },
    "customer_id": {
        "description": "The retailer's id of the customer who carries the device.",
        "minLength": 1,
        "maxLength": 128,
        "examples": ["customer-42"],
    },
    "attributes": {"description": "Any further facts.", "examples": [{"app": "3.1"}]},
    "hint_version": {
        "description": "The `version` of the newest hint, so that an unchanged list is left out.",
        "examples": ["9f2c41d07a3be815"],
    },
}
