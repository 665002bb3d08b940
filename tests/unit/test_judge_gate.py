"""The gate before the fault: what lets a run go on, and what does not."""

from __future__ import annotations

from typing import Any

from gameday.judge import GateDecision, judge_gate
from gameday.model import Reason, Run
from tests.fakes.stories import BASELINE, GATE, Story, between, experiment, frame, good, rows, ticks


def at_gate(**changes: Any) -> Run:
    """The run as the gate sees it: its baseline is over, and nothing else."""
    parts: dict[str, Any] = {"rows": rows(good, to_ms=GATE), "ticks": ticks(to_ms=GATE), "events": frame(), **changes}
    story = Story(**parts)
    story.events = [told for told in story.events if told[0] <= GATE]
    story.closed, story.stopped, story.said_bye = False, False, False
    return story.run()


def judged(**changes: Any) -> GateDecision:
    return judge_gate(at_gate(**changes))


def test_a_baseline_that_proves_its_objective_passes() -> None:
    decision = judged()
    assert (decision.passed, decision.reason) == (True, Reason.PROVEN)
    assert decision.objectives == ({"name": "available", "result": "pass", "reason": "proven", "n": 1_000, "k": 0},)


def test_a_broken_baseline_does_not() -> None:
    decision = judged(rows=rows(between(BASELINE, GATE, 1), to_ms=GATE))
    assert (decision.passed, decision.reason) == (False, Reason.BASELINE)
    assert decision.objectives[0]["result"] == "fail"


def test_too_few_requests_are_tolerated_while_the_counts_keep_the_objective() -> None:
    strict = experiment(objectives={"available": {"expect": "errors < 0.2%", "recover": {"hold": "10s"}}})
    kept = judged(file=strict, rows=rows(lambda slot: int(slot == 100), to_ms=GATE))
    assert (kept.passed, kept.objectives[0]["reason"]) == (True, "too-few")
    over = judged(file=strict, rows=rows(lambda slot: int(slot in (100, 120, 130)), to_ms=GATE))
    assert (over.passed, over.reason, over.objectives[0]["result"]) == (False, Reason.BASELINE, "inconclusive")


def test_no_data_does_not_pass() -> None:
    where = experiment(objectives={"available": {"expect": "errors < 5%", "where": {"endpoint": "nobody"}}})
    assert judged(file=where).objectives[0]["reason"] == "no-data"
    assert not judged(file=where).passed
    assert not judged(rows=[]).passed
    assert not judged(events=[(0, "opened", {})]).passed


def test_requests_outside_the_baseline_decide_nothing() -> None:
    assert judged(rows=rows(between(0, BASELINE, 5), to_ms=GATE)).passed


def test_a_generator_that_did_not_keep_up_stops_the_run() -> None:
    for sick in (ticks(to_ms=GATE, cpu=0.9), ticks(to_ms=GATE, late=1)):
        decision = judged(ticks=sick)
        assert (decision.passed, decision.reason) == (False, Reason.LOAD_GENERATOR)
        assert decision.problems
    assert judged(ticks=[]).reason is Reason.LOAD_GENERATOR
    assert judged(rows=[row for row in rows(good, to_ms=GATE) if row.slot % 12]).reason is Reason.LOAD_GENERATOR
    lost = Story(events=[*frame(), (GATE - 1, "load-lost", {"error": "killed"})])
    assert judged(events=lost.events).reason is Reason.LOAD_GENERATOR


def test_each_criterion_of_an_objective_must_hold() -> None:
    several = experiment(objectives={"available": {"expect": "errors < 5%\nthroughput > 99%"}})
    decision = judged(file=several, rows=rows(lambda slot: int(slot % 18 == 0), to_ms=GATE, kind="timeout"))
    assert not decision.passed
    assert decision.objectives[0] == {"name": "available", "result": "fail", "reason": "broken", "n": 1_000, "k": 11}
