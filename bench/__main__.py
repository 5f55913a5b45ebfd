"""`make bench`.

Every bench in turn, its table on the terminal, its figures in `bench/results/<date>-<name>.json`.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
WRITES_JSON = ("locate", "imports", "start", "ingest", "detection", "hint")
PRINTS = ("deliver",)


def main() -> int:
    """Run them; the first failure's exit code, or 0."""
    today = datetime.now(UTC).date().isoformat()
    for name in (*WRITES_JSON, *PRINTS):
        print(f"\n== {name}", flush=True)
        more = ["--json", str(RESULTS / f"{today}-{name}.json")] if name in WRITES_JSON else []
        ended = subprocess.run(
            [sys.executable, "-m", f"bench.{name}", *more], check=False, cwd=RESULTS.parent.parent
        )
        if ended.returncode:
            return ended.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
