"""Processes by identity: found, checked and signalled so that a recycled pid is never touched."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from gameday.model import ProcessRef
from gameday.spi.errors import DriverError

_PROC = Path("/proc")
RUN_MARK = "GAMEDAY_RUN"
"""Environment variable that marks every process under ``system:`` with its run."""
NAME_MARK = "GAMEDAY_PROCESS"
"""Environment variable that marks it with its name."""


@lru_cache(maxsize=1)
def boot_id() -> str:
    """Return what tells this boot of this machine from any other; empty where the kernel does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the state on (field 3 is index 0); raise OSError when it is gone."""
    text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    return text.rpartition(")")[2].split()


def identify(pid: int) -> ProcessRef | None:
    """Return who has this pid now, or None; a zombie counts as gone."""
    try:
        fields = _stat(pid)
    except OSError:
        return None
    if fields[0] in "ZX":
        return None
    return ProcessRef(pid=pid, start=int(fields[19]), boot_id=boot_id())


def state(ref: ProcessRef) -> str | None:
    """Return the state letter of /proc/PID/stat (``T`` is stopped), or None when that very process is gone."""
    try:
        fields = _stat(ref.pid)
    except OSError:
        return None
    if int(fields[19]) != ref.start or fields[0] in "ZX" or (ref.boot_id and ref.boot_id != boot_id()):
        return None
    return fields[0]


def alive(ref: ProcessRef) -> bool:
    """Whether that very process still exists and is not a zombie."""
    return state(ref) is not None


def send(ref: ProcessRef, signum: signal.Signals) -> bool:
    """Signal that very process: the pidfd is opened first and compared with the start time after, so no pid can be recycled between.

    Returns False when it is gone; raises DriverError when we may not signal it.
    """
    try:
        descriptor = os.pidfd_open(ref.pid)
    except ProcessLookupError:
        return False
    try:
        if not alive(ref):
            return False
        signal.pidfd_send_signal(descriptor, signum)
    except ProcessLookupError:
        return False
    except PermissionError as error:
        raise DriverError(f"not allowed to signal process {ref.pid}", hint="run as its user or as root") from error
    finally:
        os.close(descriptor)
    return True


def await_gone(ref: ProcessRef, seconds: float) -> bool:
    """Wait until that process is gone, at most ``seconds``; return whether it is."""
    end = time.monotonic() + seconds
    while alive(ref):
        if time.monotonic() >= end:
            return False
        time.sleep(0.005)
    return True


def all_pids() -> Iterator[int]:
    """Every pid this user can see."""
    for entry in os.scandir(_PROC):
        if entry.name.isdigit():
            yield int(entry.name)


def marked(run_id: str, name: str | None = None) -> tuple[tuple[str, ProcessRef], ...]:
    """Find the processes that were started under ``system:`` of this run: (name, process), group leaders only.

    They carry the run in their environment, so that they are found without trusting any file.
    """
    found: list[tuple[str, ProcessRef]] = []
    for pid in all_pids():
        try:
            if os.getpgid(pid) != pid:
                continue
            raw = (_PROC / str(pid) / "environ").read_bytes()
        except OSError:
            continue
        environ = dict(item.split(b"=", 1) for item in raw.split(b"\0") if b"=" in item)
        if environ.get(RUN_MARK.encode()) != run_id.encode():
            continue
        who = environ.get(NAME_MARK.encode(), b"").decode(errors="replace")
        ref = identify(pid)
        if who and ref is not None and name in (None, who):
            found.append((who, ref))
    return tuple(found)
