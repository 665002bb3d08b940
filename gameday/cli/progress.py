"""Progress in plain timestamped lines on stderr: what a person or a CI log needs to follow a run."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Self, TextIO

from gameday.model import Event

HEARTBEAT_SECONDS = 30.0
_QUIET = frozenset(
    {"opened", "injected", "armed", "load-stopped", "revert-called", "proxy-stopped", "process-stopped", "closed"}
)


class Progress:
    """Writes one line for each thing worth knowing, and one every 30 s when nothing happens."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self._last = time.monotonic()
        self._doing = "starting"
        self._done = threading.Event()

    def __call__(self, event: Event) -> None:
        """Take in one journal record."""
        if event.kind == "phase":
            self._doing = str(event.data["name"])
        line = None if event.kind in _QUIET else describe(event)
        if line:
            self.say(line, event.wall)

    def say(self, line: str, wall: float | None = None) -> None:
        """Write one line; a closed terminal must never stop a run."""
        self._last = time.monotonic()
        stamp = time.strftime("%H:%M:%S", time.localtime(wall if wall is not None else time.time()))
        with suppress(OSError, ValueError):
            self._stream.write(f"{stamp} {line}\n")
            self._stream.flush()

    def __enter__(self) -> Self:
        """Start the heartbeat."""
        threading.Thread(target=self._heartbeat, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the heartbeat."""
        self._done.set()

    def _heartbeat(self) -> None:
        while not self._done.wait(1.0):
            if time.monotonic() - self._last >= HEARTBEAT_SECONDS:
                self.say(f"… {self._doing} goes on")


def describe(event: Event) -> str:
    """Say one journal record in words."""
    data = event.data
    known = _LINES.get(event.kind)
    return known.format_map(_Words(data)) if known else _special(event.kind, data)


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
    "deed": "{fault}: done, it cannot be undone; its effect is being judged",
    "observed": "{fault}: observation over",
    "revert-failed": "REVERT of {fault} FAILED: {error}",
    "still-active": "*** {fault} MAY STILL BE ON: {error} ***",
    "abort": "ABORT ({reason}): {detail}; reverting",
    "note": "note: {text}",
    "skipped": "skipping {what}: {why}",
    "refused": "REFUSED ({reason}): {detail}",
}
_PHASES = {
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
            return _PHASES.get(str(data["name"]), str(data["name"]))
        case "planned":
            return f"planned {data['fault']}: {data['driver']} on {', '.join(data['targets'])}"
        case "gate":
            return (
                "steady state holds; injecting" if data["passed"] else "STEADY STATE DOES NOT HOLD: nothing is injected"
            )
        case "process-started":
            return f"started {data['name']} (pid {data['pid']})" + (" again" if data.get("restarted") else "")
        case "active":
            return _active(data)
        case "unproven":
            return f"NOT PROVEN: {data['fault']} ({data['why']})"
        case "met":
            return f"{data['fault']} met traffic: {data['count']} connections or requests"
        case "reverted":
            how = "reverted, proven gone" if data.get("proven") else "reported undone (there is no check)"
            return f"{data['fault']} {how}"
        case _:
            return ""


def _active(data: Mapping[str, Any]) -> str:
    if data["when"] == "proof":
        return f"{data['fault']} is on, proven"
    return "" if data["active"] else f"{data['fault']} is gone too early"
