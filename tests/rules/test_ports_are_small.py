"""Ports are cut where machines are cut: each has at most eight methods."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Protocol

import pytest

from geofence import ports

MOST = 8


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(ports.__path__):
        yield importlib.import_module(f"{ports.__name__}.{found.name}")


def _ports(module: ModuleType) -> Iterator[type]:
    for _, kind in inspect.getmembers(module, inspect.isclass):
        if kind.__module__ == module.__name__ and getattr(kind, "_is_protocol", False):
            yield kind


def methods_of(port: type) -> list[str]:
    """The methods a backend has to write; properties and a context manager's two are none."""
    return [
        name
        for name, value in vars(port).items()
        if inspect.isfunction(value) and not name.startswith("_")
    ]


@pytest.mark.parametrize("module", list(_modules()), ids=lambda module: module.__name__)
def test_a_module_of_ports_holds_one_port_of_at_most_eight_methods(module: ModuleType) -> None:
    [port] = _ports(module)
    assert 1 <= len(methods_of(port)) <= MOST


def test_a_ninth_method_is_noticed() -> None:
    names = [f"method_{number}" for number in range(MOST + 1)]
    large = type("Large", (Protocol,), {name: lambda _self: None for name in names})
    assert len(methods_of(large)) > MOST


def test_there_is_a_module_for_every_machine() -> None:
    assert {module.__name__.rpartition(".")[2] for module in _modules()} >= {
        *("hot_state", "journal", "places", "accounts", "customers", "campaigns"),
        *("decisions", "coupons", "outbox", "unit", "queries", "database"),
    }
