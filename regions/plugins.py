"""Finds the members of a family of modules by scanning its package.

One new thing is one new file, and no list to keep.
"""

from __future__ import annotations

import importlib
import pkgutil
from types import ModuleType


def discover(package: ModuleType, *, nested: bool = True) -> dict[str, ModuleType]:
    """The modules below a package that have a constant `NAME`, by that name, sorted.

    A member may be a folder of its own with one such module, unless `nested` is False. A module
    without `NAME` serves its neighbours and is no member. Raises `ValueError` when two claim one
    name.
    """
    scan = pkgutil.walk_packages if nested else pkgutil.iter_modules
    found: dict[str, ModuleType] = {}
    for entry in scan(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(entry.name)
        name = getattr(module, "NAME", None)
        if not isinstance(name, str):
            continue
        if name in found:
            raise ValueError(f"{module.__name__} and {found[name].__name__} are both called {name}")
        found[name] = module
    return dict(sorted(found.items()))
