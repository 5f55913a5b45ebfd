"""The `geofence` command. Exit codes: 0 done, 1 failed, 2 a setting or an argument cannot be used, 3 the record refused."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from api.settings import Loaded, SettingError, load
from api.version import our_version

BAD_SETTING, BAD_RECORD = 2, 3

AsJson = Annotated[bool, typer.Option("--json", help="for machines")]


class Late(TyperGroup):
    """Commands whose modules are imported when they are asked for, so that `geofence serve` loads no file readers."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Every command by name."""
        return sorted([*super().list_commands(ctx), *_LATE])

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name."""
        found = _LATE.get(cmd_name)
        if found is None:
            return super().get_command(ctx, cmd_name)
        command = typer.main.get_command(found())
        command.name = cmd_name  # not that of the function: `import` is none that Python lets one have
        return command


app = typer.Typer(name="geofence", cls=Late, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


def main() -> None:
    """Run the command line."""
    # scripts start what they put into the background with SIGINT ignored; every command ends on it all the same, as `serve` does
    signal.signal(signal.SIGINT, signal.default_int_handler)
    app()


def settled(**given: Any) -> Loaded:
    """The settings, or an end with a clear word; unknown `GEOFENCE_*` variables are warned about."""
    try:
        loaded = load(os.environ, **given)
    except SettingError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(BAD_SETTING) from None
    for name in loaded.unknown:
        typer.echo(f"{name} is no setting; see `geofence settings`", err=True)
    return loaded


@app.callback(invoke_without_command=True)
def geofence(version: Annotated[bool, typer.Option("--version", help="print the version and end")] = False) -> None:
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
    from api.serving import serve as run
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


def _keys() -> typer.Typer:
    from api.cli_keys import keys

    return keys


def _doctor() -> typer.Typer:
    from api.cli_doctor import doctor

    return _alone(doctor)


def _health() -> typer.Typer:
    from api.cli_doctor import health

    return _alone(health)


def _replay() -> typer.Typer:
    from api.replay import replay

    return _alone(replay)


def _import() -> typer.Typer:
    from api.cli_import import bring

    return _alone(bring)


def _export() -> typer.Typer:
    from api.cli_import import take

    return _alone(take)


def _demo() -> typer.Typer:
    from api.demo import demo

    return _alone(demo)


def _worker() -> typer.Typer:
    from api.cli_worker import worker

    return _alone(worker)


def _simulate() -> typer.Typer:
    from api.cli_simulate import simulate_command

    return _alone(simulate_command)


def _sandbox() -> typer.Typer:
    from api.sandbox.command import sandbox

    return _alone(sandbox)


def _alone(command: Callable[..., Any]) -> typer.Typer:
    one = typer.Typer(add_completion=False)
    one.command()(command)
    return one


_LATE: dict[str, Callable[[], typer.Typer]] = {
    "keys": _keys,
    "doctor": _doctor,
    "health": _health,
    "replay": _replay,
    "import": _import,
    "export": _export,
    "demo": _demo,
    "worker": _worker,
    "sandbox": _sandbox,
    "simulate": _simulate,
}
