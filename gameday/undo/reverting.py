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
from typing import Any

from gameday.model import Plan
from gameday.spi import Driver, World
from gameday.spi.driver import REVERT_SECONDS
from gameday.undo.fencing import kill_session
from gameday.undo.host import perform
from gameday.undo.steps import Ask, Note, Revertible, Undone, Wait, revert_steps

Record = Callable[[str, Mapping[str, Any]], None]
"""Write one journal record; must not raise: a revert goes on without a journal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFault:
    """A fault that was armed and is not known to be undone."""

    name: str
    plan: Plan
    driver: Driver


def revert_all(faults: Sequence[OpenFault], world: World, *, by: str, record: Record) -> tuple[Undone, ...]:
    """Revert newest first (the order given is oldest first); one that fails does not keep the others waiting for ever."""
    return tuple(revert_one(fault, world, by=by, record=record) for fault in reversed(faults))


def revert_one(fault: OpenFault, world: World, *, by: str, record: Record) -> Undone:
    """Revert one fault, retry, and prove it; write what happened to the journal."""
    seconds = float(getattr(fault.driver, "revert_seconds", REVERT_SECONDS))
    steps = revert_steps(
        Revertible(name=fault.name, plan=fault.plan, provable=fault.driver.provable, revert_seconds=seconds), by=by
    )
    answer: dict[str, Any] = {}
    try:
        step = next(steps)
        while True:
            answer = {}
            match step:
                case Ask(op=op, seconds=deadline):
                    answer = in_fork(fault.driver, op, fault.plan, world, deadline)
                case Wait(seconds=pause):
                    time.sleep(pause)
                case Note(kind=kind, data=data):
                    record(kind, data)
            step = steps.send(answer)
    except StopIteration as end:
        undone: Undone = end.value
        return undone


def in_fork(driver: Driver, op: str, plan: Plan, world: World, seconds: float) -> dict[str, Any]:
    """Do one operation in a forked process; a deadline ends it with everything it started and answers ``{"error": …}``."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        _child(read, write, lambda: perform(driver, op, plan, world))
    os.close(write)
    try:
        answer = _answer(read, seconds) or {"error": f"{op} ended without an answer"}
    except TimeoutError:
        answer = {"error": f"{op} did not end within {seconds:g} s; it was killed"}
        kill_session(pid)
    finally:
        os.close(read)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return answer


def _child(read: int, write: int, work: Callable[[], dict[str, Any]]) -> None:
    """Work in a session of our own, answer, and never return."""
    try:
        os.close(read)
        os.setsid()
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(signum, signal.SIG_DFL)
        os.write(write, json.dumps(work()).encode())
    finally:
        os._exit(0)


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
