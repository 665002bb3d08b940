"""A site over 1,000 run folders: the first time, when nothing has changed, and when one run is new. Goal: seconds.

    python bench/site.py [RUNS]

The run folders are small ones, with a report of 60 kB and 140 kB of other files each, made beforehand.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gameday.runner.site import Built, build_site
from tests.fakes.many_runs import NOW, write_many

GOAL_SECONDS = 10.0


def timed(site: Path, runs: Path) -> tuple[float, Built]:
    begun = time.perf_counter()
    built = build_site(site, [runs], now=NOW, stale_days=30)
    return time.perf_counter() - begun, built


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    with tempfile.TemporaryDirectory() as folder:
        runs, site = Path(folder) / "runs", Path(folder) / "site"
        made = write_many(runs, runs=count, report_bytes=60_000)
        first, built = timed(site, runs)
        again, same = timed(site, runs)
        (made[0] / "verdict.json").write_bytes((made[0] / "verdict.json").read_bytes() + b"\n")
        one, changed = timed(site, runs)
        sizes = {path.name: path.stat().st_size for path in sorted(site.iterdir()) if path.is_file()}
    print(f"{count} runs: first {first:.2f} s ({built.changed} files), nothing changed {again:.2f} s ({same.changed} files), "
          f"one changed {one:.2f} s ({changed.read} read, {changed.changed} files)")  # fmt: skip
    print(", ".join(f"{name} {size / 1000:,.0f} kB" for name, size in sizes.items()))
    print(f"goal: the first within {GOAL_SECONDS:.0f} s: {'met' if first <= GOAL_SECONDS else 'MISSED'}")
    return 0 if first <= GOAL_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
