"""Structured log lines: one JSON object each, on standard error."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Log:
    """The log of one service; what happens at every request belongs into its metrics instead."""

    service: str

    def info(self, event: str, **fields: object) -> None:
        """Write what is worth knowing once."""
        self._write("info", event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Write what somebody should look at."""
        self._write("warning", event, fields)

    def _write(self, level: str, event: str, fields: dict[str, object]) -> None:
        line = {"time": round(time.time(), 3), "level": level, "service": self.service, "event": event, **fields}
        print(json.dumps(line), file=sys.stderr, flush=True)
