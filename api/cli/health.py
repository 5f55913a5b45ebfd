"""`geofence health`: whether the service runs.

A container asks every few seconds, so this loads next to nothing.
"""

from __future__ import annotations

import typer

from api.cli.main import settled
from api.settings import Settings

_FINE = 200


def health() -> None:
    """Ask the service on the configured address whether it is ready (exit code 0 or 1)."""
    status, text = ask(settled().settings, "/readyz")
    typer.echo(text)
    raise typer.Exit(0 if status == _FINE else 1)


def ask(settings: Settings, path: str) -> tuple[int, str]:
    """Status and text of what the service on the configured address answers.

    0 and why when it does not.
    """
    import httpx

    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - compared with, not bound to
    try:
        answer = httpx.get(
            f"http://{f'[{host}]' if ':' in host else host}:{settings.port}{path}", timeout=3.0
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return 0, f"no answer ({type(error).__name__})"
    return answer.status_code, answer.text
