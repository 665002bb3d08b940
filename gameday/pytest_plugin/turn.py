"""One run at a time: experiments own ports, processes and proxies, and two at once would measure each other."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager

from gameday.undo.state import state_dir


@contextmanager
def turn() -> Generator[int]:
    """Wait until no other test of this user runs an experiment, however many workers or sessions there are.

    Yields the descriptor of the lock. Whoever inherits it holds the turn as well: a run whose pytest was killed keeps it until
    its faults are reverted.
    """
    descriptor = os.open(state_dir() / "pytest.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)
