"""Revert faults of a run whose runner is gone, newest first, each in a forked process with a deadline, and prove it.

The watchdog and ``gameday recover`` share this. A fork has every driver already imported (milliseconds instead of a tenth of a
second), and a driver that hangs costs its own deadline only.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Any

from gameday.model import Plan, ProcessRef
from gameday.spi import Driver, World
from gameday.spi.driver import REVERT_SECONDS
from gameday.spi.processes import identify
from gameday.undo.fencing import kill_sessions
from gameday.undo.host import perform
from gameday.undo.standing import give_back
from gameday.undo.steps import SETTLE_SECONDS, Ask, Note, Revertible, Steps, Undone, Wait, revert_steps

Record = Callable[[str, Mapping[str, Any]], None]
"""Write one journal record; must not raise: a revert goes on without a journal."""
FORK_ATTEMPTS = 20
REAP_SECONDS = 1.0
"""How long a killed fork may take to end; one that hangs in the kernel must not keep the other faults on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFault:
    """A fault that was armed and is not known to be undone."""

    name: str
    plan: Plan
    driver: Driver


def revertible(name: str, plan: Plan, driver: Driver) -> Revertible:
    """Say what the steps must know; nobody knows whether a request of the lost runner is still on its way."""
    return Revertible(
        name=name,
        plan=plan,
        provable=driver.provable,
        revert_seconds=float(getattr(driver, "revert_seconds", REVERT_SECONDS)),
        settle_seconds=max(SETTLE_SECONDS, float(getattr(driver, "request_seconds", 0.0))),
    )


class _Undoing:
    """The undo of one fault, taken as far as it goes without waiting."""

    def __init__(self, fault: OpenFault, world: World, *, by: str, record: Record) -> None:
        self._fault, self._world, self._record = fault, world, record
        self._steps: Steps = revert_steps(revertible(fault.name, fault.plan, fault.driver), by=by)
        self._begun = False
        self.undone: Undone | None = None

    def go_on(self) -> float:
        """Go on to the next pause; return how long it is, or zero at the end."""
        answer: dict[str, Any] = {}
        try:
            step = self._steps.send(answer) if self._begun else next(self._steps)
            self._begun = True
            while True:
                answer = {}
                match step:
                    case Ask(op=op, seconds=deadline):
                        answer = in_fork(self._fault.driver, op, self._fault.plan, self._world, deadline)
                    case Wait(seconds=pause):
                        return pause
                    case Note(kind=kind, data=data):
                        self._record(kind, data)
                step = self._steps.send(answer)
        except StopIteration as end:
            self.undone = end.value
            return 0.0


def revert_all(faults: Sequence[OpenFault], world: World, *, by: str, record: Record) -> tuple[Undone, ...]:
    """Revert newest first (the order given is oldest first), and prove each; write what happened to the journal.

    The calls keep that order; the settle windows and retries of one fault do not keep the next one waiting.
    """
    undoing = [_Undoing(fault, world, by=by, record=record) for fault in reversed(faults)]
    due: list[tuple[float, int]] = []

    def go_on(index: int) -> None:
        pause = undoing[index].go_on()
        if undoing[index].undone is None:
            heappush(due, (time.monotonic() + pause, index))

    for index in range(len(undoing)):
        go_on(index)
    while due:
        at, index = heappop(due)
        time.sleep(max(0.0, at - time.monotonic()))
        go_on(index)
    return tuple(one.undone for one in undoing if one.undone is not None)


def in_fork(driver: Driver, op: str, plan: Plan, world: World, seconds: float) -> dict[str, Any]:
    """Do one operation in a forked process; a deadline ends it with everything it started and answers ``{"error": …}``."""
    try:
        read, write = os.pipe()
        pid = _fork()
    except OSError:
        return perform(driver, op, plan, world)  # no deadline is better than no undo
    if pid == 0:
        _child(read, write, lambda: perform(driver, op, plan, world))
    os.close(write)
    try:
        answer = _answer(read, seconds) or {"error": f"{op} ended without an answer"}
    except TimeoutError:
        answer = {"error": f"{op} did not end within {seconds:g} s; it was killed"}
        kill_sessions([identify(pid) or ProcessRef(pid=pid, start=0)])
    finally:
        os.close(read)
        _reap(pid)
    return answer


def _fork() -> int:
    """Fork, trying again for a while where a fault has taken every pid; raise OSError."""
    for _ in range(FORK_ATTEMPTS):
        with suppress(OSError):
            return os.fork()
        time.sleep(0.05)
    return os.fork()


def _reap(pid: int) -> None:
    """Collect our child; it is a child of ours until then, so its pid is nobody else's."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    end = time.monotonic() + REAP_SECONDS
    while os.waitpid(pid, os.WNOHANG)[0] == 0 and time.monotonic() < end:
        time.sleep(0.001)


def _child(read: int, write: int, work: Callable[[], dict[str, Any]]) -> None:
    """Work in a session of our own, answer, and never return."""
    try:
        os.close(read)
        os.setsid()
        os.dup2(2, 1)  # what a driver prints goes to the log: stdout is a dead runner's, and writing to it would end us
        give_back()
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(signum, signal.SIG_DFL)
        _write(write, json.dumps(work()).encode())
    finally:
        os._exit(0)


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _answer(read: int, seconds: float) -> dict[str, Any] | None:
    end, data = time.monotonic() + seconds, b""
    while True:
        ready, _, _ = select.select([read], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            raise TimeoutError
        piece = os.read(read, 65536)
        if not piece:
            return None
        data += piece
        with suppress(ValueError):
            return dict(json.loads(data))
