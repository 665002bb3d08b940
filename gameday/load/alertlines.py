"""Looks at alerts, as lines of samples.ndjson."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gameday.model import AlertLook

ALERT = b'{"t":"alert",'
"""How each of these lines begins."""
STATES = ("inactive", "pending", "firing", "suppressed")
_ERROR_LIMIT = 300
"""Characters that are kept of why nothing was seen."""


def alert_line(look: AlertLook) -> dict[str, Any]:
    """Return the line for one look; what is not known is left out."""
    line: dict[str, Any] = {
        "t": "alert",
        "objective": look.objective,
        "source": look.source,
        "at_ms": look.at_ms,
        "took_ms": look.took_ms,
        "every_ms": look.every_ms,
    }
    if look.error:
        return {**line, "error": look.error[:_ERROR_LIMIT]} | ({"wrong": True} if look.wrong else {})
    known = {"state": look.state, "since_ms": look.since_ms, "evaluated_ms": look.evaluated_ms}
    interval = {"interval_ms": look.interval_ms} if look.interval_ms else {}
    return {**line, **{key: value for key, value in known.items() if value is not None}, **interval}


def read_alerts(path: Path) -> tuple[AlertLook, ...]:
    """Read the looks of a whole file, in order of time; a torn or malformed line is no look."""
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return ()
    read = (_look(line) for line in lines if line.startswith(ALERT))
    return tuple(sorted((look for look in read if look is not None), key=lambda look: (look.at_ms, look.objective)))


def _look(line: bytes) -> AlertLook | None:
    """Read one line back; None for one that is damaged: a look that cannot be trusted is missing."""
    try:
        raw: dict[str, Any] = json.loads(line)
        error, state = str(raw.get("error", "")), str(raw.get("state", ""))
        if not error and state not in STATES:
            return None
        return AlertLook(
            objective=str(raw["objective"]),
            source=str(raw["source"]),
            at_ms=int(raw["at_ms"]),
            every_ms=max(1, int(raw["every_ms"])),
            took_ms=max(0, int(raw["took_ms"])),
            state="" if error else state,
            since_ms=_maybe(raw.get("since_ms")),
            evaluated_ms=_maybe(raw.get("evaluated_ms")),
            interval_ms=max(0, int(raw.get("interval_ms", 0))),
            error=error,
            wrong=raw.get("wrong") is True,
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return None


def _maybe(value: object) -> int | None:
    return None if value is None else int(str(value))
