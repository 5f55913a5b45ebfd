"""Run every bench in turn and write their figures into one file: `make bench`.

    python -m bench [--only locate,imports]

Each bench prints its own table. The last table has the wall and CPU seconds of each. The file
`bench/results/<date>.json` holds the machine, the versions, and per bench its command and figures;
benches that do not run keep their figures of the same day.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.report import machine

RESULTS = Path(__file__).parent / "results"
BENCHES = ("locate", "imports", "start", "ingest", "detection", "hint", "deliver")


def main() -> int:
    """Run the benches; returns the exit code of the first failure, or 0."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default=",".join(BENCHES))
    names = parser.parse_args().only.split(",")
    strange = sorted({*names} - {*BENCHES})
    if strange:
        parser.error(f"unknown: {', '.join(strange)}")
    results = RESULTS / f"{datetime.now(UTC).date().isoformat()}.json"
    found: dict[str, Any] = {}
    for name in names:
        print(f"\n== {name}", flush=True)
        code, found[name] = run(name)
        if code:
            return code
        save(results, {name: found[name]})
    print("\n" + table(found) + f"\nwritten to {results.relative_to(RESULTS.parent.parent)}")
    return 0


def run(name: str) -> tuple[int, dict[str, Any]]:
    """(exit code, figures) of one bench in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        start_s, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        ended = subprocess.run(
            [sys.executable, "-m", f"bench.{name}", "--json", str(report)],
            check=False,
            cwd=RESULTS.parent.parent,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if ended.returncode:
            return ended.returncode, {}
        figures: dict[str, Any] = json.loads(report.read_text())
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return 0, {"wall_s": time.perf_counter() - start_s, "cpu_s": cpu_s, **figures}


def save(path: Path, found: dict[str, Any]) -> None:
    """Add figures to the file of the day."""
    old = json.loads(path.read_text())["benches"] if path.exists() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**machine(), "benches": {**old, **found}}, indent=1) + "\n")


def table(found: dict[str, Any]) -> str:
    """Wall and CPU seconds by bench, with the command that repeats it."""
    lines = [f"{'bench':<10} {'wall s':>8} {'CPU s':>8}  command"]
    for name, one in found.items():
        again = one.get("command", f"python -m bench.{name}")
        lines.append(f"{name:<10} {one['wall_s']:>8.1f} {one['cpu_s']:>8.1f}  {again}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
