"""`geofence keys`: list, create, revoke. Works beside a running service, too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import msgspec
import typer

from api.cli.main import BAD_RECORD, BAD_SETTING, AsJson, settled
from geofence.clock import SystemClock
from geofence.errors import GeofenceError
from geofence.model.account import SCOPES, Key, Scope
from geofence.ports.database import Database
from geofence.ports.listing import every

keys = typer.Typer(
    name="keys",
    no_args_is_help=True,
    add_completion=False,
    help="List, create and revoke API keys.",
)
ProjectId = Annotated[
    str | None, typer.Option("--project", help="the project's id; needed when there are several")
]


@keys.command("list")
def list_keys(project: ProjectId = None, as_json: AsJson = False) -> None:
    """List the keys of a project; secrets are not kept."""
    with _record() as database:
        found = every(database.queries.keys, _project_id(database, project))
    rows = [
        {
            "id": key.id,
            "kind": key.kind,
            "scopes": list(key.scopes),
            "name": key.name,
            "ends": key.tail,
            "revoked": key.revoked_ms is not None,
        }
        for key in found
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    for key in found:
        state = "revoked" if key.revoked_ms is not None else "active"
        typer.echo(
            f"{key.id}  {key.kind}_...{key.tail}  {','.join(key.scopes):27}  {state:7}  {key.name}"
        )


@keys.command()
def create(
    project: ProjectId = None,
    kind: Annotated[str, typer.Option(help="sk (secret) or pk (publishable)")] = "sk",
    scope: Annotated[
        list[str] | None,
        typer.Option(help="ingest, manage, redeem, read; may be repeated (default: all)"),
    ] = None,
    name: Annotated[str, typer.Option(help="to tell it from the others")] = "",
    as_json: AsJson = False,
) -> None:
    """Create a key and print its secret, this once."""
    from geofence.people.keys import make_key

    if kind not in SCOPES or not set(scope or ()) <= set(SCOPES[kind]):
        typer.echo(
            f"a key is sk with any of {', '.join(SCOPES['sk'])}, or pk with ingest", err=True
        )
        raise typer.Exit(BAD_SETTING)
    with _record() as database:
        key, secret = make_key(
            _project_id(database, project),
            "pk" if kind == "pk" else "sk",
            SystemClock().now_ms(),
            scopes=msgspec.convert(scope, tuple[Scope, ...] | None),
            name=name,
        )
        _put(database, key)
    typer.echo(json.dumps({"id": key.id, "secret": secret}) if as_json else secret)


@keys.command()
def revoke(
    key_id: Annotated[
        str, typer.Argument(metavar="KEY", help="its id, as `geofence keys list` shows it")
    ],
    project: ProjectId = None,
) -> None:
    """Revoke a key; it takes effect in a running service within two seconds."""
    with _record() as database:
        key = next(
            (
                one
                for one in every(database.queries.keys, _project_id(database, project))
                if one.id == key_id
            ),
            None,
        )
        if key is None:
            typer.echo("there is no key of that id", err=True)
            raise typer.Exit(1)
        if key.revoked_ms is None:
            _put(database, msgspec.structs.replace(key, revoked_ms=SystemClock().now_ms()))
    typer.echo(f"{key_id} is revoked")


@contextmanager
def _record() -> Iterator[Database]:
    from api.database import reach_database

    try:
        database = reach_database(settled().settings, writer=False)
        try:
            yield database
        finally:
            database.close()
    except GeofenceError as error:
        typer.echo(error.detail, err=True)
        raise typer.Exit(BAD_RECORD) from None


def _project_id(database: Database, wanted: str | None) -> str:
    found = [project.id for project in database.queries.projects()]
    if wanted in found:
        return wanted or ""
    if wanted is None and len(found) == 1:
        return found[0]
    typer.echo(
        "name one with --project: " + ", ".join(found)
        if found
        else "there is no project yet: run `geofence serve` once",
        err=True,
    )
    raise typer.Exit(BAD_SETTING)


def _put(database: Database, key: Key) -> None:
    with database.begin() as unit:
        unit.accounts.put_key(key)
        unit.commit()
