"""Finds the members of a family by scanning its package; `regions.plugins` does the work."""

from __future__ import annotations

from regions.plugins import discover

__all__ = ["discover"]
