"""Which version this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def our_version() -> str:
    """The version of the installed package."""
    try:
        return version("geofence")
    except PackageNotFoundError:
        return "0+source"  # run from a checkout that was never installed
