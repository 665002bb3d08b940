"""End what might still inject: a host with everything it started, a runner that hangs, the processes of ``system:``."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Collection, Iterable
from contextlib import suppress

from gameday.model import ProcessRef
from gameday.spi import DriverError
from gameday.spi.processes import alive, all_pids, await_gone, identify, marked, send

SCANS = 3
"""A process that was being started when the runner died carries its marks a moment later: look again."""
STOP_SECONDS = 3.0
"""How long a process under ``system:`` may take to end after SIGTERM."""
PAUSE_SECONDS = 0.002
"""Between two looks at a session that is ending."""


def kill_sessions(leaders: Collection[ProcessRef], *, seconds: float = 1.0) -> bool:
    """SIGKILL every process of the sessions that these processes opened, in whatever group, until none is left.

    Returns whether none was left within ``seconds``. A command that a host runs has a group of its own, so that its own deadline can
    end it; the session is what holds them together.
    """
    end = time.monotonic() + seconds
    while kill_once(leaders):
        if time.monotonic() >= end:
            return False
        time.sleep(PAUSE_SECONDS)
    return True


def kill_once(leaders: Collection[ProcessRef]) -> int:
    """SIGKILL whoever is in these sessions now, looking once; return how many there were."""
    own = {ref.pid for ref in leaders if not _recycled(ref)}
    found = 0
    for pid in all_pids() if own else ():
        if _session(pid) in own:
            found += _kill_member(pid, own)
    return found


def _recycled(leader: ProcessRef) -> bool:
    """Whether somebody else has this pid by now: a session that it leads is not the one that we mean."""
    now = identify(leader.pid)
    return now is not None and now.start != leader.start


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return -1


def _kill_member(pid: int, sessions: Collection[int]) -> int:
    """Kill it through a descriptor that was opened before its session was looked at again; 1 when it was there."""
    try:
        descriptor = os.pidfd_open(pid)
    except OSError:
        return 0
    try:
        if _session(pid) not in sessions or identify(pid) is None:
            return 0
        with suppress(ProcessLookupError, PermissionError):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        return 1
    finally:
        os.close(descriptor)


def fence(ref: ProcessRef, *, seconds: float = 2.0) -> bool:
    """SIGKILL that very process and return whether it is gone: a stopped or hung runner cannot inject again."""
    with suppress(DriverError):
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
    """Signal the groups of leaders that are still who they were; a group whose leader has ended is left to the marks."""
    for ref in leaders:
        if not _recycled(ref):
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
    orphans = {ref: name for name, ref in marked(run_id, leaders=False) if ref not in left}
    left |= {ref: orphans[ref] for ref in _stop_each(orphans)}
    return tuple(sorted(set(left.values())))


def _stop_each(refs: Collection[ProcessRef], *, seconds: float = 1.0) -> tuple[ProcessRef, ...]:
    """End the children that leaders left behind, one by one; return those that are still there."""
    for signum in (signal.SIGTERM, signal.SIGCONT, signal.SIGKILL):
        for ref in refs:
            with suppress(DriverError):
                send(ref, signum)
        end = time.monotonic() + (0.0 if signum is signal.SIGTERM else seconds)
        for ref in refs:
            await_gone(ref, max(0.0, end - time.monotonic()))
    return tuple(ref for ref in refs if alive(ref))
