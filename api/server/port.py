"""Whether the port is free, asked before anything else is made."""

from __future__ import annotations

import socket

from api.settings import Settings


def fault_of_port(settings: Settings) -> str | None:
    """Why `serve` could not listen where the settings say, in words; None when it could."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            why = (error.strerror or type(error).__name__).lower()
            where = f"{settings.host}:{settings.port}"
            return (
                f"GEOFENCE_PORT: cannot listen on {where} ({why}); choose another by "
                'GEOFENCE_PORT or --port (with make: make run ARGS="--port 8400")'
            )
    return None
