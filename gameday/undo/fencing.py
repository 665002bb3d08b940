"""End what might still inject: a host with everything it started, a runner that hangs, the processes of ``system:``."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from contextlib import suppress

from gameday.model import ProcessRef
from gameday.spi.processes import alive, all_pids, await_gone, marked, send

SCANS = 3
"""A process that was being started when the runner died carries its marks a moment later: look again."""
STOP_SECONDS = 3.0
"""How long a process under ``system:`` may take to end after SIGTERM."""


def kill_session(leader: int, *, seconds: float = 1.0) -> bool:
    """SIGKILL every process of the session that ``leader`` opened, in whatever group, until none is left.

    Returns whether none was left within ``seconds``. A command that a host runs has a group of its own, so that its own deadline can
    end it; the session is what holds them together.
    """
    end = time.monotonic() + seconds
    while members := _session(leader):
        for pid in members:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() >= end:
            return False
        time.sleep(0.002)
    return True


def _session(leader: int) -> list[int]:
    """Pids whose session is ``leader``'s, zombies left out."""
    members: list[int] = []
    for pid in all_pids():
        try:
            if os.getsid(pid) == leader and _running(pid):
                members.append(pid)
        except (ProcessLookupError, PermissionError):
            continue
    return members


def _running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:  # noqa: PTH123 - hot in the fence
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def fence(ref: ProcessRef, *, seconds: float = 2.0) -> bool:
    """SIGKILL that very process and return whether it is gone: a stopped or hung runner cannot inject again."""
    send(ref, signal.SIGKILL)
    return await_gone(ref, seconds)


def stop_groups(refs: Iterable[ProcessRef], *, seconds: float = STOP_SECONDS) -> tuple[ProcessRef, ...]:
    """End process groups by SIGTERM and, after ``seconds``, SIGKILL; return the leaders that are still there.

    SIGCONT goes along, because a stopped process would not act on SIGTERM.
    """
    leaders = [ref for ref in refs if alive(ref)]
    for signum in (signal.SIGTERM, signal.SIGCONT):
        _signal_groups(leaders, signum)
    end = time.monotonic() + seconds
    for ref in leaders:
        await_gone(ref, max(0.0, end - time.monotonic()))
    _signal_groups(leaders, signal.SIGKILL)
    return tuple(ref for ref in leaders if not await_gone(ref, 1.0))


def _signal_groups(leaders: Iterable[ProcessRef], signum: signal.Signals) -> None:
    for ref in leaders:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(ref.pid, signum)


def stop_system(run_id: str) -> tuple[str, ...]:
    """Stop every process that this run started under ``system:``; return the names that would not end."""
    left: dict[ProcessRef, str] = {}
    for _ in range(SCANS):
        found = {ref: name for name, ref in marked(run_id)}
        if not found:
            break
        left = {ref: found[ref] for ref in stop_groups(found)}
    return tuple(left.values())
