"""The tables, one module per subject, once for SQLite and PostgreSQL.

Unique keys are the promise: an event, a visit, a device, a decision, a coupon of a decision and a
redemption of a single-use code exist once because the database says so, not because code checks
first. `metadata` holds every table: the modules of this folder are found by scanning.
"""

from __future__ import annotations

import importlib
import pkgutil

from geofence.backends.sql.schema.columns import metadata

__all__ = ["metadata"]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
