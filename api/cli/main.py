"""The `geofence` command.

Exit codes: 0 done, 1 failed, 2 a setting or an argument cannot be used, 3 the record refused.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
from collections.abc import Callable
from types import ModuleType
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from api.settings import Loaded, SettingError, load
from api.version import our_version

BAD_SETTING, BAD_RECORD = 2, 3
# the extra that installs a library
EXTRAS = {"aiosmtpd": "sandbox", "cryptography": "sandbox"}

AsJson = Annotated[bool, typer.Option("--json", help="for machines")]


class Late(TyperGroup):
    """Commands whose modules are imported when they run.

    So `geofence serve` loads no file readers, and `--help` no database.
    """

    def list_commands(self, ctx: Any) -> list[str]:
        """Every command by name."""
        return sorted([*super().list_commands(ctx), *LATE])

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name; of a late one no more than its line in the list of commands."""
        later = LATE.get(cmd_name)
        return (
            super().get_command(ctx, cmd_name)
            if later is None
            else TyperCommand(cmd_name, help=later.line)
        )

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is to run, with its name and arguments."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, LATE[name].load(name) if name in LATE else command, rest


class Later(NamedTuple):
    """Where a command is to be found, and what `--help` says of it.

    The first paragraph of its own help.
    """

    module: str
    attribute: str
    line: str

    def load(self, name: str) -> Any:
        """The command itself."""
        found = getattr(_imported(self.module), self.attribute)
        command = typer.main.get_command(found if isinstance(found, typer.Typer) else _alone(found))
        command.name = name  # not that of the function: `import` is none that Python lets one have
        return command


app = typer.Typer(
    name="geofence",
    cls=Late,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command line."""
    # scripts start what they put into the background with SIGINT ignored; every command ends on it
    # all the same, as `serve` does
    signal.signal(signal.SIGINT, signal.default_int_handler)
    app()


def settled(**given: Any) -> Loaded:
    """The settings, or an end with a clear word.

    Unknown `GEOFENCE_*` variables are warned about.
    """
    try:
        loaded = load(os.environ, **given)
    except SettingError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(BAD_SETTING) from None
    for name in loaded.unknown:
        typer.echo(f"{name} is no setting; see `geofence settings`", err=True)
    return loaded


@app.callback(invoke_without_command=True)
def geofence(
    version: Annotated[bool, typer.Option("--version", help="print the version and end")] = False,
) -> None:
    """Location triggers for retail: from a ping to one offer."""
    if version:
        typer.echo(our_version())
        raise typer.Exit


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="address to listen on (GEOFENCE_HOST)")] = None,
    port: Annotated[int | None, typer.Option(help="port to listen on (GEOFENCE_PORT)")] = None,
) -> None:
    """Run the service."""
    settings = settled(host=host, port=port).settings
    from api.logs import set_up_logs
    from api.server.server import serve as run
    from geofence.errors import GeofenceError

    set_up_logs(settings.log_level, settings.log_format)
    try:
        listened = run(settings, typer.echo)
    except SettingError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(BAD_SETTING) from None
    except GeofenceError as error:
        typer.echo(error.detail, err=True)
        raise typer.Exit(BAD_RECORD) from None
    raise typer.Exit(0 if listened else 1)


@app.command()
def health(
    worker: Annotated[
        bool, typer.Option("--worker", help="ask the worker's own port (GEOFENCE_WORKER_PORT)")
    ] = False,
) -> None:
    """Ask the service on the configured address whether it is ready (exit code 0 or 1)."""
    from api.cli.health import report

    raise typer.Exit(report(worker=worker))


@app.command()
def settings(as_json: AsJson = False) -> None:
    """Print every setting with its value, default, unit and source."""
    shown = list(settled().shown())
    if as_json:
        typer.echo(json.dumps([one._asdict() for one in shown], indent=1))
        return
    for one in shown:
        unit = f" {one.unit}" if one.unit else ""
        typer.echo(f"{one.name} = {one.value or '(empty)'}{unit}  [{one.source}]")
        typer.echo(f"    {one.doc} (default: {one.default or 'empty'})")


def _imported(module: str) -> ModuleType:
    """The module, or an end that names the extra which installs what it needs."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        typer.echo(
            f"This needs {error.name}, which is not installed: pip install 'geofence[{extra}]'",
            err=True,
        )
        raise typer.Exit(BAD_SETTING) from None


def _alone(command: Callable[..., Any]) -> typer.Typer:
    one = typer.Typer(add_completion=False)
    one.command()(command)
    return one


LATE: dict[str, Later] = {
    "demo": Later(
        "api.demo.command",
        "demo",
        "Show an invented town in which people hear from the stores they pass, live.",
    ),
    "doctor": Later(
        "api.cli.doctor",
        "doctor",
        "Check Python, libraries, database, disk, clock, channels and port.",
    ),
    "export": Later(
        "api.cli.transfer",
        "take",
        "Write all stores or geofences of a running service into a file.",
    ),
    "import": Later(
        "api.cli.transfer",
        "bring",
        "Bring a file of stores or geofences into a running service.",
    ),
    "keys": Later("api.cli.keys", "keys", "List, create and revoke API keys."),
    "replay": Later(
        "api.cli.replay",
        "replay",
        "Post a recorded walk to a running service, in the order of time.",
    ),
    "sandbox": Later(
        "api.sandbox.command",
        "sandbox",
        "Run a local push provider and mail relay, and show pushes and mails as they arrive.",
    ),
    "simulate": Later(
        "api.cli.simulate",
        "simulate_command",
        "Write pings of invented people, the geofences they meet, and the visits they truly make.",
    ),
    "worker": Later(
        "api.cli.worker",
        "worker",
        "Deliver messages (PostgreSQL only; on SQLite `serve` does). Ends in order on SIGTERM.",
    ),
}
