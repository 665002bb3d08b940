"""``gameday`` as the child of a test: it stops, and reverts, when the test's process is gone."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask for a SIGTERM at the parent's death, then be ``gameday``; argv is the parent's pid, the lock, and gameday's own words."""
    parent, lock = int(sys.argv[1]), int(sys.argv[2])
    sys.argv = ["gameday", *sys.argv[3:]]
    os.set_inheritable(lock, False)  # noqa: FBT003 - what we start must not hold the turn
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the test that wanted this run is gone; nothing was started")
    from gameday.cli import main as gameday  # noqa: PLC0415 - only after the kernel was asked

    gameday()


if __name__ == "__main__":
    main()
