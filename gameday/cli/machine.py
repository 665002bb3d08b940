"""What this machine can and cannot do for a run, each lack with the command that fixes it."""

from __future__ import annotations

import os
import platform
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from gameday.spi.errors import GamedayError

OLDEST = (3, 11)
FEW_FILES = 4096
"""Open files below which a moderate load does not fit: 600 requests in flight at 100/s take ten times less."""
_LOCUST_SECONDS = 30.0
_CLOCKS = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
_SLOW_CLOCKS = ("acpi_pm", "hpet", "jiffies", "refined-jiffies")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    name: str
    state: str
    """``ok``; ``weak`` for what a run can do without; ``lacking`` for what it needs."""
    says: str
    fix: str = ""


def look() -> Iterator[Finding]:
    """Yield a finding for each thing that a run needs, in the order in which a run needs it."""
    for check in (
        _python,
        _system,
        _pidfd,
        _watchdog,
        _state,
        _button,
        _left,
        _files,
        _clock,
        _loopback,
        _locust,
        _drivers,
        _probes,
        _reports,
        _ledger,
    ):
        yield from _guarded(check)


def _guarded(check: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    """Yield what a check finds; one that cannot look says so."""
    try:
        yield from check()
    except (OSError, GamedayError, subprocess.SubprocessError, AttributeError) as error:
        fix = getattr(error, "hint", "")
        yield Finding(name=check.__name__.strip("_"), state="lacking", says=str(error), fix=fix)


def _python() -> Iterator[Finding]:
    good = sys.version_info >= OLDEST
    yield Finding(
        name="python",
        state="ok" if good else "lacking",
        says=f"{platform.python_version()} at {sys.executable}",
        fix="" if good else "install Python 3.11 or newer, and gameday-runner into it",
    )


def _system() -> Iterator[Finding]:
    linux = sys.platform == "linux"
    yield Finding(
        name="system",
        state="ok" if linux else "lacking",
        says=platform.platform(terse=True),
        fix="" if linux else "run it on Linux: the watchdog and the process faults need pidfd and /proc",
    )


def _pidfd() -> Iterator[Finding]:
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (OSError, AttributeError) as error:
        yield Finding(
            name="pidfd",
            state="lacking",
            says=f"processes cannot be held by their identity: {error}",
            fix="use a kernel of 5.3 or newer; in a container, a seccomp profile that allows pidfd_open",
        )
    else:
        yield Finding(name="pidfd", state="ok", says="processes are signalled by identity, never by a recycled pid")


def _watchdog() -> Iterator[Finding]:
    from gameday.undo.standing import possible  # noqa: PLC0415 - only here

    standing = possible()
    apart = standing.place != "session"
    yield Finding(
        name="watchdog",
        state="ok" if apart else "weak",
        says=f"it gets {standing.words()}",
        fix="" if apart else "whatever ends a whole service or container ends it, too: then gameday recover RUN",
    )


def _state() -> Iterator[Finding]:
    from gameday.undo.state import lasting_dir, state_dir  # noqa: PLC0415 - only here

    for name, find in (("state directory", state_dir), ("lasting state", lasting_dir)):
        try:
            folder = find()
            probe = folder / f".doctor-{os.getpid()}"
            probe.write_text("", encoding="ascii")
            probe.unlink()
        except OSError as error:
            fix = "export GAMEDAY_STATE_DIR=~/.gameday"
            yield Finding(name=name, state="lacking", says=f"cannot be written: {error}", fix=fix)
        else:
            yield Finding(name=name, state="ok", says=str(folder))


def _button() -> Iterator[Finding]:
    from gameday.undo.state import pressed  # noqa: PLC0415 - only here

    why = pressed()
    if why:
        yield Finding(name="red button", state="lacking", says=f"pressed: {why}", fix="gameday resume")
    else:
        yield Finding(name="red button", state="ok", says="not pressed")


def _left() -> Iterator[Finding]:
    from gameday.undo.leftover import ended_runs  # noqa: PLC0415 - only here

    runs = ended_runs()
    said = f"{len(runs)} ended, and may have left something" if runs else "none has left anything"
    yield Finding(name="runs", state="weak" if runs else "ok", says=said, fix="gameday recover --all" if runs else "")


def _files() -> Iterator[Finding]:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    many = hard == resource.RLIM_INFINITY or hard >= FEW_FILES
    yield Finding(
        name="open files",
        state="ok" if many else "weak",
        says=f"up to {'any number' if hard == resource.RLIM_INFINITY else hard}; one for each request in flight",
        fix="" if many else "ulimit -Hn 65536 as root, or LimitNOFILE=65536 in the unit",
    )


def _clock() -> Iterator[Finding]:
    info = time.get_clock_info("monotonic")
    source = _CLOCKS.read_text(encoding="ascii").strip() if _CLOCKS.exists() else "unknown source"
    slow = source in _SLOW_CLOCKS
    yield Finding(
        name="clock",
        state="weak" if slow else "ok",
        says=f"{source}, resolution {info.resolution * 1e9:.0f} ns",
        fix=f"echo tsc > {_CLOCKS} as root, where the machine has it" if slow else "",
    )


def _loopback() -> Iterator[Finding]:
    with socket.socket() as listener:
        try:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            with socket.create_connection(listener.getsockname(), timeout=2):
                yield Finding(name="loopback", state="ok", says="127.0.0.1 listens and connects")
        except OSError as error:
            fix = "ip link set lo up"
            yield Finding(name="loopback", state="lacking", says=f"no port on 127.0.0.1: {error}", fix=fix)


def _locust() -> Iterator[Finding]:
    """Import it where it is used: in a child, never here."""
    fix = f"{sys.executable} -m pip install --upgrade locust"
    argv = [sys.executable, "-c", "import locust; print(locust.__version__)"]
    done = subprocess.run(  # noqa: S603 - our own argv
        argv, capture_output=True, text=True, timeout=_LOCUST_SECONDS, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode == 0:
        yield Finding(name="locust", state="ok", says=done.stdout.strip().rpartition("\n")[2])
    else:
        says = done.stderr.strip().rpartition("\n")[2] or f"its import ended with {done.returncode}"
        yield Finding(name="locust", state="lacking", says=says, fix=fix)


def _drivers() -> Iterator[Finding]:
    from gameday.registry import driver_class, drivers  # noqa: PLC0415 - heavy

    yield from _loadable("driver", drivers(), driver_class)


def _probes() -> Iterator[Finding]:
    from gameday.registry import probe_class, probes  # noqa: PLC0415 - heavy

    yield from _loadable("probe", probes(), probe_class)


def _loadable(kind: str, names: Iterable[str], load: Callable[[str], object]) -> Iterator[Finding]:
    good: list[str] = []
    for name in names:
        try:
            load(name)
        except GamedayError as error:
            yield Finding(name=f"{kind} {name}", state="weak", says=str(error), fix=error.hint)
        else:
            good.append(name)
    yield Finding(name=f"{kind}s", state="ok" if good else "weak", says=", ".join(good) or "none")


def _reports() -> Iterator[Finding]:
    from gameday.registry import renderers  # noqa: PLC0415 - heavy

    yield Finding(name="reports", state="ok", says=", ".join(renderer.name for renderer in renderers()))


def _ledger() -> Iterator[Finding]:
    from gameday.cli.doctor_ledger import look_at_ledger  # noqa: PLC0415 - only where one is configured

    yield from look_at_ledger()
