"""A run with an alert beside the load's objective: what its source said at each look, and what Prometheus has in its store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gameday import model
from gameday.model import AlertLook, Track
from tests.fakes.judged import judged
from tests.fakes.stories import BASELINE, END, PROVEN, REVERTED, Story, experiment

STEP = 1_000
"""Milliseconds between looks, and between evaluations of the rule."""
FIRED = PROVEN + 12_000
DURING = ((FIRED, REVERTED + 5_000),)
"""It fires 12 s after the fault is proven, and is quiet 5 s after its revert."""
Spans = Sequence[tuple[int, int]]


def looks(firing: Spans = (), *, source: str = "prometheus", **changes: Any) -> list[AlertLook]:
    """A look each second, of a rule that is evaluated just before."""

    def state(at: int) -> str:
        return "firing" if any(begin <= at < end for begin, end in firing) else "inactive"

    rules = source == "prometheus"
    seen = [
        AlertLook(
            objective="paged",
            source=source,
            at_ms=at,
            every_ms=STEP,
            took_ms=5,
            state=state(at),
            evaluated_ms=at - 300 if rules else None,
            interval_ms=STEP if rules else 0,
        )
        for at in range(BASELINE - 1_000, END + 3_000, STEP)
    ]
    return [replace(look, **changes) for look in seen]


def record(firing: Spans = (), *, fed: Spans | None = ((-100_000, END + 3_000),)) -> model.Testimony:
    """What Prometheus has in its store: an evaluation each second, 300 ms before the whole one."""

    def every(spans: Spans) -> tuple[Track, ...]:
        times = [at for begin, end in spans for at in range(begin, end, STEP)]
        return (Track(samples=tuple((at, 1.0) for at in times)),) if times else ()

    parts = {"firing": every(firing), **({} if fed is None else {"fed": every(fed)})}
    return model.Testimony(
        name="paged",
        at_ms=END + 3_000,
        from_ms=-100_000,
        to_ms=END,
        parts=parts,
        facts={"interval_ms": STEP, "fed_step_ms": STEP},
    )


def alert_story(firing: Spans = (), *, sources: Mapping[str, Any] | None = None, **objective: Any) -> Story:
    """A run of 40 s of a fault and 30 s after it, with an alert beside the load's objective."""
    asked = {"alert": "Burn", "fires": "within 30s", **objective}
    declared = {"prometheus": {"url": "http://127.0.0.1:9090"}} if sources is None else sources
    file = experiment(sources=declared)
    told = Story(file={**file, "objectives": {**file["objectives"], "paged": asked}})
    told.alerts = looks(firing)
    told.testimonies = [record(firing)]
    return told


def paged(told: Story) -> dict[str, Any]:
    document = judged(told)
    found = next(row for row in document["objectives"] if row["name"] == "paged")
    assert found["criteria"] == []
    assert found["recovery"] is None
    return {**found["alert"], "times": document["times"], "whole": document}


def said(told: Story) -> tuple[str, str]:
    found = paged(told)
    return found["result"], found["reason"]
