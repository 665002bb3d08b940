"""What a Chaos Toolkit experiment told, judged: what is missing is never a pass, and a violation is a fail however it ended."""

from __future__ import annotations

from typing import Any

import pytest

from gameday.judge.chaostoolkit import Judgement, Played, judge_activities, judge_hypothesis
from gameday.judge.traces import Trace
from gameday.model import Event
from gameday.schema.experiment import FaultSpec


def played(*told: dict[str, Any]) -> Played:
    spec = FaultSpec.model_validate({"name": "experiment", "do": "chaostoolkit.experiment", "for": "1h"})
    events = tuple(
        Event(seq=n, kind="told", at_ms=n, wall=1.0, data={"fault": "experiment", **data})
        for n, data in enumerate(told)
    )
    return Played(Trace(spec=spec, events=events))


def looked(when: str, met: bool) -> dict[str, Any]:
    return {"what": "hypothesis", "when": when, "met": met, "probes": [{"name": "p", "met": met, "output": "3"}]}


def did(section: str = "method", status: str = "succeeded", kind: str = "action", **more: Any) -> dict[str, Any]:
    return {"what": "activity", "section": section, "type": kind, "name": "a", "status": status, "error": "", **more}


def ended(**more: Any) -> dict[str, Any]:
    return {"what": "ended", "status": "completed", "deviated": False, "iterations": 0, "violations": 0, **more}


def word(found: Judgement | None) -> str:
    return "" if found is None else f"{found[0].verdict.word} {found[0].reason}"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ([looked("before", True), did(), looked("after", True), ended()], "pass proven"),
        ([looked("before", True), did(), looked("after", False), ended(deviated=True)], "fail broken"),
        (
            [looked("before", True), did(), looked("during", False), looked("after", True), ended(iterations=3)],
            "fail broken",
        ),
        ([looked("before", True), did(), ended()], "inconclusive no-data"),
        ([looked("before", True), did(), ended(iterations=4)], "pass proven"),
        ([did(), looked("after", True), ended()], "inconclusive baseline"),
        ([did(), ended(iterations=4)], "inconclusive baseline"),
        ([did(), ended()], "inconclusive no-data"),
        (
            [looked("before", True), {"what": "watch-failed", "error": "x"}, looked("after", True), ended()],
            "inconclusive query-error",
        ),
        ([looked("before", False), ended()], ""),
    ],
)
def test_its_hypothesis(told: list[dict[str, Any]], said: str) -> None:
    assert word(judge_hypothesis(played(*told), needed=True, cut_short=False)) == said


def test_a_run_that_was_cut_short_proves_only_what_is_broken() -> None:
    whole = [looked("before", True), did(), looked("after", True), ended()]
    broken = [looked("before", True), looked("during", False)]
    assert judge_hypothesis(played(*whole), needed=True, cut_short=True) is None
    assert word(judge_hypothesis(played(*broken), needed=True, cut_short=True)) == "fail broken"


def test_objectives_of_ours_will_do_without_a_hypothesis() -> None:
    assert judge_hypothesis(played(did(), ended()), needed=False, cut_short=False) is None


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ([looked("before", True), did(), did("rollbacks"), ended()], ""),
        ([did(status="failed", error="no host"), ended()], "inconclusive action-failed"),
        ([did(), did("rollbacks", status="failed"), ended()], "inconclusive action-failed"),
        ([did(status="interrupted"), ended()], "inconclusive action-failed"),
        ([did(kind="probe", status="failed"), did(), ended()], "inconclusive action-failed"),
        ([did(), ended(status="aborted")], "inconclusive action-failed"),
        ([did(kind="probe"), ended()], "inconclusive skipped"),
        ([did(dry=True), ended()], "inconclusive skipped"),
        ([looked("before", False), ended()], "inconclusive baseline"),
    ],
)
def test_its_activities(told: list[dict[str, Any]], said: str) -> None:
    assert word(judge_activities(played(*told).trace)) == said
