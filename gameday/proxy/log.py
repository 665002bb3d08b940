"""What happens, one JSON object a line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any


class Log:
    """Writes events with their time in UTC; text from outside is escaped by JSON."""

    def __init__(self, write: Callable[[str], object] | None = None) -> None:
        self._write = write

    def event(self, event: str, **details: Any) -> None:
        """Write one event."""
        if self._write is not None:
            at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            self._write(json.dumps({"at": at, "event": event, **details}) + "\n")


def to_stderr(line: str) -> None:
    """Write a line where logs go; a log that nobody can take is no reason to stop."""
    try:
        sys.stderr.write(line)
        sys.stderr.flush()
    except OSError:
        pass
