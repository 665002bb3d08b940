"""What a successor writes down: to its log always, to the run's journal where that is possible, and never at the cost of a revert."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from gameday.journal.writer import Journal, JournalError


class Ledger:
    """The records of the watchdog. What the journal does not take yet is kept, and written when it does."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._journal: Journal | None = None
        self._kept: list[tuple[str, Mapping[str, Any]]] = []

    def open(self, why: str, *, lock_seconds: float) -> None:
        """Take the journal over; a holder that hangs in the kernel keeps its lock for longer than a revert may wait."""
        if self._journal is not None:
            return
        try:
            self._journal = Journal.take_over(self._path, by="watchdog", why=why, lock_seconds=lock_seconds)
        except (JournalError, OSError) as error:
            say(f"no journal: {error}")
            return
        for kind, data in self._kept:
            self._append(kind, data)
        self._kept.clear()

    def record(self, kind: str, data: Mapping[str, Any]) -> None:
        """Write one record; a full disk, a closed terminal or a lock that is not free stops nothing."""
        say(f"{kind} {json.dumps(dict(data))}")
        if self._journal is None:
            self._kept.append((kind, data))
        else:
            self._append(kind, data)

    def _append(self, kind: str, data: Mapping[str, Any]) -> None:
        if self._journal is not None:
            with suppress(JournalError):
                self._journal.write(kind, data)

    def close(self) -> None:
        """Put everything on the disk where that is possible, and let go of the journal: ``gameday recover`` may have it."""
        if self._journal is not None:
            with suppress(JournalError):
                self._journal.sync()
            self._journal.close()
            self._journal = None


def say(text: str) -> None:
    """Write a line to our log, which is stderr; a full disk must not stop an undo."""
    with suppress(OSError, ValueError):
        print(f"watchdog: {text}", file=sys.stderr, flush=True)  # noqa: T201 - stderr is its log
