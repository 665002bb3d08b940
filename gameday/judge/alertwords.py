"""What an alert did, in words."""

from __future__ import annotations

from gameday.judge.words import seconds
from gameday.model import Json

_WHY = {
    "no-data": "nobody looked at it well enough to say that it did not fire",
    "stale": "its rule was not evaluated any more",
    "query-error": "its source has no such rule, or cannot evaluate it",
    "too-short": "the fault was too short for the time that it is given",
    "alert-before": "it fired before the fault",
    "load-generator": "the load that should have made it fire was not reliable",
    "fault-unproven": "it is not proven that the fault was in force",
}


def told(alert: Json) -> str:
    """Say what an alert did: ``alert Burn fired after 52 s, and was quiet 12 s after the fault``, ``alert Burn stayed silent``."""
    name = f"alert {alert['name']}"
    if alert["before"]:
        return f"{name} fired before the fault"
    if alert["fired_ms"] is None:
        return f"{name} stayed silent"
    fired = f"{name} fired after {seconds(alert['fired_ms'] / 1000)}"
    if alert["resolved_ms"] is None:
        return f"{fired}, and still did at the end" if alert["resolves_within_ms"] is not None else fired
    return f"{fired}, and was quiet {seconds(alert['resolved_ms'] / 1000)} after the fault"


def why(alert: Json) -> str:
    """Say why it is not known what an alert did, with what its source said last."""
    error = f" (it last said: {alert['error']})" if alert.get("error") else ""
    return _WHY.get(alert["reason"], str(alert["reason"])) + error
