"""Every setting, declared once: name, default, unit and meaning.

Read from the environment or from one TOML file.
"""

from __future__ import annotations

import dataclasses
import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

PREFIX = "GEOFENCE_"


class SettingError(ValueError):
    """A setting has a value that cannot be used; the text names it and says what would do."""


def _setting(
    default: Any,
    doc: str,
    *,
    unit: str = "",
    choices: tuple[str, ...] = (),
    at_least: int | None = None,
    at_most: int | None = None,
    starts: str = "",
    secret: bool = False,
    check: Callable[[str], object] | None = None,
) -> Any:
    facts = {
        "doc": doc,
        "unit": unit,
        "choices": choices,
        "at_least": at_least,
        "at_most": at_most,
        "starts": starts,
        "secret": secret,
        "check": check,
    }
    return dataclasses.field(default=default, metadata=facts)


def _proxies(**given: str) -> None:
    from api.http.proxy import Proxies  # only where it is set: `geofence health` loads little

    Proxies(**given)


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator may choose.

    Each field is the variable `GEOFENCE_<NAME>` and the key `<name>` of the TOML file.
    """

    database_url: str = _setting(
        "sqlite:///data/geofence.sqlite",
        "the record: `sqlite:///path` or `postgresql://user:password@host/name`",
        unit="URL",
    )
    host: str = _setting("127.0.0.1", "the address `serve` listens on", unit="address")
    port: int = _setting(
        8000,
        "the port `serve` listens on; 0 takes any free one",
        unit="port",
        at_least=0,
        at_most=65_535,
    )
    public_url: str = _setting(
        "",
        "how the outside reaches this service, for links; empty: the address it listens on",
        unit="URL",
    )
    root_path: str = _setting(
        "",
        "the path below which a reverse proxy shows the service, such as `/geofence`",
        unit="path",
        check=lambda path: _proxies(root_path=path),
    )
    trusted_proxies: str = _setting(
        "",
        "addresses and networks (`10.0.0.0/8`, by commas) whose `X-Forwarded-*` headers count",
        unit="networks",
        check=lambda networks: _proxies(trusted=networks),
    )
    fcm_credentials: str = _setting(
        "", "the service account file of Firebase; empty: no push", unit="path"
    )
    fcm_endpoint: str = _setting(
        "https://fcm.googleapis.com",
        "where pushes are handed over; the sandbox prints its own",
        unit="URL",
    )
    smtp_url: str = _setting(
        "",
        "the mail relay: `smtp://`, `smtps://` or `smtp+starttls://user:password@host:port`; "
        "empty: no e-mail",
        unit="URL",
    )
    email_from: str = _setting(
        "offers@localhost",
        "the sender of e-mails: an address, or a name with one in angle brackets",
    )
    deliver: str = _setting(
        "auto",
        "who delivers: `auto` (on SQLite `serve`, else `geofence worker`) or `serve`",
        choices=("auto", "serve"),
    )
    worker_port: int = _setting(
        8001,
        "the port of the worker's own health and metrics, on `GEOFENCE_HOST`; 0 takes any free one",
        unit="port",
        at_least=0,
        at_most=65_535,
    )
    outbox_late_s: int = _setting(
        300,
        "how long the oldest due message may wait before `/readyz` names the outbox",
        unit="seconds",
        at_least=1,
    )
    clock: str = _setting(
        "system",
        "`system`, or `pings` (now is the newest ping: replay, demo, tests)",
        choices=("system", "pings"),
    )
    dev_key: str = _setting(
        "",
        "fixes the secret key of the first project, for demos and tests",
        starts="sk_",
        secret=True,
    )
    config: str = _setting(
        "", "a TOML file with any of these settings; the environment wins over it", unit="path"
    )
    log_level: str = _setting(
        "info",
        "the least grave log line that is written",
        choices=("debug", "info", "warning", "error"),
    )
    log_format: str = _setting(
        "auto",
        "`json`, `console`, or `auto`: console on a terminal",
        choices=("auto", "json", "console"),
    )
    access_log: str = _setting(
        "off",
        "`on` writes one line for each request: method, route, status, ms, request id, key id",
        choices=("off", "on"),
    )
    max_body_bytes: int = _setting(
        8 * 1024 * 1024, "the largest request body", unit="bytes", at_least=1024, at_most=1 << 30
    )
    max_items: int = _setting(
        10_000, "the most pings in one request", unit="pings", at_least=1, at_most=1_000_000
    )
    queue_limit: int = _setting(
        100_000,
        "pings that may wait for the writer before 503 is answered",
        unit="pings",
        at_least=1,
    )
    sse_keepalive_s: int = _setting(
        15, "silence on an event stream after which a comment is sent", unit="seconds", at_least=1
    )


class Shown(NamedTuple):
    """One setting as `geofence settings` prints it; secrets are masked."""

    name: str
    value: str
    default: str
    unit: str
    source: str
    doc: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, their sources (`default`, `environment` or the file), and unknown names."""

    settings: Settings
    sources: Mapping[str, str]
    unknown: tuple[str, ...]

    def shown(self) -> Iterator[Shown]:
        """Every setting, ready to print."""
        for field in dataclasses.fields(Settings):
            value = masked(field, getattr(self.settings, field.name))
            source = self.sources.get(field.name, "default")
            yield Shown(
                variable(field.name),
                value,
                str(field.default),
                field.metadata["unit"],
                source,
                field.metadata["doc"],
            )


def declarations() -> tuple[dataclasses.Field[Any], ...]:
    """The declared settings in order; tests compare the documentation with them."""
    return dataclasses.fields(Settings)


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()


def load(environment: Mapping[str, str] = os.environ, **given: Any) -> Loaded:
    """The settings by rising precedence: defaults, TOML file, environment, command line.

    Args:
        environment: Variables; only those that begin with `GEOFENCE_` are read.
        given: What the command line gave; None means not given.

    Raises:
        SettingError: A value cannot be used.
    """
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    unknown: list[str] = []
    fields = {field.name: field for field in dataclasses.fields(Settings)}
    for source, offered in _offered(environment, given):
        unknown += [_unknown(name, source) for name in offered if name not in fields]
        known = {name: value for name, value in offered.items() if name in fields}
        values |= {name: _read(fields[name], value) for name, value in known.items()}
        sources |= dict.fromkeys(known, source)
    return Loaded(Settings(**values), sources, tuple(unknown))


def _offered(
    environment: Mapping[str, str], given: Mapping[str, Any]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Sources by rising precedence, each with what it says by name."""
    path = environment.get(variable("config"), "")
    yield path, _file(path)
    variables = ((name, value) for name, value in environment.items() if name.startswith(PREFIX))
    yield "environment", {name.removeprefix(PREFIX).lower(): value for name, value in variables}
    yield "command line", {name: value for name, value in given.items() if value is not None}


def _unknown(name: str, source: str) -> str:
    return variable(name) if source == "environment" else f"{name} in {source}"


def masked(field: dataclasses.Field[Any], value: Any) -> str:
    """A setting's value without its secrets.

    A key shows its last four characters, a URL no password.
    """
    text = str(value)
    if field.metadata["secret"] and text:
        return f"...{text[-4:]}"
    if field.metadata["unit"] == "URL" and "@" in text:
        parts = urlsplit(text)
        where = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{parts.username or ''}:***@{where}", query=""))
    return text


def _file(path: str) -> Mapping[str, Any]:
    if not path:
        return {}
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(f"GEOFENCE_CONFIG: {path} cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise SettingError(f"GEOFENCE_CONFIG: {path} is not TOML ({error})") from error


def _read(field: dataclasses.Field[Any], value: Any) -> Any:
    name, facts = variable(field.name), field.metadata
    if field.type == "int":
        return _whole(name, facts, value)
    if not isinstance(value, str):
        raise SettingError(f"{name} must be text")
    if facts["choices"] and value not in facts["choices"]:
        raise SettingError(f"{name} must be one of {', '.join(facts['choices'])}")
    if value and not value.startswith(facts["starts"]):
        raise SettingError(f"{name} must start with {facts['starts']}")
    if value and facts["check"] is not None:
        try:
            facts["check"](value)
        except ValueError as error:
            raise SettingError(f"{name} {error}") from None
    return value


def _whole(name: str, facts: Mapping[str, Any], value: Any) -> int:
    try:
        number = int(str(value))
    except ValueError:
        raise SettingError(f"{name} must be a whole number ({facts['unit']})") from None
    low, high = facts["at_least"], facts["at_most"]
    if (low is not None and number < low) or (high is not None and number > high):
        raise SettingError(
            f"{name} must be at least {low}"
            if high is None
            else f"{name} must be between {low} and {high}"
        )
    return number
