"""What `--accept near-limit` may let pass: nothing but that, and only while the estimate is inside the budget."""

from __future__ import annotations

from typing import Any

import pytest

from gameday.judge import acceptable, judge
from tests.fakes.stories import PROVEN, Story, experiment, rows, ticks


def near(bad: int, **parts: Any) -> dict[str, Any]:
    """2,000 requests while the fault is on, 100 of which may be bad."""
    slots = {PROVEN // 100 + 1 + 3 * index for index in range(bad)}
    return judge(Story(rows=rows(lambda slot: int(slot in slots)), **parts).run())


@pytest.mark.parametrize(
    ("bad", "verdict", "yes"),
    [
        (50, "pass", False),
        (95, "inconclusive", True),
        (100, "inconclusive", True),
        (105, "inconclusive", False),
        (133, "fail", False),
    ],
)
def test_only_near_limit_and_only_inside_the_budget(bad: int, verdict: str, yes: bool) -> None:
    document = near(bad)
    assert document["verdict"] == verdict
    assert acceptable(document) is yes


def test_no_other_reason_is_accepted() -> None:
    assert not acceptable(near(95, ticks=ticks(cpu=0.9)))
    unproven = Story(rows=rows(lambda slot: int(PROVEN // 100 < slot < PROVEN // 100 + 285 and slot % 3 == 0)))
    document = judge(unproven.add(60_000, "unproven", fault="payments-down", why="gone-early").run())
    assert "near-limit" in document["reasons"]
    assert not acceptable(document)


def test_every_objective_near_its_limit_must_be_inside_it() -> None:
    both = experiment(
        objectives={
            "available": {"expect": "errors < 5%", "recover": {"within": "15s", "hold": "10s"}},
            "strict": {"expect": "errors < 4.5%", "recover": {"within": "15s", "hold": "10s"}},
        }
    )
    document = near(95, file=both)
    assert document["reasons"] == ["near-limit"]
    assert not acceptable(document)


def test_a_committed_budget_that_it_is_near_must_keep_the_estimate_too() -> None:
    document = near(95)
    criterion = document["objectives"][0]["criteria"][0]
    criterion["baseline"] = {"fault": {"budget": 0.048, "result": "inconclusive", "reason": "near-limit"}}
    assert acceptable(document)
    criterion["baseline"]["fault"]["budget"] = 0.047
    assert not acceptable(document)
