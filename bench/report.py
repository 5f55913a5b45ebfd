"""What all benches share: clocks of wall and CPU time, and the JSON report with its machine."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

LIBRARIES = ("numpy", "h3", "shapely", "pyproj", "msgspec", "SQLAlchemy", "fastapi", "uvicorn")
_TICKS_S = os.sysconf("SC_CLK_TCK")


class Clock:
    """Seconds of wall and of CPU time since its creation, of this process or of another one."""

    def __init__(self, pid: int | None = None) -> None:
        self._pid = pid
        self._start_s, self._start_cpu_s = time.perf_counter(), self._cpu()

    def wall_s(self) -> float:
        return time.perf_counter() - self._start_s

    def cpu_s(self) -> float:
        return self._cpu() - self._start_cpu_s

    def _cpu(self) -> float:
        return time.process_time() if self._pid is None else cpu_of(self._pid)


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has used, in steps of 10 ms."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_S


def machine() -> dict[str, Any]:
    """The machine and the versions that figures belong to."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "machine": platform.machine(),
        "cpu": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in LIBRARIES},
    }


def write(path: Path | None, bench: str, **figures: Any) -> None:
    """Write a report as JSON, with machine, versions and command; nothing without a path."""
    if path is None:
        return
    report = {"bench": bench, **machine(), "command": command(bench), **figures}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1) + "\n")


def command(bench: str) -> str:
    """The command of this run, without the path of its report."""
    words = sys.argv[1:]
    if "--json" in words:
        at = words.index("--json")
        words = words[:at] + words[at + 2 :]
    return " ".join(["python", "-m", f"bench.{bench}", *words])
