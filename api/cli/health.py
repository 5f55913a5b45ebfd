"""`geofence health`: whether the service, or the worker, runs.

A container asks every few seconds, so this loads next to nothing.
"""

from __future__ import annotations

import http.client
import os
import sys

from api.settings import SettingError, Settings, load

TIMEOUT_S = 3.0
_READY = 200
_BAD_SETTING = 2


def report(*, worker: bool = False) -> int:
    """Ask /readyz of the service, or of the worker, on the configured address.

    Prints the answer. Returns the exit code: 0 ready, 1 not ready, 2 for a setting that cannot be
    used.
    """
    try:
        settings = load(os.environ).settings
    except SettingError as error:
        sys.stderr.write(f"{error}\n")
        return _BAD_SETTING
    port = settings.worker_port if worker else settings.port
    status, text = ask(settings, "/readyz", port)
    sys.stdout.write(f"{text}\n")
    return 0 if status == _READY else 1


def ask(settings: Settings, path: str, port: int | None = None) -> tuple[int, str]:
    """Status and text of an answer on the configured address; 0 and why when there is none."""
    any_address = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound to
    host = any_address.get(settings.host, settings.host)
    connection = http.client.HTTPConnection(host, port or settings.port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode("utf-8", "replace")
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        return 0, f"no answer ({type(error).__name__})"
    finally:
        connection.close()
