"""How soon a fault is on its way out, and out, after a stop, an abort and a death; how big the watchdog is; Chaos Toolkit beside it.

- stop to revert started: from SIGTERM to the undo command's own first instruction, in a run with load; p99 ≤ 10 ms.
- death to all reverted: from SIGKILL of a runner to the moment three faults are gone from the world, seen from outside; p99 ≤ 100 ms. What
  proves it (a second look, 200 ms later) comes after that.
- the watchdog with every local driver: ≤ 40 MB.

The peer is ``chaos run --rollback-strategy always`` with the same command as its rollback: from SIGTERM to its first instruction. After
a SIGKILL it undoes nothing, so there is nothing to compare.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from gameday.journal.reader import read_journal  # noqa: E402 - the checkout's own
from gameday.spi import World  # noqa: E402 - the checkout's own
from tests.harness import Lab  # noqa: E402 - the checkout's own test harness

STOPS, KILLS, PEERS = 8, 60, 5
STAMP = "date +%s%N > {}; rm -f {}"
"""The undo writes when it began, before it does anything."""


def switch(folder: Path, name: str) -> dict[str, Any]:
    flag, stamp = folder / name, folder / f"{name}.stamp"
    return {
        "run": ["touch", str(flag)],
        "undo": ["sh", "-c", STAMP.format(stamp, flag)],
        "active": ["test", "-e", str(flag)],
    }


def plain(flag: Path) -> dict[str, Any]:
    return {"run": ["touch", str(flag)], "undo": ["rm", "-f", str(flag)], "active": ["test", "-e", str(flag)]}


def stop_to_revert() -> list[float]:
    """Milliseconds from SIGTERM to the journal's revert-called, and to the undo's first instruction."""
    took: list[float] = []
    for _ in range(STOPS):
        with tempfile.TemporaryDirectory() as base:
            lab = Lab(Path(base))
            faults = [{"flip": {"do": "command", "with": switch(lab.folder, "flag"), "for": "30s"}}]
            phases = {"warmup": "100ms", "baseline": "2s", "recovery": "3s"}
            with lab.started(lab.write(faults=faults, phases=phases)) as process:
                lab.await_event("active", fault="flip")
                time.sleep(0.3)
                sent = time.time()
                process.send_signal(signal.SIGTERM)
                process.wait(30)
            called = next(event["wall"] for event in lab.events() if event["kind"] == "revert-called")
            began = int((lab.folder / "flag.stamp").read_text()) / 1e9
            print(f"  stop: journal {1000 * (called - sent):.1f} ms, undo began {1000 * (began - sent):.1f} ms")
            took.append(1000 * (called - sent))
    return took


def death_to_reverted() -> tuple[list[float], float]:
    """Milliseconds from SIGKILL until three faults are gone from the world; and the watchdog's megabytes."""
    took: list[float] = []
    size = 0.0
    for number in range(KILLS):
        with tempfile.TemporaryDirectory() as base:
            folder = Path(base) / f"bench-{number}"
            folder.mkdir()
            names = ("one", "two", "three")
            faults = {name: {"driver": "command", "params": plain(folder / name)} for name in names}
            request = {
                "run_folder": str(folder),
                "faults": faults,
                "world": World(run_id=folder.name).to_json(with_secrets=True),
            }
            with subprocess.Popen(
                [sys.executable, "-m", "gameday.undo.bare"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=environment(),
            ) as runner:
                assert runner.stdin is not None
                assert runner.stdout is not None
                runner.stdin.write(json.dumps(request).encode() + b"\n")
                runner.stdin.flush()
                runner.stdout.readline()
                size = max(size, megabytes(watchdog_pid(folder)))
                began = time.monotonic()
                runner.kill()
                while any((folder / name).exists() for name in names):
                    time.sleep(0.0005)
                took.append(1000 * (time.monotonic() - began))
            while sum(event.kind == "reverted" for event in read_journal(folder / "journal.ndjson").events) < len(
                names
            ):
                time.sleep(0.01)
            time.sleep(0.1)
    return took, size


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def watchdog_pid(folder: Path) -> int:
    events = read_journal(folder / "journal.ndjson").events
    return int(next(event.data["pid"] for event in events if event.kind == "watchdog-started"))


def megabytes(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def peer() -> list[float]:
    """Milliseconds from SIGTERM to the first instruction of Chaos Toolkit's rollback; empty where it does not roll back."""
    took: list[float] = []
    for _ in range(PEERS):
        with tempfile.TemporaryDirectory() as base:
            folder = Path(base)
            flag, stamp = folder / "flag", folder / "stamp"
            process = {"type": "process", "path": "sh"}
            experiment = {
                "title": "t",
                "description": "d",
                "method": [
                    {"type": "action", "name": "on", "provider": {**process, "arguments": ["-c", f"touch {flag}"]}},
                    {
                        "type": "action",
                        "name": "hold",
                        "provider": {"type": "process", "path": "sleep", "arguments": ["20"]},
                    },
                ],
                "rollbacks": [
                    {
                        "type": "action",
                        "name": "off",
                        "provider": {**process, "arguments": ["-c", STAMP.format(stamp, flag)]},
                    }
                ],
            }
            (folder / "e.json").write_text(json.dumps(experiment))
            chaos = str(Path(sys.executable).with_name("chaos"))
            with subprocess.Popen(
                [chaos, "--no-version-check", "run", "--rollback-strategy", "always", "e.json"],
                cwd=folder,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            ) as run:
                while not flag.exists() and run.poll() is None:
                    time.sleep(0.01)
                time.sleep(0.5)
                sent = time.time()
                run.send_signal(signal.SIGTERM)
                try:
                    run.wait(5)
                except subprocess.TimeoutExpired:
                    run.kill()
            if stamp.exists():
                took.append(1000 * (int(stamp.read_text()) / 1e9 - sent))
    return took


def p99(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(0.99 * len(values)))]


def said(name: str, values: list[float], goal: float | None) -> bool:
    if not values:
        print(f"{name:<34} nothing to measure")
        return goal is None
    met = goal is None or p99(values) <= goal
    verdict = "" if goal is None else f"  goal ≤ {goal:g} ms: {'met' if met else 'MISSED'}"
    print(f"{name:<34} n={len(values)}  median {statistics.median(values):.1f} ms  p99 {p99(values):.1f} ms{verdict}")
    return met


def main() -> int:
    stops = stop_to_revert()
    deaths, size = death_to_reverted()
    others = peer()
    good = said("stop → revert started", stops, 10.0)
    good = said("SIGKILL → three faults gone", deaths, 100.0) and good
    print(f"{'watchdog':<34} {size:.1f} MB  goal ≤ 40 MB: {'met' if size <= 40 else 'MISSED'}")
    said("Chaos Toolkit, SIGTERM → rollback", others, None)
    if not others:
        print("  it was still waiting for its action 5 s after SIGTERM, or rolled nothing back")
    print("Chaos Toolkit, SIGKILL: it leaves the fault; there is nothing to measure")
    return 0 if good and size <= 40 else 1


if __name__ == "__main__":
    sys.exit(main())
