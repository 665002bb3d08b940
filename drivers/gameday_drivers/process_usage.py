"""What a process uses, by /proc: CPU time, resident memory, open files, threads; of it alone or with its children."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from gameday.model import ProcessRef
from gameday.spi.processes import all_pids, identify, stat_fields

_CPUCLOCK_SCHED = 2
"""<linux/posix-timers.h>: the clock of the CPU time of a whole process is (~pid << 3) | CPUCLOCK_SCHED."""
_TRIES = 20
_PPID, _CUTIME, _CSTIME, _THREADS = 1, 13, 14, 17
"""Fields 4, 16, 17 and 20 of /proc/PID/stat, counted from the state on."""


def family(root: ProcessRef) -> tuple[ProcessRef, ...]:
    """Return a process and all that descend from it, as far as their parents live; empty when it is gone."""
    if identify(root.pid) != root:
        return ()
    children: dict[int, list[int]] = {}
    for pid in all_pids():
        try:
            children.setdefault(int(stat_fields(pid)[_PPID]), []).append(pid)
        except OSError:
            continue
    found, pids = [root], [root.pid]
    while pids:
        below = [child for pid in pids for child in children.get(pid, ())]
        found += [ref for ref in map(identify, below) if ref is not None]
        pids = below
    return tuple(found)


def cpu_seconds(ref: ProcessRef) -> float:
    """Return the CPU time that a process has used, to a nanosecond; raise OSError when it is gone."""
    return time.clock_gettime((~ref.pid << 3) | _CPUCLOCK_SCHED)


def tree_cpu_seconds(root: ProcessRef) -> float:
    """Return the CPU time of a process and all that descend from it, those included that have ended and been waited for.

    It never falls unless a process leaves the tree. Raises OSError when the root is gone, or the tree does not hold still.
    """
    for _ in range(_TRIES):
        before = family(root)
        with suppress(OSError):
            total = sum(cpu_seconds(ref) + _reaped_seconds(ref) for ref in before)
            if before and family(root) == before:
                return total
    raise ProcessLookupError(root.pid)


def _reaped_seconds(ref: ProcessRef) -> float:
    """Return the CPU time of the children that a process has waited for, and of theirs, to a clock tick."""
    fields = stat_fields(ref.pid)
    return (int(fields[_CUTIME]) + int(fields[_CSTIME])) / os.sysconf("SC_CLK_TCK")


def memory_bytes(pid: int) -> float:
    """Return the resident set, in bytes; raise OSError when the process is gone."""
    return float(int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE"))


def open_files(pid: int) -> float:
    """Return the number of open file descriptors; raise OSError when the process is gone, or another user's."""
    return float(len(os.listdir(f"/proc/{pid}/fd")))  # noqa: PTH208 - names alone


def thread_count(pid: int) -> float:
    """Return the number of threads; raise OSError when the process is gone."""
    return float(stat_fields(pid)[_THREADS])


GAUGES: Mapping[str, Callable[[int], float]] = {"memory": memory_bytes, "fds": open_files, "threads": thread_count}
