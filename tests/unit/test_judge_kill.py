"""Faults that cannot be undone: a kill, in one round or several, its deed proven and its effect observed."""

from __future__ import annotations

from typing import Any

from tests.fakes.judged import judged, outcome
from tests.fakes.stories import REVERTED, ZERO, Story, experiment, frame


def kill_story() -> Story:
    """An irreversible fault: a kill, its deed proven, its effect observed."""
    kill: dict[str, Any] = {
        "name": "one-killed",
        "do": "process.kill",
        "with": {},
        "at": "0s",
        "irreversible": "allow",
        "observe": "40s",
    }
    story = Story(file=experiment(faults=[kill]), events=frame())
    story.add(4_000, "planned", fault="one-killed", targets=["payments"], reversible=False, provable=True)
    story.add(ZERO - 100, "armed", fault="one-killed", plan={"targets": ["payments"]})
    story.add(ZERO, "inject-called", fault="one-killed").add(ZERO + 10, "injected", fault="one-killed")
    story.add(ZERO + 40, "active", fault="one-killed", active=True, when="proof")
    return story.add(ZERO + 50, "deed", fault="one-killed").add(REVERTED, "observed", fault="one-killed")


def test_a_kill_that_the_system_survives_passes() -> None:
    document = judged(kill_story())
    assert document["verdict"] == "pass"
    fault = document["faults"][0]
    assert (fault["proof"], fault["undo"], fault["reverted_ms"], fault["proven_ms"]) == (
        "proven",
        "not-needed",
        None,
        ZERO + 50,
    )
    assert document["objectives"][0]["recovery"]["from_ms"] == ZERO + 50


def rounds_story(*after: str) -> Story:
    """A kill in two rounds, the second at 5 s; ``after`` says what else was written about it."""
    story = kill_story()
    story.file["faults"][0].update(every="5s", times=2)
    story.add(ZERO + 5_000, "round", fault="one-killed", round=2, plan={"targets": ["payments again"]})
    story.add(ZERO + 5_050, "deed", fault="one-killed")
    for why in after:
        story.add(ZERO + 6_000, "unproven", fault="one-killed", why=why)
    return story


def test_rounds_are_recovered_from_after_the_last_and_all_their_targets_are_told() -> None:
    document = judged(rounds_story())
    assert document["verdict"] == "pass"
    assert document["faults"][0]["targets"] == ["payments", "payments again"]
    assert document["objectives"][0]["recovery"]["from_ms"] == ZERO + 5_050
    skipped = judged(rounds_story("rounds"))
    assert (skipped["verdict"], skipped["reasons"]) == ("inconclusive", ["fault-unproven"])


def test_a_kill_without_its_deed_or_its_observation_is_not_proven() -> None:
    assert outcome(kill_story().without("deed"))[0] == "inconclusive"
    assert outcome(kill_story().without("observed"))[0] == "inconclusive"


def test_a_runner_lost_after_a_kill_leaves_nothing_to_recover() -> None:
    assert outcome(kill_story().until(40_000)) == ("aborted", ["runner-lost"])
