"""Which process a fault is for: one, found by name, pidfile or command line, and never gameday itself."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from gameday.model import Json, ProcessRef
from gameday.spi import DriverError, NoTargetError, World
from gameday.spi.processes import alive, all_pids, identify, marked, stat_fields

PROCESS_HELP = "a name under system:"
PIDFILE_HELP = "a file that holds the pid"
MATCH_HELP = "a regular expression that the command line of exactly one process matches"
_KERNEL_THREAD = 0x00200000
"""PF_KTHREAD of <linux/sched.h>, in field 9 of /proc/PID/stat."""
_CLOCK_SLACK = 2.0
"""Seconds by which a pidfile may seem older than its process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One process, and the words for it: the name alone under ``system:``, with the pid elsewhere."""

    words: str
    ref: ProcessRef

    def undo(self) -> dict[str, object]:
        """As a plan keeps it."""
        return {"process": self.ref.to_json()}


def ref_of(undo: Json) -> ProcessRef:
    """Read back what Target.undo wrote."""
    return ProcessRef.from_json(undo["process"])


def check_selectors(*, process: str, pidfile: str, match: str) -> None:
    """Raise ValueError unless exactly one is given and ``match`` is a regular expression."""
    if sum(map(bool, (process, pidfile, match))) != 1:
        raise ValueError("give exactly one of process, pidfile and match")
    try:
        re.compile(match)
    except re.error as error:
        raise ValueError(f"match is not a regular expression: {error}") from error


def resolve(world: World, *, process: str, pidfile: str, match: str) -> Target:
    """Find the one process; raise DriverError when there is none, more than one, or it is off limits."""
    if process:
        return _by_name(world, process)
    if pidfile:
        return _by_pidfile(Path(pidfile))
    return _by_match(re.compile(match))


def require_name(world: World, name: str) -> None:
    """Raise DriverError when there is no such name under ``system:``."""
    if name not in world.system:
        known = ", ".join(sorted(world.system)) or "none"
        raise DriverError(f"there is no process {name!r} under system: (there are: {known})")


def _by_name(world: World, name: str) -> Target:
    require_name(world, name)
    found = [ref for _, ref in marked(world.run_id, name)]
    pids = {ref.pid for ref in found}
    roots = [ref for ref in found if not pids.intersection(_ancestors(ref.pid))]
    if not roots:
        raise NoTargetError(f"{name} is not running")
    return Target(words=name, ref=_only(roots, name))


def _by_pidfile(path: Path) -> Target:
    try:
        pid = int(path.read_text(encoding="ascii").split()[0])
        written = path.stat().st_mtime
    except (OSError, ValueError, IndexError) as error:
        raise DriverError(f"there is no usable pid in {path}") from error
    ref = identify(pid)
    if ref is None:
        raise NoTargetError(f"process {pid} of {path} is not running")
    if _started_at(ref) > written + _CLOCK_SLACK:
        raise DriverError(
            f"{path} is older than process {pid}: the pid has been recycled", hint="remove the stale file"
        )
    why = off_limits(pid)
    if why:
        raise DriverError(f"process {pid} of {path} {why}")
    return Target(words=describe(pid), ref=ref)


def _by_match(pattern: re.Pattern[str]) -> Target:
    found: list[ProcessRef] = []
    for pid in all_pids():
        ref = identify(pid)
        line = " ".join(_argv(pid))
        if ref is not None and line and pattern.search(line) and not off_limits(pid) and alive(ref):
            found.append(ref)
    if not found:
        raise NoTargetError(f"no process matches {pattern.pattern!r}")
    ref = _only(found, repr(pattern.pattern))
    return Target(words=describe(ref.pid), ref=ref)


def _only(refs: list[ProcessRef], what: str) -> ProcessRef:
    if len(refs) > 1:
        listed = ", ".join(describe(ref.pid) for ref in refs[:10]) + (", …" if len(refs) > 10 else "")  # noqa: PLR2004 - a line
        raise DriverError(f"{what} is {len(refs)} processes, and a fault is for one: {listed}")
    return refs[0]


def off_limits(pid: int) -> str:
    """Say why gameday never touches this process; empty when it may."""
    if pid == 1:
        return "is the first process of this machine"
    if pid == os.getpid() or pid in _ancestors(os.getpid()):
        return "is gameday itself, or what started it"
    try:
        if int(stat_fields(pid)[6]) & _KERNEL_THREAD:
            return "is a thread of the kernel"
    except OSError:
        return "is gone"
    return "belongs to gameday" if _is_ours(_argv(pid)) else ""


def _is_ours(argv: list[str]) -> bool:
    """Whether this is a runner, host, watchdog, load child or proxy of any run; the embedded shop is a system like others."""
    if any(Path(word).name == "gameday" for word in argv[:2]):
        return True
    if "-m" not in argv[:-1]:
        return False
    module = argv[argv.index("-m") + 1]
    return f"{module}.".startswith("gameday.") and not f"{module}.".startswith("gameday.shop.")


def _ancestors(pid: int) -> set[int]:
    found: set[int] = set()
    while pid > 0:
        try:
            pid = int(stat_fields(pid)[1])
        except OSError:
            break
        found.add(pid)
    return found


def _argv(pid: int) -> list[str]:
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    return raw.decode(errors="replace").rstrip("\0").split("\0") if raw else []


def describe(pid: int) -> str:
    """Name a process by its program and script, which a person recognises; other arguments may hold secrets."""
    words = [Path(word).name for word in _argv(pid)[:2] if not word.startswith("-")]
    shown = "".join(c if c.isprintable() else "?" for c in " ".join(words))[:60]
    return f"{shown or 'process'} (pid {pid})"


def _started_at(ref: ProcessRef) -> float:
    """Seconds since the epoch at which a process started, to a clock tick: now minus its age."""
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - ref.start / os.sysconf("SC_CLK_TCK")
    return time.time() - age
