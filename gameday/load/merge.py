"""Several load generators as one: rows pass through, totals are added up, and whoever is silent is missing. Pure.

The merged messages keep what docs/run-folder.md says of them: in a tick, every arrival intended before ``at_ms - oldest_in_flight_ms``
is decided, and its row is in an ``agg`` before it, for all that are not missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gameday.load.protocol import Message

SILENT_NS = 1_500_000_000
"""A pulse comes every 100 ms: a generator that is silent for this long is missing."""
_TOTALS = ("intended", "sent", "completed", "capped", "bad", "in_flight")
_EVENTS = ("started", "late", "capped", "generator_errors")
"""Counted in a second."""
_LEVELS = ("in_flight", "rss_mb", "rate", "users")
"""As they are at its end."""
_FLYING = ("in_flight",)


@dataclass(slots=True)
class _Source:
    heard_ns: int
    pulse: Message | None = None
    tick: Message | None = None
    fresh: bool = False
    decided_ms: int | None = None
    bye: Message | None = None
    lost: bool = False


class Merger:
    """Takes the messages of each generator, and makes those of all of them."""

    def __init__(self, put: Callable[[Message], None], *, expect: int) -> None:
        self._put = put
        self._expect = expect
        self._sources: dict[str, _Source] = {}
        self.strangers: set[str] = set()
        """Generators that take part and cannot be counted."""

    def add(self, source: str, now_ns: int) -> None:
        """Expect messages of this generator from now on."""
        self._sources.setdefault(source, _Source(now_ns))

    def lose(self, source: str) -> None:
        """Note that a generator is gone for good; the end of one that said bye is none."""
        found = self._sources.get(source)
        if found is not None and found.bye is None:
            found.lost = True

    def feed(self, source: str, message: Message, now_ns: int) -> None:
        """Take one message of a generator that was added."""
        found = self._sources[source]
        found.heard_ns = now_ns
        match message["t"]:
            case "agg" | "log":
                self._put(message)
            case "pulse":
                found.pulse = message
            case "tick":
                found.tick = message if not found.fresh or found.tick is None else _after(found.tick, message)
                found.fresh = True
                found.decided_ms = message["at_ms"] - message["oldest_in_flight_ms"]
            case "bye":
                found.bye = message
            case _:
                pass

    def missing(self, now_ns: int) -> int:
        """Return how many generators are not there, or not to be counted."""
        there = sum(self._there(source, now_ns) for source in self._sources.values())
        return max(self._expect, len(self._sources)) - there + len(self.strangers)

    def _there(self, source: _Source, now_ns: int) -> bool:
        return source.bye is not None or (not source.lost and now_ns - source.heard_ns < SILENT_NS)

    def over(self, now_ns: int) -> bool:
        """Whether every generator has said its last word, or will never."""
        return all(source.bye is not None or not self._there(source, now_ns) for source in self._sources.values())

    def pulse(self, at_ms: int) -> None:
        """Send the totals of all; what a lost generator had in flight is not in flight any more."""
        pulses = [(s.pulse, s.lost) for s in self._sources.values() if s.pulse is not None]
        merged: Message = {"t": "pulse", "at_ms": at_ms}
        for name in _TOTALS:
            merged[name] = sum(p[name] for p, lost in pulses if not (lost and name in _FLYING))
        merged["over"] = _added(p["over"] for p, lost in pulses if not lost)
        merged["slower"] = _added(p["slower"] for p, _ in pulses)
        self._put(merged)

    def tick(self, now_ns: int) -> None:
        """Send the account of all since the last time; nothing when nobody told anything."""
        ticks = [s.tick for s in self._sources.values() if s.fresh and s.tick is not None]
        if not ticks:
            return
        for source in self._sources.values():
            source.fresh = False
        merged = _joined(ticks)
        there = [s for s in self._sources.values() if self._there(s, now_ns)]
        waited = [s.decided_ms for s in there if s.decided_ms is not None]
        merged["oldest_in_flight_ms"] = max(0, merged["at_ms"] - min(waited, default=merged["at_ms"]))
        merged["workers"] = len(there)
        merged["missing"] = self.missing(now_ns)
        self._put(merged)

    def bye(self, now_ns: int, *, drained: bool = True) -> None:
        """Send the last tick and the last word: whole only when that of every generator was, and none is missing."""
        self.tick(now_ns)
        byes = [s.bye for s in self._sources.values() if s.bye is not None]
        whole = drained and self.missing(now_ns) == 0 and all(bye["drained"] for bye in byes)
        self._put(
            {
                "t": "bye",
                "offered": sum(bye["offered"] for bye in byes),
                "completed": sum(bye["completed"] for bye in byes),
                "drained": whole,
            }
        )


def _joined(ticks: Sequence[Message]) -> Message:
    merged: Message = {"t": "tick", "at_ms": max(tick["at_ms"] for tick in ticks)}
    for name in (*_EVENTS, *_LEVELS):
        merged[name] = round(sum(tick.get(name, 0) for tick in ticks), 6)
    merged["lag_p99_ms"] = max(tick["lag_p99_ms"] for tick in ticks)
    merged["cpu"] = max(tick["cpu"] for tick in ticks)
    decided = min(tick["at_ms"] - tick["oldest_in_flight_ms"] for tick in ticks)
    return {**merged, "oldest_in_flight_ms": max(0, merged["at_ms"] - decided), "workers": 1, "missing": 0}


def _after(first: Message, second: Message) -> Message:
    """Return the account of two seconds of one generator."""
    worst = {name: max(first[name], second[name]) for name in ("lag_p99_ms", "cpu")}
    return {**second, **worst, **{name: first[name] + second[name] for name in _EVENTS}}


def _added(counts: Iterable[dict[str, Any]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(total)
