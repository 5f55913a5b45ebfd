"""Finds modules by scanning packages; `regions.plugins` finds the members of a family."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from regions.plugins import discover

__all__ = ["discover", "modules_named"]


def modules_named(package: ModuleType, name: str) -> Iterator[ModuleType]:
    """The modules of that name in the folders right below a package; no other module is loaded."""
    for entry in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        full_name = f"{entry.name}.{name}"
        if entry.ispkg and importlib.util.find_spec(full_name) is not None:
            yield importlib.import_module(full_name)
