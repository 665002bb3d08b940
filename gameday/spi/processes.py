"""Processes by identity: found, checked, signalled and started so that a recycled pid is never touched."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from gameday.model import ProcessRef
from gameday.spi.children import PIPE_VARIABLE
from gameday.spi.errors import DriverError
from gameday.spi.locks import taken

if TYPE_CHECKING:
    from gameday.spi.world import ProcessSpec, Secrets

_PROC = Path("/proc")
RUN_MARK = "GAMEDAY_RUN"
"""Environment variable that marks every process under ``system:`` with its run."""
NAME_MARK = "GAMEDAY_PROCESS"
"""Environment variable that marks it with its name."""
MARKS_SECONDS = 2.0
"""How long the kernel may take to show them once a process has been started; it takes microseconds."""
LOCK_SECONDS = 5.0
"""How long to wait for somebody else who is starting the same process."""


@lru_cache(maxsize=1)
def boot_id() -> str:
    """Return what tells this boot of this machine from any other; empty where the kernel does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def stat_fields(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the state on (field 3 is index 0); raise OSError when it is gone."""
    text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    return text.rpartition(")")[2].split()


def identify(pid: int) -> ProcessRef | None:
    """Return who has this pid now, or None; a zombie counts as gone."""
    try:
        fields = stat_fields(pid)
    except OSError:
        return None
    if fields[0] in "ZX":
        return None
    return ProcessRef(pid=pid, start=int(fields[19]), boot_id=boot_id())


def state(ref: ProcessRef) -> str | None:
    """Return the state letter of /proc/PID/stat (``T`` is stopped), or None when that very process is gone."""
    try:
        fields = stat_fields(ref.pid)
    except OSError:
        return None
    if int(fields[19]) != ref.start or fields[0] in "ZX" or (ref.boot_id and ref.boot_id != boot_id()):
        return None
    return fields[0]


def alive(ref: ProcessRef) -> bool:
    """Whether that very process still exists and is not a zombie."""
    return state(ref) is not None


def send(ref: ProcessRef, signum: signal.Signals) -> bool:
    """Signal that very process: the pidfd is opened first and compared with the start time after, so no pid is recycled between.

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


def _environment(pid: int) -> dict[bytes, bytes]:
    """Return the environment a process was started with; empty when it is gone or not ours to read."""
    try:
        raw = (_PROC / str(pid) / "environ").read_bytes()
    except OSError:
        return {}
    return dict(item.split(b"=", 1) for item in raw.split(b"\0") if b"=" in item)


def marked(run_id: str, name: str | None = None, *, leaders: bool = True) -> tuple[tuple[str, ProcessRef], ...]:
    """Find the processes that were started under ``system:`` of this run: (name, process), oldest first.

    They carry the run in their environment, so that they are found without trusting any file. Group leaders only, unless
    ``leaders`` is false: then also the children that they started.
    """
    found: list[tuple[str, ProcessRef]] = []
    for pid in all_pids():
        if leaders and not _leads(pid):
            continue
        ref = identify(pid)
        environment = _environment(pid)
        if ref is None or environment.get(RUN_MARK.encode()) != run_id.encode() or not alive(ref):
            continue
        who = environment.get(NAME_MARK.encode(), b"").decode(errors="replace")
        if who and name in (None, who):
            found.append((who, ref))
    return tuple(sorted(found, key=lambda item: (item[1].start, item[1].pid)))


def _leads(pid: int) -> bool:
    try:
        return os.getpgid(pid) == pid
    except ProcessLookupError:
        return False


def start_process(spec: ProcessSpec, run_id: str, secrets: Secrets) -> ProcessRef:
    """Start a process under ``system:``, or return the one of that run and name that is running already.

    The runner and the undo of process.stop both start it here, with the same argv, and a lock keeps two that do so at
    once from starting two. It gets a session of its own, our environment, its own and the marks, and of our open files
    nothing: a watchdog's pipe that it held would never end. Output is appended to ``spec.log``.

    It is not awaited: ask ``alive``, and in the process that started it ``reap``. Raises DriverError when it cannot start.
    """
    environment = {**os.environ, **{key: secrets.reveal(value) for key, value in spec.env.items()}}
    environment |= {RUN_MARK: run_id, NAME_MARK: spec.name}
    environment.pop(PIPE_VARIABLE, None)
    with _only_one_starts(spec):
        for _, running in marked(run_id, spec.name):
            return running
        return _spawn(spec, environment)


def _spawn(spec: ProcessSpec, environment: dict[str, str]) -> ProcessRef:
    try:
        with Path(spec.log or os.devnull).open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 - the argv is the user's own file, and no shell reads it
                spec.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=spec.cwd or None,
                start_new_session=True,
            )
    except (OSError, ValueError) as error:
        raise DriverError(f"cannot start {spec.name} ({spec.argv[0]}): {error}") from error
    ref = ProcessRef(pid=process.pid, start=int(stat_fields(process.pid)[19]), boot_id=boot_id())
    process.returncode = 0  # Popen lets go of it: only reap() may collect its exit code, and nobody is warned
    _await_marks(ref)
    return ref


def _await_marks(ref: ProcessRef) -> None:
    """Popen returns in mid-exec, when the kernel shows no environment yet: whoever looked now would not find it."""
    end = time.monotonic() + MARKS_SECONDS
    while alive(ref) and RUN_MARK.encode() not in _environment(ref.pid) and time.monotonic() < end:
        time.sleep(0.001)


@contextmanager
def _only_one_starts(spec: ProcessSpec) -> Generator[None]:
    """Hold a lock of this process's log (without one, of its folder); the descriptor is not inherited."""
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND if spec.log else os.O_RDONLY
    try:
        descriptor = os.open(spec.log or spec.cwd or os.curdir, flags, 0o666)
    except OSError as error:
        raise DriverError(f"cannot start {spec.name}: {error}") from error
    try:
        if not taken(descriptor, LOCK_SECONDS):
            raise DriverError(f"cannot start {spec.name}: somebody else has been starting it for {LOCK_SECONDS:g} s")
        yield
    finally:
        os.close(descriptor)


def reap(ref: ProcessRef) -> int | None:
    """Return the exit code (minus the signal's number when one ended it) of a child that has ended, once.

    None while it runs, and for what is not a child of this process.
    """
    try:
        pid, status = os.waitpid(ref.pid, os.WNOHANG)
    except ChildProcessError:
        return None
    return os.waitstatus_to_exitcode(status) if pid else None
