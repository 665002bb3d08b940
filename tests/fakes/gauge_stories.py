"""Runs without load whose objective is on a gauge: level, rising, or high for a time, and what is judged of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gameday.model import GaugeSample
from tests.fakes.judged import judged
from tests.fakes.stories import END, ZERO, Story, experiment

EVERY, TIMEOUT = 500, 1_000
"""Milliseconds."""
Value = Callable[[int], float | None]
"""Millisecond → what is read then; None is a reading that fails."""


def readings(value: Value, *, every: int = EVERY, took: int = 20, wrong: bool = False) -> list[GaugeSample]:
    """One reading after another, from the first second to the end; None is one that failed."""
    made: list[GaugeSample] = []
    for at in range(4_800, END, every):
        found = value(at)
        error = "" if found is not None else "connection refused"
        made.append(
            GaugeSample(sli="queue", at_ms=at, took_ms=took, value=found, error=error, wrong=wrong and found is None)
        )
    return made


def calm(_at: int) -> float:
    return 100.0


def rising(per_second: float) -> Value:
    """Level until the fault, then rising."""
    return lambda at: per_second * max(0, at - ZERO) / 1_000


def high(from_ms: int, to_ms: int, value: float | None = 2_000.0) -> Value:
    """100, but from one time to another something else."""
    return lambda at: value if from_ms <= at < to_ms else 100.0


def gauge_story(
    value: Value = calm, *, expect: str = "max(queue) < 1000", during: str = "", every: int = EVERY, **objective: Any
) -> Story:
    """A run without load, whose objective is on a gauge."""
    one = {"expect": expect, "recover": {"within": "15s", "hold": "10s"}, **objective}
    file = experiment(
        slis={"queue": {"http": "http://127.0.0.1:1/", "every": f"{every}ms"}},
        objectives={"backlog": {**one, **({"during": during} if during else {})}},
    )
    del file["load"]
    story = Story(file=file, gauges=readings(value, every=every), rows=(), ticks=(), said_bye=False, stopped=False)
    story.without("load-started")
    return story.add(4_600, "probe-started", sli="queue", probe="http", every_ms=every, timeout_ms=TIMEOUT)


def reason_of(story: Story) -> tuple[str, str]:
    document = judged(story)
    return document["verdict"], document["objectives"][0]["reason"]


def fault_of(story: Story) -> dict[str, Any]:
    return dict(judged(story)["objectives"][0]["criteria"][0]["phases"]["fault"])


def with_load(value: Value = calm, **parts: Any) -> Story:
    """An objective on the load, one on a gauge, and one on both."""
    file = experiment(
        slis={"queue": {"http": "http://127.0.0.1:1/", "every": f"{EVERY}ms"}},
        objectives={
            "available": {"expect": "errors < 5%", "recover": {"within": "15s", "hold": "10s"}},
            "backlog": {"expect": "max(queue) < 1000", "recover": {"within": "15s", "hold": "10s"}},
            "both": {"expect": "errors < 5%\nmax(queue) < 1000", "recover": {"within": "15s", "hold": "10s"}},
        },
    )
    return Story(file=file, gauges=readings(value), **parts)
