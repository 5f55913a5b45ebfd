"""Finds the members of a family of modules by scanning its package.

One new member is one new file; no list of members has to be kept.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType


def discover(package: ModuleType, *, nested: bool = True) -> dict[str, ModuleType]:
    """The members below a package by their constant `NAME`, sorted.

    A member is a module with `NAME`, or a folder whose `__init__` has it; modules inside such a
    folder are not imported. Without `nested`, folders are left out. A module without `NAME` serves
    the members and is none itself.

    Raises:
        ValueError: Two members have one name.
    """
    found: dict[str, ModuleType] = {}
    for module in _members(package, nested):
        if module.NAME in found:
            other = found[module.NAME].__name__
            raise ValueError(f"{module.__name__} and {other} are both called {module.NAME}")
        found[module.NAME] = module
    return dict(sorted(found.items()))


def _members(package: ModuleType, nested: bool) -> Iterator[ModuleType]:
    for entry in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if entry.ispkg and not nested:
            continue
        module = importlib.import_module(entry.name)
        if isinstance(getattr(module, "NAME", None), str):
            yield module
        elif entry.ispkg:
            yield from _members(module, nested)
