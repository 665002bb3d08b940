"""The gate before the fault, by what was seen of alerts."""

from __future__ import annotations

from typing import Any

import pytest

from gameday.judge import judge_gate
from tests.fakes.alert_stories import alert_story, looks, paged
from tests.fakes.stories import BASELINE, END


def test_the_gate_opens_when_the_alert_is_silent_and_somebody_looked() -> None:
    decision = judge_gate(alert_story().run())

    assert (decision.passed, str(decision.reason)) == (True, "proven")
    assert decision.objectives[1]["alert"] == "Burn"
    assert decision.objectives[1]["n"] == 20


def test_the_gate_stays_shut_when_the_alert_fires_already() -> None:
    decision = judge_gate(alert_story(((BASELINE - 900, END),)).run())

    assert (decision.passed, str(decision.reason)) == (False, "alert-before")
    assert decision.objectives[1]["reason"] == "alert-before"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"state": "", "error": "connection refused"}, "no-data"),
        ({"state": "", "error": "no alerting rule 'Burn'", "wrong": True}, "query-error"),
        ({"evaluated_ms": 1}, "stale"),
    ],
)
def test_the_gate_stays_shut_when_nobody_can_tell(changes: dict[str, Any], reason: str) -> None:
    told = alert_story()
    told.alerts = looks(**changes)
    decision = judge_gate(told.run())

    assert (decision.passed, str(decision.reason)) == (False, "baseline")
    assert decision.objectives[1]["reason"] == reason


def test_a_run_that_the_gate_stopped_says_why() -> None:
    told = alert_story(((BASELINE - 900, END),)).without("gate")
    told.add(25_500, "gate", passed=False, reason="alert-before", objectives=[])
    document = paged(told)["whole"]

    assert (document["verdict"], document["reasons"]) == ("inconclusive", ["alert-before"])
    assert any("fired before the fault" in finding["saw"] for finding in document["findings"])
