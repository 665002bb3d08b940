"""Time to detect, to mitigate and to recover: the three numbers that an incident is measured by, and what each was read from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gameday.judge.windows import Windows
from gameday.model import Json


def measure_times(objectives: Sequence[Json], windows: Windows) -> dict[str, Any]:
    """Return ``times`` of verdict.json from its objectives.

    ``detect`` and ``mitigate`` count from the first proven injection, ``recover`` from the last revert. ``ms`` is None for what did not
    happen or is not known, ``source`` for what nothing could measure.
    """
    alerts = [row["alert"] for row in objectives if row["alert"] and row["alert"]["fires"] == "within"]
    steady = [row for row in objectives if row["recovery"]]
    return {
        "detect": _detect(alerts),
        "mitigate": _mitigate(alerts, steady, windows),
        "recover": _recover(steady),
    }


def _time(ms: int | None, source: str | None) -> dict[str, Any]:
    return {"ms": ms, "source": source}


def _named(alert: Json) -> str:
    return f"alert {alert['name']} ({alert['source']})"


def _detect(alerts: Sequence[Json]) -> dict[str, Any]:
    """Take the alert that fired first; where none did, the first that should have is named."""
    fired = [alert for alert in alerts if alert["fired_ms"] is not None]
    if fired:
        first = min(fired, key=lambda alert: alert["fired_ms"])
        return _time(first["fired_ms"], _named(first))
    return _time(None, _named(alerts[0]) if alerts else None)


def _mitigate(alerts: Sequence[Json], steady: Sequence[Json], windows: Windows) -> dict[str, Any]:
    """Take the end of the last alert that fired; without one, the return to steady state."""
    fault, recovery = windows.fault, windows.recovery
    fired = [alert for alert in alerts if alert["fired_ms"] is not None]
    after = 0 if fault is None or recovery is None else recovery.from_ms - fault.from_ms
    known = fault is not None and recovery is not None
    if fired:
        open_ = [alert for alert in fired if alert["resolved_ms"] is None]
        last = open_[0] if open_ else max(fired, key=lambda alert: alert["resolved_ms"])
        ms = after + last["resolved_ms"] if known and not open_ else None
        return _time(ms, f"{_named(last)} resolved")
    back = _recover(steady)
    ms = after + back["ms"] if known and back["ms"] is not None else None
    return _time(ms, back["source"] and f"{back['source']} regained")


def _recover(steady: Sequence[Json]) -> dict[str, Any]:
    """Take the objective that came back last."""
    if not steady:
        return _time(None, None)
    lost = [row for row in steady if row["recovery"]["seconds"] is None]
    last = lost[0] if lost else max(steady, key=lambda row: row["recovery"]["seconds"])
    ms = None if lost else round(1000 * last["recovery"]["seconds"])
    return _time(ms, f"steady state of {last['name']}")
