"""A journal record in words: the line that people read while a run is on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gameday.cli.terminal import printable
from gameday.model import Event

QUIET = frozenset(
    {"opened", "injected", "armed", "load-stopped", "revert-called", "proxy-stopped", "process-stopped", "closed"}
)
"""Records that nobody needs to read while the run is on."""


def describe(event: Event) -> str:
    """Say one journal record in one line of words; nothing for one that is quiet or unknown."""
    if event.kind in QUIET:
        return ""
    data = _Words(event.data)
    known = _LINES.get(event.kind)
    return printable(known.format_map(data) if known else _special(event.kind, data))


class _Words(dict[str, Any]):
    """Missing words stay visible instead of failing a run."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        super().__init__(data)
        self.setdefault("by", "runner")

    def __missing__(self, key: str) -> str:
        return f"({key}?)"


_LINES = {
    "watchdog-started": "watchdog is watching (pid {pid})",
    "watchdog-lost": "WATCHDOG LOST: {error}",
    "proxy-started": "fault proxy is up at {control}",
    "process-ready": "{name} is ready after {seconds} s",
    "process-not-ready": "NOT READY: {error}",
    "process-exited": "{name} ended (pid {pid})",
    "load-started": "load generator is up (pid {pid})",
    "load-lost": "LOAD LOST: {error}",
    "inject-called": "injecting {fault}",
    "action-failed": "FAILED: {action} of {fault}: {error}",
    "round": "{fault}: round {round}, on targets chosen anew",
    "round-skipped": "{fault}, round {round} SKIPPED: {why}",
    "met": "{fault} met traffic: {count} connections or requests",
    "deed": "{fault}: done, it cannot be undone; its effect is being judged",
    "ended": "{fault}: came to its own end",
    "observed": "{fault}: observation over",
    "revert-failed": "REVERT of {fault} FAILED: {error}",
    "still-active": "*** {fault} MAY STILL BE ON: {error} ***",
    "abort": "ABORT ({reason}): {detail}; reverting",
    "note": "note: {text}",
    "skipped": "skipping {what}: {why}",
    "taken-over": "{by} takes over: {why}",
    "sealed": "the journal's torn end is sealed",
    "notified": "told {channel} of {event}: {outcome}",
    "approved": "approved for {environment}, where {needed} people had to",
    "budget": "error budget of {slo}: {left} is left as a share, {at_least} is asked for",
    "refused": "REFUSED ({reason}): {detail}",
}
PHASES = {
    "warmup": "warm-up",
    "baseline": "baseline: measuring the steady state",
    "gate": "baseline over; waiting until each of its requests is decided",
    "fault": "fault phase",
    "recovery": "recovery: watching the steady state come back",
    "end": "load ends",
}


def _special(kind: str, data: Mapping[str, Any]) -> str:  # noqa: PLR0911 - one line a kind
    match kind:
        case "phase":
            return PHASES.get(str(data["name"]), str(data["name"]))
        case "planned":
            return f"planned {data['fault']}: {data['driver']} on {', '.join(data['targets'])}"
        case "told":
            return _told(data)
        case "gate":
            return _gate(data)
        case "process-started":
            return f"started {data['name']} (pid {data['pid']})" + (" again" if data.get("restarted") else "")
        case "active":
            return _active(data)
        case "unproven":
            return f"NOT PROVEN: {data['fault']} ({data['why']})"
        case "recovery":
            return _recovery(data)
        case "reverted":
            how = "reverted, proven gone" if data.get("proven") else "reported undone (there is no check)"
            return f"{data['fault']} {how}"
        case _:
            return ""


def _gate(data: Mapping[str, Any]) -> str:
    if not data["passed"]:
        return "STEADY STATE DOES NOT HOLD: nothing is injected"
    return "steady state holds; injecting" if data.get("objectives", True) else ""


def _told(data: Mapping[str, Any]) -> str:
    """Say what an experiment that runs by itself tells, as far as people want to read it."""
    match data["what"]:
        case "activity":
            error = f": {data['error']}" if data["error"] else ""
            return f"  {data['section']}: {data['name']} {data['status']}{error}"
        case "hypothesis":
            return f"  steady state {'is met' if data['met'] else 'IS NOT MET'} ({data['when']})"
        case "signalled" | "asked-to-stop" | "interrupted":
            return f"  the experiment is being stopped ({data['what']})"
        case _:
            return ""


def _recovery(data: Mapping[str, Any]) -> str:
    """Say how far a loss is made good; the last word only where it is not."""
    name = data["fault"] + (f", round {data['round']}" if data.get("round", 1) > 1 else "")
    if data.get("error"):
        return f"NOT KNOWN whether {name} is made good: {data['error']}"
    count, after = f"{data['back']} of {data['lost']}", f"{data['after_ms'] / 1000:.1f} s"
    waits = f": {data['detail']}" if data.get("detail") else ""
    if data["recovered"]:
        return f"{name}: {count} replaced and ready after {after}{waits}"
    return f"{name}: {'NOT RECOVERED, ' if data.get('end') else ''}{count} replaced and ready, {after} after the loss{waits}"


def _active(data: Mapping[str, Any]) -> str:
    if data["when"] == "proof":
        return f"{data['fault']} is on, proven"
    return "" if data["active"] else f"{data['fault']} is gone too early"
