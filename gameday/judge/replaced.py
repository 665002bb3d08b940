"""Whether what a fault took away was replaced before the run was over: as the run looked, loss by loss.

Only a run whose plan said that something replaces what the fault takes away is asked for it. There, what was not seen to come back has
not come back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from gameday.judge.traces import Trace
from gameday.judge.words import seconds
from gameday.model import Event, Json

RECOVERED, NOT_RECOVERED, UNKNOWN, NOT_EXPECTED = "recovered", "not-recovered", "unknown", "not-expected"
_SAID = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """What became of everything that a fault took away, in all of its rounds."""

    result: str
    lost: int
    wanted: int
    back: int
    at_ms: int | None
    """When the last one was back; None while one is missing."""
    after_ms: int | None
    """The longest time from a proven loss to its recovery; None as above."""
    detail: str

    @property
    def missing(self) -> bool:
        """Whether it takes the pass away."""
        return self.result in (NOT_RECOVERED, UNKNOWN)

    def to_json(self) -> dict[str, Any]:
        """As verdict.json has it."""
        return {
            "result": self.result,
            "lost": self.lost,
            "wanted": self.wanted,
            "back": self.back,
            "at_ms": self.at_ms,
            "after_ms": self.after_ms,
            "detail": self.detail,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loss:
    """One proven loss, and the last that was seen of it."""

    round: int
    expected: int
    since_ms: int
    seen: Event | None

    def count(self, key: str) -> int:
        return int(self.seen.data.get(key) or 0) if self.seen else (0 if key == "back" else self.expected)

    @property
    def done(self) -> bool:
        return self.seen is not None and self.seen.data.get("recovered") is True

    @property
    def error(self) -> str:
        return "nobody looked" if self.seen is None else str(self.seen.data.get("error") or "")[:_SAID]


def judge_replaced(trace: Trace) -> Replaced | None:
    """Say what became of what a fault took away; None where its plan expects nothing, or nothing is proven to be lost."""
    found = list(_losses(trace))
    if not found:
        return None
    losses = [loss for loss in found if loss.expected]
    if not losses:
        return _made(NOT_EXPECTED, [], trace, "nothing starts it again, as its plan said")
    result = RECOVERED
    if any(not loss.done for loss in losses):
        result = UNKNOWN if all(loss.done or loss.error for loss in losses) else NOT_RECOVERED
    detail = _words(trace, losses, result)
    if trace.spec.recovery == "not-expected":
        return _made(NOT_EXPECTED, losses, trace, f"{detail}; the file does not expect it to")
    return _made(result, losses, trace, detail)


def _losses(trace: Trace) -> Iterator[_Loss]:
    """Yield each proven loss whose plan says how many something replaces."""
    planned = trace.last("planned")
    expected: Any = planned.data.get("replaced") if planned else None
    number, proven = 1, False
    for event in trace.events:
        if event.kind in ("armed", "round"):
            plan: Json = event.data.get("plan") or {}
            expected = plan.get("replaced", expected if event.kind == "armed" else None)
            number, proven = int(event.data.get("round") or 1), False
        elif _is_proof(trace, event) and not proven:
            proven = True
            if isinstance(expected, int):
                seen = _last_seen(trace, number)
                yield _Loss(round=number, expected=expected, since_ms=event.at_ms, seen=seen)


def _is_proof(trace: Trace, event: Event) -> bool:
    if not trace.reversible:
        return event.kind == "deed"
    return event.kind == "active" and event.data.get("active") is True


def _last_seen(trace: Trace, number: int) -> Event | None:
    return next((event for event in reversed(trace.of("recovery")) if event.data.get("round", 1) == number), None)


def _made(result: str, losses: Sequence[_Loss], trace: Trace, detail: str) -> Replaced:
    done = bool(losses) and all(loss.done for loss in losses)
    firsts = [_done_since(trace, loss) for loss in losses] if done else []
    return Replaced(
        result=result,
        lost=sum(loss.count("lost") for loss in losses),
        wanted=sum(loss.count("wanted") for loss in losses),
        back=sum(loss.count("back") for loss in losses),
        at_ms=max((event.at_ms for event in firsts), default=None),
        after_ms=max((int(event.data.get("after_ms") or 0) for event in firsts), default=None),
        detail=detail,
    )


def _done_since(trace: Trace, loss: _Loss) -> Event:
    """Return the record from which on it was always seen recovered."""
    since = [event for event in trace.of("recovery") if event.data.get("round", 1) == loss.round]
    first = since[-1]
    for event in reversed(since):
        if event.data.get("recovered") is not True:
            break
        first = event
    return first


def _words(trace: Trace, losses: Sequence[_Loss], result: str) -> str:
    lost, wanted, back = (sum(loss.count(key) for loss in losses) for key in ("lost", "wanted", "back"))
    fewer = f" (only {wanted} of them were wanted still)" if wanted < lost else ""
    if result == RECOVERED:
        after = max(int(_done_since(trace, loss).data.get("after_ms") or 0) for loss in losses)
        return f"{back} of {lost} were replaced and ready {seconds(after / 1000)} after the loss was proven{fewer}"
    first = next(loss for loss in losses if not loss.done)
    last_ms = first.seen.at_ms if first.seen is not None else first.since_ms
    if result == UNKNOWN:
        return f"it is not known whether all {lost} were replaced: {first.error}"
    waits = str(first.seen.data.get("detail") or "")[:_SAID] if first.seen is not None else ""
    late = seconds((last_ms - first.since_ms) / 1000)
    why = f": {waits}" if waits else ""
    return f"{wanted - back} of {lost} had no ready successor when the run ended, {late} after{fewer}{why}"
