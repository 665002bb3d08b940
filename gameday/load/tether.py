"""What the load child asks of the kernel before anything else: to die with its parent, to go first, to open many files."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_NICE = -5
_AUTOGROUP = Path("/proc/self/autogroup")
EXIT_ORPHAN = 3


def die_with_parent() -> None:
    """Ask the kernel for SIGKILL when the parent's thread that started us ends, in this process and in each it forks.

    The request is cleared by fork, hence again after it (PR_SET_PDEATHSIG, prctl(2)). Elsewhere than on Linux only the end
    of file on standard input tells, which the control loop watches.
    """
    if not sys.platform.startswith("linux"):
        return
    _ask_kernel()
    parent = os.getpid()

    def again() -> None:
        _ask_kernel()
        leave_unless_child_of(parent)

    os.register_at_fork(after_in_child=again)


def _ask_kernel() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")


def leave_unless_child_of(parent_pid: int) -> None:
    """End at once when the parent was gone before the kernel was asked: it would never send the signal."""
    if os.getppid() != parent_pid:
        os._exit(EXIT_ORPHAN)


def go_first() -> None:
    """Ask for a little more than an equal share of the processor, where we may: an instrument that waits for its object measures itself.

    Where Linux shares it out among sessions first (autogroup, sched(7)), a priority counts within the session only: then the session, which
    is our own, asks for the same.
    """
    with suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, _NICE)
    if os.getsid(0) == os.getpid():
        with suppress(OSError):
            _AUTOGROUP.write_text(str(_NICE), encoding="ascii")


def raise_open_files() -> None:
    """Raise the soft limit of open files to the hard one: each request in flight holds a socket."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
