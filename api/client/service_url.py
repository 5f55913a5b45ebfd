"""Where a command finds the service when no address is given."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from api.settings import Settings

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is listened on by all is reached on this machine


def service_url() -> str:
    """GEOFENCE_PUBLIC_URL, otherwise the address that GEOFENCE_HOST and GEOFENCE_PORT give."""
    given = os.environ.get("GEOFENCE_PUBLIC_URL", "").strip()
    if given:
        return given
    host = os.environ.get("GEOFENCE_HOST", "").strip() or Settings().host
    host = _EVERYWHERE.get(host, host)
    port = os.environ.get("GEOFENCE_PORT", "").strip() or str(Settings().port)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


Url = Annotated[
    str,
    typer.Option(
        default_factory=service_url,
        show_default="GEOFENCE_PUBLIC_URL, else http://GEOFENCE_HOST:GEOFENCE_PORT, else http://127.0.0.1:8000",
        help="the service",
    ),
]
