"""Locks on files of the state folder: held by a process, and gone with it, however it ends."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from gameday.model import ProcessRef
from gameday.spi.locks import taken
from gameday.spi.processes import identify

ON = "on.lock"
"""Held by the day that is on."""
SERVER = "server.lock"
"""Held by the server."""
_PATIENCE_S = 3.0
"""For whoever only looked whether it is held."""


@contextmanager
def held(path: Path, *, patience_s: float = _PATIENCE_S) -> Generator[bool]:
    """Hold a lock while the block runs; yield False when another process has it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield taken(descriptor, patience_s, pause=0.05)
    finally:
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether any process holds it."""
    with held(path, patience_s=0) as free:
        return not free


def opener(path: Path, pid: int) -> ProcessRef | None:
    """Return the process with this pid if it has the lock's file open; None for any other that has got the same pid since."""
    ref = identify(pid)
    try:
        lock = path.stat()
        opened = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:  # it ended meanwhile, or is not ours to look at
        return None
    for one in opened:
        with suppress(OSError):  # closed meanwhile
            if os.path.samestat(one.stat(), lock):
                return ref
    return None
