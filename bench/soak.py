"""Is the memory of a long run flat, and how much processor does the runner itself use? A real `gameday run`, watched from outside.

    python bench/soak.py [SECONDS]        an hour at 200 arrivals/s by default, then half a minute at 1,000/s

Goals: neither the runner nor the load child grows by more than 10 % from the end of the first tenth to the end, and the runner uses at
most 5 % of a core at 1,000 arrivals/s. The fault is a file that nobody looks at: it is on for as long as the measurement lasts.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

GOAL_CPU = 0.05
GOAL_GROWTH = 1.10
RATE, FAST = 200, 1000
FAST_SECONDS = 30.0
_SETTLE_S = 8.0
_HERTZ = os.sysconf("SC_CLK_TCK")
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6
LOAD_BENCH = Path(__file__).with_name("load.py")


class Usage(NamedTuple):
    """One look at a process."""

    at: float
    cpu_s: float
    rss_mb: float


def look(pid: int) -> Usage:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    resident = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return Usage(time.monotonic(), (int(fields[11]) + int(fields[12])) / _HERTZ, resident * _PAGE_MB)


@contextlib.contextmanager
def server() -> Generator[str]:
    process = subprocess.Popen([sys.executable, LOAD_BENCH, "--serve"], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.kill()
        process.wait()


def experiment(url: str, rate: float, seconds: float, folder: Path) -> Path:
    switch = str(folder / "switch")
    document = {
        "version": 1,
        "title": "Nothing happens for a long time",
        "load": {"target": url, "rate": f"{rate:g}/s", "timeout": "1s", "requests": [{"name": "home", "get": "/"}]},
        "objectives": {"available": {"expect": "p95 < 900ms", "recover": {"within": "3s", "hold": "1s"}}},
        "phases": {"warmup": "1s", "baseline": "2s", "recovery": "4s"},
        "abort": ["errors lose 60s of traffic beyond 90%"],
        "faults": [
            {
                "nothing": {
                    "do": "command",
                    "with": {
                        "run": ["touch", switch],
                        "undo": ["rm", "-f", switch],
                        "active": ["test", "-e", switch],
                    },
                    "at": "0s",
                    "for": f"{seconds:g}s",
                }
            }
        ],
    }
    path = folder / "experiment.yaml"
    path.write_text(json.dumps(document))
    return path


@contextlib.contextmanager
def running(path: Path) -> Generator[tuple[subprocess.Popen[bytes], int]]:
    """Start a run; yield it and the load child's pid once its load is on."""
    folder = path.parent
    process = subprocess.Popen(
        [sys.executable, "-m", "gameday", "run", path, "--output", folder / "runs"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "GAMEDAY_STATE_DIR": str(folder / "state")},
    )
    try:
        yield process, load_pid(folder / "runs", process)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(60)


def load_pid(runs: Path, process: subprocess.Popen[bytes]) -> int:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        for journal in runs.glob("*/journal.ndjson"):
            for line in journal.read_text().splitlines(keepends=True):
                if line.endswith("\n") and json.loads(line)["kind"] == "load-started":
                    return int(json.loads(line)["data"]["pid"])
        time.sleep(0.1)
    raise SystemExit("the run did not start")


def watch(rate: float, seconds: float, every: float) -> tuple[float, float, float]:
    """Run; return the runner's share of a core, and how much the runner and the child grew after the first tenth."""
    with (
        tempfile.TemporaryDirectory() as name,
        server() as url,
        running(experiment(url, rate, seconds, Path(name))) as (process, child),
    ):
        time.sleep(_SETTLE_S)
        looks = [(look(process.pid), look(child))]
        while looks[-1][0].at < looks[0][0].at + seconds - _SETTLE_S and process.poll() is None:
            time.sleep(every)
            with contextlib.suppress(FileNotFoundError):
                looks.append((look(process.pid), look(child)))
                tell(looks)
        code = process.wait(60 + seconds)
    first, settled, last = looks[0], looks[len(looks) // 10], looks[-1]
    cpu = [(last[i].cpu_s - first[i].cpu_s) / (last[i].at - first[i].at) for i in (0, 1)]
    print(
        f"{rate:g}/s for {last[0].at - first[0].at:.0f} s (exit code {code}): runner {cpu[0]:.1%} of a core, "
        f"{first[0].rss_mb:.1f} -> {settled[0].rss_mb:.1f} -> {last[0].rss_mb:.1f} MB; "
        f"load child {cpu[1]:.1%}, {first[1].rss_mb:.1f} -> {settled[1].rss_mb:.1f} -> {last[1].rss_mb:.1f} MB "
        "(first, after a tenth, last)",
        flush=True,
    )
    return cpu[0], last[0].rss_mb / settled[0].rss_mb, last[1].rss_mb / settled[1].rss_mb


def tell(looks: list[tuple[Usage, Usage]]) -> None:
    (runner, child), (runner_before, child_before) = looks[-1], looks[-2]
    took = runner.at - runner_before.at
    print(
        f"  {runner.at - looks[0][0].at:6.0f} s: runner {runner.rss_mb:.1f} MB, {(runner.cpu_s - runner_before.cpu_s) / took:.1%}; "
        f"load child {child.rss_mb:.1f} MB, {(child.cpu_s - child_before.cpu_s) / took:.1%}",
        flush=True,
    )


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 3600.0
    fast_cpu, _, _ = watch(FAST, FAST_SECONDS + _SETTLE_S, 10)
    _, runner, child = watch(RATE, seconds, min(60.0, seconds / 10))
    print(f"runner at {FAST}/s: {fast_cpu:.1%} of a core (goal <= {GOAL_CPU:.0%})")
    print(
        f"growth after the first tenth: runner {runner - 1:+.1%}, load child {child - 1:+.1%} (goal <= {GOAL_GROWTH - 1:.0%})"
    )
    return 0 if fast_cpu <= GOAL_CPU and max(runner, child) <= GOAL_GROWTH else 1


if __name__ == "__main__":
    sys.exit(main())
