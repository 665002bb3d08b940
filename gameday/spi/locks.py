"""An exclusive lock of an open file or folder; it ends with the descriptor, or with the process."""

from __future__ import annotations

import fcntl
import time


def taken(descriptor: int, seconds: float, pause: float = 0.01) -> bool:
    """Take the lock, waiting at most ``seconds`` for whoever has it, and looking every ``pause``; return whether it was taken."""
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(pause)
        else:
            return True
