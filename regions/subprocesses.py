"""Starts modules of ours in processes of their own, which end together with their parent."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_PASSED = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def command(module: str, *arguments: str) -> list[str]:
    """What starts a module of ours."""
    return [sys.executable, "-m", module, *arguments]


def environment() -> dict[str, str]:
    """An environment without secrets that finds our modules and keeps libraries to one core."""
    passed = {name: os.environ[name] for name in _PASSED if name in os.environ}
    return {**passed, "PYTHONPATH": str(_ROOT), "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def end_with_parent() -> None:
    """Called first by such a process: its output has no reader once its parent has ended."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
