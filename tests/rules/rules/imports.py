"""Who may import whom."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.rules.rules.source import FLOORS, Wrong, name_of, python_files, tree_of, wrong

STEPS = ("normalise", "locate", "track", "decide", "compose", "deliver")

# The longest prefix of a module's name says what of ours it may import; its own drawer is always
# allowed.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "regions": ("regions",),
    "geofence": ("geofence", "regions"),
    "geofence.model": ("geofence.model",),
    "geofence.errors": (),
    "geofence.ids": (),
    "geofence.clock": (),
    "geofence.offers.triggers": ("geofence.model",),
    "geofence.offers.gates": ("geofence.model", "geofence.delivery.reach"),
    "geofence.delivery": (
        "geofence.model",
        "geofence.errors",
        "geofence.plugins",
        "geofence.templates",
    ),
    "geofence.backends": ("geofence.model", "geofence.ports", "geofence.errors", "geofence.ids"),
    "geofence.simulate": ("geofence.model",),
    "api": ("api", "geofence", "regions"),
}

# The rooms of `geofence/`, by rank: a room imports only rooms of ranks before its own.
ROOMS: tuple[tuple[str, ...], ...] = (
    ("errors", "clock", "ids", "limits", "plugins"),
    ("model",),
    ("ports",),
    ("idempotency", "templates"),
    ("places", "people"),
    ("detection", "delivery"),
    ("offers", "hints", "trips"),
    ("street",),
    ("importing", "insight"),
)
# Backends answer the ports, simulated phones know the model alone: `MAY_IMPORT` bounds both.
OUTSIDE_THE_ORDER = ("", "backends", "simulate")

# Only these may name a backend; the street asks its ports.
NAMES_BACKENDS = ("api.bootstrap", "api.database", "geofence.backends")

_CLIENTS = ("requests", "urllib3", "aiohttp", "pycurl", "http.client", "urllib.request")
ONLY_IN: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("h3", "shapely", "pyproj", "geopandas", "pyogrio"), ("regions",)),
    **dict.fromkeys(
        (
            "fastapi",
            "starlette",
            "pydantic",
            "typer",
            "click",
            "rich",
            "uvicorn",
            "aiomqtt",
            "paho",
        ),
        ("api",),
    ),
    **dict.fromkeys(
        ("sqlalchemy", "alembic", "psycopg", "asyncpg", "redis", "valkey"), ("geofence.backends",)
    ),
    "sqlite3": (
        "geofence.backends",
        "regions.readers.binary.geopackage_schema",
    ),  # a GeoPackage is a database, and somebody else's
    **dict.fromkeys(("pyfcm", "smtplib", "standardwebhooks", *_CLIENTS), ("geofence.delivery",)),
    # a health check runs every few seconds: the standard library loads in a tenth of httpx's time
    "http.client": ("geofence.delivery", "api.cli.health"),
    "httpx": ("geofence.delivery", "api"),  # the command line is a client of our own doors
    "aiosmtpd": ("api",),  # the sandbox's mail server is a door, too
    **dict.fromkeys(("pyarrow", "defusedxml"), ("api", "regions.readers")),
    "gpxpy": (),
}


class Import(NamedTuple):
    """One imported module, absolute, with the names taken from it spelled out."""

    name: str
    line: int


def imports_of(path: Path, module: str) -> Iterator[Import]:
    """Every import of a file, those inside functions and relative ones included."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = (
                package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            )
            origin = ".".join([*above, *([node.module] if node.module else [])])
            yield from (Import(f"{origin}.{alias.name}", node.lineno) for alias in node.names)


def within(name: str, prefixes: tuple[str, ...]) -> bool:
    """Whether a dotted name is one of these, or inside one of them."""
    return any(name == prefix or name.startswith(prefix + ".") for prefix in prefixes)


def _longest(module: str, table: dict[str, tuple[str, ...]]) -> str:
    return max((key for key in table if within(module, (key,))), key=len)


def floors_keep_their_order(root: Path) -> Iterator[Wrong]:
    """`api` -> `geofence` -> `regions`, and the narrower rules of the drawers."""
    for path in python_files(root, *FLOORS):
        module = name_of(root, path)
        home = _longest(module, MAY_IMPORT)
        for imported in imports_of(path, module):
            ours = within(imported.name, (*FLOORS, "tests", "bench"))
            if ours and not within(imported.name, (*MAY_IMPORT[home], home)):
                yield wrong(root, path, imported.line, f"{home} may not import {imported.name}")


def rooms_import_only_rooms_before_them(root: Path) -> Iterator[Wrong]:
    """Inside `geofence/` a room imports itself and rooms of earlier ranks, so no cycle can form."""
    rank = {room: number for number, rooms in enumerate(ROOMS) for room in rooms}
    for path in python_files(root, "geofence"):
        module = name_of(root, path)
        room = _room(module)
        if room in OUTSIDE_THE_ORDER:
            continue
        if room not in rank:
            yield wrong(root, path, 1, f"the room {room} has no place in the order of rooms")
            continue
        for imported in imports_of(path, module):
            other = _room(imported.name)
            if other in rank and other != room and rank[other] >= rank[room]:
                yield wrong(root, path, imported.line, f"{room} may not import {imported.name}")


def _room(module: str) -> str:
    """`geofence.offers.gates.cap` stands in `offers`; a module outside `geofence` in none."""
    first, _, rest = module.partition(".")
    return rest.partition(".")[0] if first == "geofence" and rest else ""


def a_step_imports_no_other_step(root: Path) -> Iterator[Wrong]:
    """Only `pipeline` and `worker` know the order of the street."""
    for step in STEPS:
        path = root / "geofence" / "street" / f"{step}.py"
        if not path.exists():
            continue
        others = tuple(
            f"geofence.street.{other}" for other in (*STEPS, "pipeline", "worker") if other != step
        )
        for imported in imports_of(path, f"geofence.street.{step}"):
            if within(imported.name, others):
                yield wrong(
                    root, path, imported.line, f"a step may not import another: {imported.name}"
                )


def only_bootstrap_names_a_backend(root: Path) -> Iterator[Wrong]:
    """Everything else asks the ports."""
    for path in python_files(root, *FLOORS):
        module = name_of(root, path)
        for imported in imports_of(path, module):
            if within(imported.name, ("geofence.backends",)) and not within(module, NAMES_BACKENDS):
                yield wrong(
                    root,
                    path,
                    imported.line,
                    f"only api/bootstrap.py and api/database.py name a backend, not {module}",
                )


def libraries_stay_in_their_rooms(root: Path) -> Iterator[Wrong]:
    """Each outside library is imported in one place only."""
    for path in python_files(root, *FLOORS):
        module = name_of(root, path)
        for imported in imports_of(path, module):
            library = next((name for name in ONLY_IN if within(imported.name, (name,))), None)
            if library and not within(module, ONLY_IN[library]):
                yield wrong(
                    root,
                    path,
                    imported.line,
                    f"{library} belongs in {', '.join(ONLY_IN[library]) or 'tests'},"
                    f" not in {module}",
                )
