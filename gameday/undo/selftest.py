"""Kill runners of our own at every point of a fault's life, and look at what is left: the proof of "no fault outlives its run".

``gameday doctor --undo`` runs it once for each reversible driver that this machine can run; CI runs it many times over.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gameday.journal.reader import read_journal
from gameday.model import Event, ProcessRef
from gameday.registry import driver_class, drivers
from gameday.spi.processes import alive, all_pids, await_gone, boot_id, identify
from gameday.undo.recover import recover_run
from gameday.undo.subjects import Maker, Subject, maker_of

MARK = "GAMEDAY_SELFTEST"
"""Environment variable that every process of one kill inherits, so that none is overlooked."""
END_SECONDS = 30.0
GONE_SECONDS = 1.0
"""How soon after the watchdog's end every process of the run must be gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Where in a fault's life the runner dies, and how."""

    name: str
    at: str
    after_ms: float = 0.0
    signal: str = "SIGKILL"
    watchdog: bool = False
    """Killed together with its watchdog, so that ``gameday recover`` is what undoes it."""

    def end(self) -> dict[str, Any]:
        """As the bare runner is told."""
        return {"at": self.at, "after_ms": self.after_ms, "signal": self.signal, "watchdog": self.watchdog}


POINTS = (
    Point(name="before it is planned", at="watchdog-started"),
    Point(name="before armed", at="planned"),
    Point(name="armed on disk only", at="armed"),
    Point(name="armed", at="told"),
    Point(name="inject called", at="inject-called"),
    Point(name="during inject, 5 ms", at="inject-called", after_ms=5),
    Point(name="during inject, 30 ms", at="inject-called", after_ms=30),
    Point(name="during inject, 60 ms", at="inject-called", after_ms=60),
    Point(name="injected", at="injected"),
    Point(name="proven", at="active"),
    Point(name="held", at="active", after_ms=40),
    Point(name="revert called", at="revert-called"),
    Point(name="during revert, 5 ms", at="revert-called", after_ms=5),
    Point(name="in the settle window", at="revert-called", after_ms=100),
    Point(name="reverted", at="reverted"),
    Point(name="watchdog killed too", at="active", watchdog=True),
    Point(name="hung", at="active", signal="SIGSTOP"),
)
MECHANISMS = frozenset({"command", "http", "process.pause", "process.stop", "proxy.down", "proxy.latency"})
"""Drivers killed at every point. The other faults of a proxy are set and taken off by the code of proxy.latency."""
BRIEFLY = tuple(point for point in POINTS if point.name in ("during inject, 5 ms", "proven"))
"""Where the others are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """One death, and what came of it."""

    driver: str
    point: str
    left: tuple[str, ...]
    """What is left; empty is what must be."""
    seconds: float | None
    """From the death until the fault was proven gone; None when it was never on its way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Every death of one self-test."""

    kills: tuple[Kill, ...]
    untested: Mapping[str, str] = field(default_factory=dict[str, str])
    """Driver → why it is not tested."""

    @property
    def residues(self) -> tuple[Kill, ...]:
        """Deaths that left something."""
        return tuple(kill for kill in self.kills if kill.left)


def breakable(names: Iterable[str] | None) -> tuple[dict[str, Maker], dict[str, str]]:
    """Return who makes what each installed driver breaks, and why the others are not tested."""
    found: dict[str, Maker] = {}
    untested: dict[str, str] = {}
    for name in drivers() if names is None else names:
        maker = maker_of(name)
        if maker is None:
            irreversible = getattr(driver_class(name), "reversible", None) is False
            untested[name] = "cannot be undone" if irreversible else "what it breaks is not ours to start"
        else:
            found[name] = maker
    return found, untested


def selftest(
    *,
    points: Sequence[Point] = (),
    rounds: int = 1,
    workers: int | None = None,
    names: Iterable[str] | None = None,
) -> Report:
    """Kill a runner at every point (or at ``points``), for every driver that can be tested here, several at a time."""
    makers, untested = breakable(names)
    jobs = [
        (maker, name, point)
        for name, maker in makers.items()
        for point in points or (POINTS if name in MECHANISMS else BRIEFLY)
        for _ in range(rounds)
    ]
    jobs.sort(key=lambda job: job[2].signal)  # those that wait for a lease begin last, together

    with ThreadPoolExecutor(workers or 2 * (os.cpu_count() or 1)) as pool:
        return Report(kills=tuple(pool.map(_kill_job, jobs)), untested=untested)


def _kill_job(job: tuple[Maker, str, Point]) -> Kill:
    return kill_once(*job)


def kill_once(maker: Maker, driver: str, point: Point) -> Kill:
    """Let one bare runner die at one point, and return what is left once whoever is to undo it has done so."""
    with tempfile.TemporaryDirectory(prefix="gameday-selftest-") as base:
        folder = Path(base) / f"selftest-{base[-8:]}"
        folder.mkdir()
        with maker(folder, folder.name) as subject:
            died = _die(subject, folder, point)
            left = list(_finish(folder, point)) + list(_gone(folder.name))
            if residue := subject.residue():
                left.append(residue)
            events = read_journal(folder / "journal.ndjson").events
            left += _doubts(events, point)
            return Kill(driver=driver, point=point.name, left=tuple(left), seconds=_seconds(events, died))


def _die(subject: Subject, folder: Path, point: Point) -> float:
    """Run one bare runner to its death; return when that was, in seconds since the epoch."""
    request = {
        "run_folder": str(folder),
        "driver": subject.driver,
        "params": dict(subject.params),
        "world": subject.world.to_json(with_secrets=True),
        "hold_ms": 100,
        "end": point.end(),
    }
    with (
        (folder / "runner.log").open("wb") as log,
        subprocess.Popen(
            [sys.executable, "-m", "gameday.undo.bare"],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env={**os.environ, MARK: folder.name},
            start_new_session=True,
        ) as runner,
    ):
        assert runner.stdin is not None  # noqa: S101 - asked for above
        runner.stdin.write(json.dumps(request).encode() + b"\n")
        runner.stdin.close()
        if point.signal == "SIGSTOP":
            return _await_stop(runner)
        runner.wait(END_SECONDS)
        return time.time()


def _await_stop(runner: subprocess.Popen[bytes]) -> float:
    """Wait until it hangs and then, which is the watchdog's doing, until it is gone; return when it hung."""
    end = time.monotonic() + END_SECONDS
    while runner.poll() is None and not _stopped(runner.pid) and time.monotonic() < end:
        time.sleep(0.005)
    hung = time.time()
    with suppress(subprocess.TimeoutExpired):
        runner.wait(END_SECONDS)
    runner.kill()
    return hung


def _stopped(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "T"
    except OSError:
        return False


def _finish(folder: Path, point: Point) -> Iterator[str]:
    """Wait for the watchdog, or do what is left to ``gameday recover``; yield what went wrong."""
    started = [event for event in read_journal(folder / "journal.ndjson").events if event.kind == "watchdog-started"]
    if not started:
        yield "the runner never came to its watchdog; see runner.log: " + _tail(folder / "runner.log")
        return
    watchdog = ProcessRef(pid=started[0].data["pid"], start=started[0].data["start"], boot_id=boot_id())
    if not await_gone(watchdog, END_SECONDS):
        yield "the watchdog did not end"
    if point.watchdog:
        yield from (line for line in recover_run(folder, waiting=lambda _: None).lines() if line.startswith("DIRTY"))


def _tail(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(encoding="utf-8", errors="replace").strip()[-300:]
    return ""


def _gone(mark: str) -> Iterator[str]:
    """Yield the processes of this run that are still there a second after its end."""
    end = time.monotonic() + GONE_SECONDS
    while (left := _carrying(mark)) and time.monotonic() < end:
        time.sleep(0.02)
    for ref in left:
        yield f"process {ref.pid} is left"


def _carrying(mark: str) -> list[ProcessRef]:
    wanted = f"{MARK}={mark}".encode()
    found: list[ProcessRef] = []
    for pid in all_pids():
        with suppress(OSError):
            if wanted in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                ref = identify(pid)
                if ref is not None and alive(ref):
                    found.append(ref)
    return found


def _doubts(events: Sequence[Event], point: Point) -> list[str]:
    """Say where the journal does not show an undo that it should show."""
    kinds = [event.kind for event in events]
    if not kinds or "armed" not in kinds or point.at in ("armed", "planned", "watchdog-started"):
        return [] if "still-active" not in kinds else ["the journal says that it is still on"]
    proven = any(event.kind == "reverted" and event.data.get("proven") is True for event in events)
    return [] if proven and "still-active" not in kinds else ["the journal does not show that it was undone"]


def _seconds(events: Sequence[Event], died: float) -> float | None:
    undone = [event.wall for event in events if event.kind == "reverted" and event.data.get("by") != "runner"]
    return round(max(0.0, undone[-1] - died), 3) if undone else None
