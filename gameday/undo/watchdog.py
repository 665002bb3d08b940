"""The watchdog: a process that outlives the runner by just long enough to undo what it left.

It reads JSON lines on stdin, the read end of a pipe whose write end the runner, the driver hosts and the commands that apply faults
hold; an empty line is a heartbeat. The first line sets it up, and ``{"ready": true}`` on stdout says that every driver is imported.
What it needs to undo comes over the pipe into its memory, so that a lost disk does not stop it; the journal is written where it can be.

When the runner dies, closes the pipe without goodbye, or its heartbeat is older than the lease: fence, revert newest first, prove, and,
if a command was still in flight, revert and prove once more when the last one has let go of the pipe.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from gameday.journal.writer import Journal, JournalError
from gameday.model import Plan, ProcessRef
from gameday.spi import Driver, GamedayError, World
from gameday.spi.processes import alive
from gameday.undo.fencing import fence, kill_session, stop_system
from gameday.undo.host import load_all
from gameday.undo.reverting import OpenFault, revert_all

EOF_SECONDS = 1.0
"""How long the revert waits for commands in flight to let go of the pipe."""
LATE_SECONDS = 600.0
"""How long the watchdog stays for the late end of file."""


def boottime() -> float:
    """Seconds since boot, suspension included: a laptop that slept has lost its lease."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Pipe:
    """The read end, as lines."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.ended = False
        self._rest = b""

    def read(self, seconds: float, *others: int) -> tuple[list[bytes], bool]:
        """Wait at most ``seconds``; return whole lines, and whether one of ``others`` became readable."""
        watch = [*([] if self.ended else [self.descriptor]), *others]
        ready, _, _ = select.select(watch, [], [], max(0.0, seconds))
        lines: list[bytes] = []
        if self.descriptor in ready:
            data = os.read(self.descriptor, 65536)
            self.ended = not data
            *lines, self._rest = (self._rest + data).split(b"\n")
        return lines, any(other in ready for other in others)

    def await_end(self, seconds: float) -> bool:
        """Drain until end of file, at most ``seconds``; return whether it came."""
        end = time.monotonic() + seconds
        while not self.ended and time.monotonic() < end:
            self.read(end - time.monotonic())
        return self.ended


class Watchdog:
    """What the runner has told us, and what to do when it stops telling."""

    def __init__(self, setup: Mapping[str, Any], pipe: Pipe) -> None:
        self.run_id = str(setup["run_id"])
        self.journal_path = Path(setup["journal"])
        self.runner = ProcessRef(**setup["runner"])
        self.lease = float(setup["lease_seconds"])
        self.drivers: dict[str, Driver] = load_all(setup["faults"])
        self.world = World.from_json(setup["world"])
        self.pipe = pipe
        self.hosts: dict[int, ProcessRef] = {}
        self.armed: dict[str, Plan] = {}
        self.journal: Journal | None = None
        self.said_goodbye = False

    def hear(self, line: bytes) -> None:
        """Take in one message of the runner."""
        if not line:
            return
        message = json.loads(line)
        match message.get("say"):
            case "host":
                self.hosts[message["pid"]] = ProcessRef(**{key: message[key] for key in ("pid", "start", "boot_id")})
            case "world":
                self.world = World.from_json(message["world"])
            case "armed":
                self.armed.pop(message["fault"], None)
                self.armed[message["fault"]] = Plan.from_json(message["plan"])
            case "reverted":
                self.armed.pop(message["fault"], None)
            case "goodbye":
                self.said_goodbye = True
            case _:
                pass

    def watch(self) -> str:
        """Return why the runner is lost, or nothing when it said goodbye."""
        descriptor = _pidfd(self.runner)
        if descriptor is None:
            return self._last_words() or "the runner was gone before the watchdog was ready"
        heard = boottime()
        while True:
            lines, dead = self.pipe.read(heard + self.lease - boottime(), descriptor)
            for line in lines:
                self.hear(line)
            if self.said_goodbye:
                return ""
            if lines:
                heard = boottime()
            if dead:
                return self._last_words() or "the runner died"
            if self.pipe.ended:
                return "the runner closed its pipe without goodbye"
            if boottime() - heard >= self.lease:
                return f"no heartbeat for {self.lease:g} s"

    def _last_words(self) -> str:
        """Take in what the runner wrote before it died; it lies in the pipe."""
        while not self.pipe.ended:
            lines, _ = self.pipe.read(0)
            if not lines:
                break
            for line in lines:
                self.hear(line)
        return ""

    def undo(self, why: str) -> bool:
        """Fence, revert, prove; return whether nothing is left."""
        print(f"watchdog: {why}", file=sys.stderr, flush=True)  # noqa: T201 - stderr is its log
        fence(self.runner)
        self._last_words()
        for ref in self.hosts.values():
            kill_session(ref.pid)
        ended = self.pipe.await_end(EOF_SECONDS)
        self._open_journal(why)
        clean = self._revert()
        if not ended:
            self.record(
                "note", {"text": "a command that applies a fault was still in flight; it is undone again when it ends"}
            )
            clean = self.pipe.await_end(LATE_SECONDS) and self._revert()
        return clean

    def _revert(self) -> bool:
        faults = [OpenFault(name=name, plan=plan, driver=self.drivers[name]) for name, plan in self.armed.items()]
        outcomes = revert_all(faults, self.world, by="watchdog", record=self.record)
        left = stop_system(self.run_id)
        if left:
            self.record("note", {"text": f"processes that would not end: {', '.join(left)}"})
        if self.journal is not None:
            with suppress(JournalError):
                self.journal.sync()
        return not left and all(outcome.clean for outcome in outcomes)

    def _open_journal(self, why: str) -> None:
        try:
            self.journal = Journal.take_over(self.journal_path, by="watchdog", why=why)
        except (GamedayError, OSError) as error:
            print(f"watchdog: no journal: {error}", file=sys.stderr, flush=True)  # noqa: T201 - stderr is its log

    def record(self, kind: str, data: Mapping[str, Any]) -> None:
        """Write to the journal where that is possible, and to our log always."""
        print(f"watchdog: {kind} {json.dumps(data)}", file=sys.stderr, flush=True)  # noqa: T201 - stderr is its log
        if self.journal is not None:
            with suppress(JournalError):
                self.journal.write(kind, data)


def _pidfd(ref: ProcessRef) -> int | None:
    """Open first, compare after; None when that process is gone."""
    try:
        descriptor = os.pidfd_open(ref.pid)
    except ProcessLookupError:
        return None
    if alive(ref):
        return descriptor
    os.close(descriptor)
    return None


def main() -> None:
    """Watch one run."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(signum, signal.SIG_IGN)
    pipe = Pipe(0)
    lines: list[bytes] = []
    while not lines and not pipe.ended:
        lines, _ = pipe.read(30.0)
    if not lines:
        return
    try:
        watchdog = Watchdog(json.loads(lines[0]), pipe)
    except GamedayError as error:
        print(json.dumps({"error": str(error), "hint": error.hint}), flush=True)  # noqa: T201 - stdout is the protocol
        return
    print(json.dumps({"ready": True, "pid": os.getpid()}), flush=True)  # noqa: T201 - stdout is the protocol
    for line in lines[1:]:
        watchdog.hear(line)
    why = watchdog.watch()
    if why:
        sys.exit(0 if watchdog.undo(why) else 5)


if __name__ == "__main__":
    main()
