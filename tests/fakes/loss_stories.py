"""Runs in which pods are killed, told in a few words: which looks saw how many of them back."""

from __future__ import annotations

from typing import Any

from tests.fakes.stories import REVERTED, ZERO, Story, experiment, frame

KILLED, DEED = "pods-killed", ZERO + 50


def killed(*, replaced: int | None = 3, rounds: int = 1, **more: Any) -> Story:
    """Kill pods, in rounds 5 s apart."""
    again: dict[str, Any] = {"every": "5s", "times": rounds} if rounds > 1 else {}
    fault: dict[str, Any] = {"name": KILLED, "do": "k8s.pod-kill", "irreversible": "allow", "observe": "40s"}
    fault |= {**again, **more}
    plan = {"targets": ["pod shop/web-1"], **({} if replaced is None else {"replaced": replaced})}
    story = Story(file=experiment(faults=[fault]), events=frame())
    story.add(4_000, "planned", fault=KILLED, reversible=False, provable=True, **plan)
    story.add(ZERO - 100, "armed", fault=KILLED, plan=plan)
    for number in range(rounds):
        at = ZERO + 5_000 * number
        if number:
            story.add(at - 100, "round", fault=KILLED, round=number + 1, plan=plan)
        story.add(at, "inject-called", fault=KILLED).add(at + 10, "injected", fault=KILLED)
        story.add(at + 40, "active", fault=KILLED, active=True, when="proof").add(at + 50, "deed", fault=KILLED)
    return story.add(REVERTED, "observed", fault=KILLED)


def seen(story: Story, after_ms: int, back: int, *, wanted: int = 3, number: int = 1, **more: Any) -> Story:
    """One look at what became of a loss."""
    at = DEED + 5_000 * (number - 1) + after_ms
    told = {"lost": 3, "wanted": wanted, "back": back, "detail": "", "recovered": back == wanted, "end": False, **more}
    return story.add(at, "recovery", fault=KILLED, round=number, after_ms=after_ms, **told)
