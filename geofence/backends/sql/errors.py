"""Errors of the database as `RecordError`, without the row they are about.

A driver quotes rows ("Failing row contains (..., 48.1, 11.5)") and values. Only the kind of refusal
and the name of the constraint are kept, in the `RecordError` and in the driver's own error, which a
traceback prints below it.
"""

from __future__ import annotations

import sqlite3

import psycopg
import sqlalchemy as sa
from sqlalchemy.engine import ExceptionContext

from geofence.errors import GeofenceError, InputError, RecordError

_UNSTORABLE = (OverflowError, UnicodeError, sqlite3.DataError, psycopg.DataError)

_ITS_OWN = (
    "08",
    "53",
    "57",
    "58",
)  # connection, resources, operator, system (PostgreSQL, appendix A)
_FILE_FAULTS = ("full", "I/O", "readonly", "unable to open")


def listen(engine: sa.Engine) -> None:
    """Let every statement, connect and commit of this engine raise `RecordError`.

    `InputError` for values that no database stores.
    """
    sa.event.listen(engine, "handle_error", _translated, retval=True)


def named(error: sa.exc.SQLAlchemyError) -> RecordError:
    """What SQLAlchemy itself refused, such as a connection that did not come free in time."""
    return RecordError(f"The database refused ({type(error).__name__}).")


def _translated(context: ExceptionContext) -> BaseException | None:
    error = context.original_exception
    if isinstance(error, GeofenceError) or not isinstance(error, Exception):
        return None
    if isinstance(error, _UNSTORABLE):
        _blank(error)
        return InputError(
            "A value cannot be stored: a number out of range, or a text with a character no"
            " database keeps."
        )
    if isinstance(error, (sqlite3.Error, psycopg.Error)):
        safe, lasting = _safe(error), _lasting(error)
        _blank(error, safe)
        refused = RecordError(f"The database refused ({safe}).")
        refused.lasting = lasting
        return refused
    return None


def _lasting(error: Exception) -> bool:
    """Whether the fault is the database's own: its disk, its memory, the way to it."""
    if isinstance(error, psycopg.Error):
        return isinstance(error, psycopg.OperationalError) and (
            error.sqlstate is None or error.sqlstate[:2] in _ITS_OWN
        )
    return isinstance(error, sqlite3.OperationalError) and any(
        word in str(error) for word in _FILE_FAULTS
    )


def _safe(error: Exception) -> str:
    """The safe part of a driver's message.

    SQLite never quotes values, PostgreSQL's primary line only names.
    """
    if isinstance(error, psycopg.Error) and error.sqlstate:
        constraint = error.diag.constraint_name
        return f"{type(error).__name__} {error.sqlstate}" + (
            f": {constraint}" if constraint else ""
        )
    first_line = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {first_line}"


def _blank(error: Exception, safe: str = "") -> None:
    if not isinstance(
        error, UnicodeError
    ):  # its parts live outside `args` and name a place in the text, not the text
        error.args = (safe,)
