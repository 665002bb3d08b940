"""The watchdog: a process that outlives the runner by just long enough to undo what it left.

It reads JSON lines on stdin, the read end of a pipe whose write end the runner, the driver hosts and the commands that apply faults
hold; an empty line is a heartbeat, answered by an empty line on stdout. The first line sets it up, and ``{"ready": true}`` on stdout
says that every driver is imported. What it needs to undo comes over the pipe into its memory, so that a lost disk does not stop it;
the journal is written where it can be.

When the runner dies, closes the pipe without goodbye, its heartbeat is older than the lease, or a fault or the run is on for longer
than its maximum: fence, revert newest first, prove, and, if a command was still in flight, revert and prove once more when the last one
has let go of the pipe.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from gameday.model import Plan, ProcessRef
from gameday.spi import Driver, GamedayError, World
from gameday.spi.processes import alive
from gameday.undo.fencing import fence, kill_sessions, stop_system
from gameday.undo.host import import_ahead, load_all
from gameday.undo.ledger import Ledger, say
from gameday.undo.pipe import Pipe, boottime, slept
from gameday.undo.reverting import OpenFault, revert_all
from gameday.undo.standing import move_out, stand_apart
from gameday.undo.state import forget_run

EOF_SECONDS = 1.0
"""How long the revert waits for commands in flight to let go of the pipe."""
LATE_SECONDS = 600.0
"""How long the watchdog stays for the late end of file."""
_LOCK_SECONDS = 0.1
_LATE_LOCK_SECONDS = 5.0


class Watchdog:
    """What the runner has told us, and what to do when it stops telling."""

    def __init__(self, setup: Mapping[str, Any], pipe: Pipe) -> None:
        self.run_id = str(setup["run_id"])
        self.folder = Path(setup["journal"]).parent
        self.ledger = Ledger(Path(setup["journal"]))
        self.runner = ProcessRef(**setup["runner"])
        self.lease = float(setup["lease_seconds"])
        self.ends = {"": boottime() + float(setup["max_seconds"])}
        """When each fault, and under the empty name the run, is over its maximum, by our clock."""
        self.drivers: dict[str, Driver] = load_all(setup["faults"])
        import_ahead({str(spec["driver"]) for spec in setup["faults"].values()})
        self.world = World.from_json(setup["world"])
        self.pipe = pipe
        self.hosts: dict[int, ProcessRef] = {}
        self.armed: dict[str, Plan] = {}
        self.said_goodbye = False

    def hear(self, line: bytes) -> None:
        """Take in one message of the runner; what a stray writer put into the pipe is no message."""
        if not line:
            return
        try:
            self._obey(json.loads(line))
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            say(f"not understood: {type(error).__name__}: {error}")

    def _obey(self, message: Mapping[str, Any]) -> None:
        match message.get("say"):
            case "host":
                self.hosts[message["pid"]] = ProcessRef(**{key: message[key] for key in ("pid", "start", "boot_id")})
            case "world":
                self.world = World.from_json(message["world"])
            case "armed":
                self.armed.pop(message["fault"], None)
                self.armed[message["fault"]] = Plan.from_json(message["plan"])
                if message.get("max_seconds"):
                    self.ends[message["fault"]] = boottime() + float(message["max_seconds"])
            case "reverted":
                self.armed.pop(message["fault"], None)
                self.ends.pop(message["fault"], None)
            case "goodbye":
                self.said_goodbye = True
            case _:
                pass

    def watch(self) -> str:
        """Return why the runner is lost, or nothing when it said goodbye."""
        descriptor = _pidfd(self.runner)
        if descriptor is None:
            return self._last_words() or "the runner was gone before the watchdog was ready"
        heard, awake = boottime(), slept()
        while True:
            lines, dead = self.pipe.read(min(heard + self.lease, *self.ends.values()) - boottime(), descriptor)
            for line in lines:
                self.hear(line)
            if self.said_goodbye:
                return ""
            if lines:
                heard = boottime()
                _answer(b"\n")
            if dead:
                return self._last_words() or "the runner died"
            if self.pipe.ended:
                return "the runner closed its pipe without goodbye"
            why = self.too_late(heard, awake)
            if why:
                return why

    def too_late(self, heard: float, awake: float) -> str:
        """Say which time is over; every one is counted by CLOCK_BOOTTIME, and none by the wall clock."""
        now = boottime()
        if now - heard >= self.lease:
            return f"no heartbeat for {self.lease:g} s"
        if slept() - awake >= self.lease:
            return f"this machine was suspended for {slept() - awake:.0f} s"
        over = next((name for name, end in self.ends.items() if now >= end), None)
        if over is None:
            return ""
        return f"{over} is on for longer than its maximum" if over else "the run takes longer than its maximum"

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
        say(why)
        fenced = fence(self.runner)
        self._last_words()
        fenced = kill_sessions(self.hosts.values()) and fenced
        ended = self.pipe.await_end(EOF_SECONDS)
        self.ledger.open(why, lock_seconds=_LOCK_SECONDS)
        if not fenced:
            self.ledger.record("note", {"text": "the runner, or a driver host, does not end even on SIGKILL"})
        clean = self._revert()
        self.ledger.open(why, lock_seconds=_LATE_LOCK_SECONDS)
        return self._close(clean=clean) if ended else self._await_late_end(clean=clean)

    def _await_late_end(self, *, clean: bool) -> bool:
        """Somebody who may be applying a fault holds the pipe: undo once more when the last one has let go."""
        text = "a command that applies a fault was still in flight; it is undone again when it ends: "
        self.ledger.record("note", {"text": text + (", ".join(self.pipe.holders()) or "nobody that we can see")})
        self._close(clean=False)
        ended = self.pipe.await_end(LATE_SECONDS)
        self.ledger.open("a command that applies a fault has ended", lock_seconds=_LATE_LOCK_SECONDS)
        if not ended:
            self.ledger.record(
                "note", {"text": f"it goes on after {LATE_SECONDS:g} s, and nobody waits for it any more"}
            )
        clean = self._revert() and ended
        return self._close(clean=clean)

    def _close(self, *, clean: bool) -> bool:
        self.ledger.close()
        if clean:
            with suppress(OSError):
                forget_run(self.folder)
        return clean

    def _revert(self) -> bool:
        faults = [OpenFault(name=name, plan=plan, driver=self.drivers[name]) for name, plan in self.armed.items()]
        outcomes = revert_all(faults, self.world, by="watchdog", record=self.ledger.record)
        left = stop_system(self.run_id)
        if left:
            self.ledger.record("note", {"text": f"processes that would not end: {', '.join(left)}"})
        return not left and all(outcome.clean for outcome in outcomes)


def _answer(data: bytes) -> None:
    """Write to the runner, which may be gone, or not be reading."""
    with suppress(OSError):
        os.write(1, data)


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
    setup = json.loads(lines[0])
    try:
        watchdog = Watchdog(setup, pipe)
    except GamedayError as error:
        _answer(json.dumps({"error": str(error), "hint": error.hint}).encode() + b"\n")
        return
    place, cgroup = stand_apart(watchdog.run_id, in_unit=bool(setup.get("in_unit")))
    try:
        _answer(json.dumps({"ready": True, "pid": os.getpid(), "place": place}).encode() + b"\n")
        os.set_blocking(1, False)
        for line in lines[1:]:
            watchdog.hear(line)
        why = watchdog.watch()
        clean = watchdog.undo(why) if why else True
    finally:
        if cgroup is not None:
            move_out(cgroup)
    sys.stderr.flush()
    os._exit(0 if clean else 5)  # the runner waits for this end, and not for an interpreter to be taken down


if __name__ == "__main__":
    main()
