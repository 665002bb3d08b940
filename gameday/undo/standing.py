"""How far the watchdog stands apart from what it watches: a unit or cgroup of its own, and first in line for CPU and memory.

Whatever ends a runner should not end its watchdog with it: a terminal that closes, a service that is stopped with its whole control
group, a fault that takes all CPU or memory. A session of its own is always there; the rest is taken where this machine allows it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_SYSTEMD = Path("/run/systemd/system")
_MARK = "gameday-watchdog-"
_NICE = -10
_OOM_SCORE = -900
_ORDINARY_OOM = Path("/proc/self/oom_score_adj")
_TRY_SECONDS = 5.0
_STALE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a watchdog of this user on this machine is given."""

    place: str
    """``unit``, ``cgroup`` or ``session``."""
    why: str
    """Why it is no better than that; empty for a unit."""

    def words(self) -> str:
        """For ``gameday doctor``, and the journal."""
        found = {
            "unit": "a systemd unit of its own",
            "cgroup": "a control group of its own",
            "session": "a session of its own",
        }[self.place]
        return f"{found} ({self.why})" if self.why else found


def possible() -> Standing:
    """Say what a watchdog would be given here; starts one short unit or makes one empty control group to know."""
    lacking = _no_unit()
    if not lacking:
        return Standing(place="unit", why="")
    made = make_cgroup(f"probe-{os.getpid()}")
    if made is None:
        return Standing(place="session", why=f"{lacking}; no control group may be made here")
    remove_cgroup(made)
    return Standing(place="cgroup", why=lacking)


def _no_unit() -> str:
    """Say why systemd gives us no unit; empty when it does."""
    if not _SYSTEMD.is_dir():
        return "systemd does not run this machine"
    prefix = unit_prefix(f"probe-{os.getpid()}")
    if not prefix:
        return "there is no systemd-run, or no user manager"
    try:
        done = subprocess.run(  # noqa: S603 - our own argv
            [*prefix, "true"], stdin=subprocess.DEVNULL, capture_output=True, timeout=_TRY_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"systemd-run: {error}"
    return "" if done.returncode == 0 else "systemd-run: " + done.stderr.decode(errors="replace").strip()[:200]


def unit_prefix(run_id: str) -> list[str]:
    """Return the words before a command that give it a transient scope; empty where systemd is not there to ask.

    A scope keeps our pipes and the process that is started, which a service unit would not.
    """
    program = shutil.which("systemd-run")
    if program is None or not _SYSTEMD.is_dir():
        return []
    user: list[str] = []
    if os.geteuid() != 0:
        bus = Path(os.environ.get("XDG_RUNTIME_DIR", "/nonexistent")) / "systemd"
        if not bus.is_dir():
            return []
        user = ["--user"]
    return [program, *user, "--scope", "--quiet", "--collect", f"--unit={_MARK}{run_id}", "--"]


def make_cgroup(run_id: str, *, proc: Path = Path("/proc/self")) -> Path | None:
    """Make a control group (v2) of our own beside the one we are in, or else below it; None where neither may be made.

    Beside is better: what is stopped with its whole control group takes those below it along.
    """
    here = _own_cgroup(proc)
    if here is None:
        return None
    mount, path = here
    for parent in ([path.parent] if path != mount else []) + [path]:
        _sweep(parent)
        made = parent / f"{_MARK}{run_id}"
        try:
            made.mkdir()
        except OSError:
            continue
        if os.access(made / "cgroup.procs", os.W_OK):
            return made
        remove_cgroup(made)
    return None


def _sweep(parent: Path) -> None:
    """Remove what killed watchdogs left: groups with nobody in them, but not one that was only just made."""
    for left in parent.glob(f"{_MARK}*"):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _STALE_SECONDS:
                left.rmdir()


def remove_cgroup(path: Path) -> None:
    """Remove it when nobody is in it."""
    with suppress(OSError):
        path.rmdir()


def _own_cgroup(proc: Path) -> tuple[Path, Path] | None:
    """Return where control groups v2 are mounted, and the one we are in."""
    try:
        mounts = (proc / "mountinfo").read_text(encoding="utf-8").splitlines()
        inside = next(
            line[3:] for line in (proc / "cgroup").read_text(encoding="utf-8").splitlines() if line[:3] == "0::"
        )
    except (OSError, StopIteration):
        return None
    for line in mounts:
        left, _, right = line.partition(" - ")
        if right.split(" ")[0] == "cgroup2":
            mount = Path(left.split(" ")[4])
            return mount, mount / inside.lstrip("/")
    return None


def move_into(path: Path) -> bool:
    """Move this process into that control group; return whether that was allowed."""
    try:
        (path / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")
    except OSError:
        return False
    return True


def move_out(path: Path) -> None:
    """Leave that control group for the one above it, and remove it: the last thing a watchdog does."""
    if move_into(path.parent):
        remove_cgroup(path)


def stand_apart(run_id: str, *, in_unit: bool) -> tuple[str, Path | None]:
    """Take for this process what it may have; return the place, and its control group where it made one.

    CPU and memory first: a fault that takes all of either must not hold up its own undo.
    """
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)
    with suppress(OSError):
        _ORDINARY_OOM.write_text(str(_OOM_SCORE), encoding="ascii")
    if in_unit:
        return "unit", None
    made = make_cgroup(run_id)
    if made is not None and move_into(made):
        return "cgroup", made
    if made is not None:
        remove_cgroup(made)
    return "session", None


def give_back() -> None:
    """Be an ordinary process again: what a revert starts must not inherit our privileges."""
    if os.getpriority(os.PRIO_PROCESS, 0) < 0:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, 0)
            _ORDINARY_OOM.write_text("0", encoding="ascii")
