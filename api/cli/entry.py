"""Where the `geofence` command begins.

Health checks run every few seconds, so `geofence health` takes a short way that loads no command
line library and no database.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line."""
    words = sys.argv[1:]
    if words in (["health"], ["health", "--worker"]):
        from api.cli.health import report

        sys.exit(report(worker="--worker" in words))
    from api.cli.main import main as every_command

    every_command()
