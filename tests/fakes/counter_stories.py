"""Runs whose objective is on two counters of a Prometheus: what they did, second by second, and what it says of them afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gameday.model import Testimony as Said
from gameday.model import Track
from tests.fakes.stories import END, Story, experiment

EVERY = 1_000
FRONT = {"job": "front", "instance": "a:1"}
Bad = Callable[[int], float]
"""Millisecond → how many of the fifty requests of the second before it were bad."""


def none(_at: int) -> float:
    return 0


def burst(from_ms: int, to_ms: int, bad: float) -> Bad:
    return lambda at: bad if from_ms < at <= to_ms else 0


def track(
    grown: Callable[[int], float], *, every: int = EVERY, start: int = -300, end: int = END + 2_500, **labels: str
) -> Track:
    """A counter that has grown by ``grown(at)`` in each interval that ends then; scrapes are 300 ms off the second."""
    value, samples = 1_000.0, list[tuple[int, float]]()
    for at in range(start, end, every):
        value += grown(at)
        samples.append((at, value))
    return Track(labels={**FRONT, **labels}, samples=tuple(samples))


def said(how: Bad = none, /, *, every: int = EVERY, **parts: tuple[Track, ...]) -> Said:
    per_step = 50 * every / 1_000
    found: dict[str, tuple[Track, ...]] = {
        "bad": (track(how, every=every, code="503"),),
        "total": (track(lambda _: per_step, every=every),),
        "up": (replace(track(none, every=every), samples=tuple((at, 1.0) for at in range(-300, END + 2_500, every))),),
    }
    return Said(name="api", at_ms=END + 3_000, from_ms=-120_000, to_ms=END, parts={**found, **parts})


def counter_story(*testimonies: Said, expect: str = "ratio(api) < 5%", **more: Any) -> Story:
    """The default story with its objective on counters, and no load of its own."""
    file = experiment(
        sources={"prometheus": {"url": "http://127.0.0.1:9090"}},
        slis={"api": {"prometheus": {"bad": "errors_total", "total": "requests_total"}}, **more.pop("slis", {})},
        objectives={"api": {"expect": expect, "recover": {"within": "15s", "hold": "10s"}, **more}},
    )
    del file["load"]
    return Story(file=file, testimonies=testimonies, rows=[], ticks=[])
