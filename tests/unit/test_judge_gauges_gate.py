"""The gate before the fault, by what was read of gauges."""

from __future__ import annotations

from typing import Any

from gameday.judge import judge_gate
from gameday.model import GaugeSample, Reason
from tests.fakes.gauge_stories import gauge_story, high
from tests.fakes.judged import judged
from tests.fakes.stories import BASELINE, GATE, Story, frame


def at_gate(story: Story) -> Any:
    story.events = [told for told in story.events if told[0] <= GATE]
    story.gauges = [sample for sample in story.gauges if sample.at_ms < GATE]
    story.closed, story.stopped, story.said_bye = False, False, False
    return judge_gate(story.run())


def test_the_gate_asks_the_gauges_too() -> None:
    decision = at_gate(gauge_story())
    assert (decision.passed, decision.reason) == (True, Reason.PROVEN)
    assert decision.objectives == (
        {
            "name": "backlog",
            "result": "pass",
            "reason": "proven",
            "n": 40,
            "k": 0,
            "criterion": "max(queue) < 1000",
            "value": 100.0,
            "due": 40,
        },
    )
    for value, reason in ((high(10_000, 11_000), "broken"), (high(BASELINE, GATE, None), "no-data")):
        shut = at_gate(gauge_story(value))
        assert (shut.passed, shut.reason, shut.objectives[0]["reason"]) == (False, Reason.BASELINE, reason)


def test_a_baseline_too_short_to_prove_is_tolerated_while_what_was_read_keeps_it() -> None:
    story = gauge_story(every=30_000)
    story.gauges = [GaugeSample(sli="queue", at_ms=10_000, took_ms=10, value=100.0)]
    decision = at_gate(story)
    assert (decision.passed, decision.objectives[0]["reason"]) == (True, "too-short")
    story.gauges = []
    assert not at_gate(story).passed


def test_the_finding_of_a_shut_gate_says_what_was_read() -> None:
    story = gauge_story(high(BASELINE, GATE, None))
    story.events = [told for told in frame() if told[0] < GATE + 100 and told[1] != "load-started"]
    story.add(GATE + 200, "gate", passed=False, reason="baseline", objectives=[]).add(GATE + 300, "phase", name="end")
    document = judged(story)
    assert (document["verdict"], document["reasons"]) == ("inconclusive", ["baseline"])
    assert (
        "nothing was read of queue (0 of 40 readings are there; the last error: connection refused)"
        in (document["findings"][0]["saw"])
    )
