"""The columns and indexes of the tables, the same for SQLite and PostgreSQL."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

metadata = sa.MetaData()

Json = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def key(name: str) -> sa.Column[str]:
    """A text of the primary key."""
    return sa.Column(name, sa.String, primary_key=True)


def text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    """A text."""
    return sa.Column(name, sa.String, nullable=nullable)


def number(name: str, *, nullable: bool = False) -> sa.Column[float]:
    """A real number."""
    return sa.Column(name, sa.Float, nullable=nullable)


def count(name: str) -> sa.Column[int]:
    """An integer that begins at 0."""
    return sa.Column(name, sa.Integer, nullable=False, server_default="0")


def flag(name: str) -> sa.Column[bool]:
    """A truth value that begins as false."""
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())


def time_ms(name: str, *, nullable: bool = False) -> sa.Column[int]:
    """A time (epoch ms UTC)."""
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def document(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    """A JSON document (JSONB on PostgreSQL)."""
    return sa.Column(name, Json, nullable=nullable)


def index_where(name: str, condition: str, *columns: str, unique: bool = False) -> sa.Index:
    """An index of the rows that meet a condition."""
    where = sa.text(condition)
    return sa.Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)
