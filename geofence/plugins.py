"""Finds plug-ins by scanning packages.

One new member is one new file; no list of members has to be kept.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator
from types import ModuleType


def discover(package: ModuleType) -> dict[str, ModuleType]:
    """The members below a package by their constant `NAME`, sorted.

    A member is a module with `NAME`, or a folder whose `__init__` has it; modules inside such a
    folder are not imported. A module without `NAME` serves the members and is none itself.

    Raises:
        ValueError: Two members have one name.
    """
    found: dict[str, ModuleType] = {}
    for module in _members(package):
        if module.NAME in found:
            other = found[module.NAME].__name__
            raise ValueError(f"{module.__name__} and {other} are both called {module.NAME}")
        found[module.NAME] = module
    return dict(sorted(found.items()))


def modules_named(package: ModuleType, name: str) -> Iterator[ModuleType]:
    """The modules of that name in the folders right below a package; no other module is loaded."""
    for entry in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        full_name = f"{entry.name}.{name}"
        if entry.ispkg and importlib.util.find_spec(full_name) is not None:
            yield importlib.import_module(full_name)


def _members(package: ModuleType) -> Iterator[ModuleType]:
    for entry in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(entry.name)
        if isinstance(getattr(module, "NAME", None), str):
            yield module
        elif entry.ispkg:
            yield from _members(module)
