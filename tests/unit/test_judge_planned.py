"""Planned arrivals follow a load that was changed while it was on, and what fell short is still the generator's failure."""

from __future__ import annotations

import pytest

from gameday.judge import judge
from gameday.judge.planned import planned_arrivals
from gameday.judge.windows import Window
from gameday.schema.experiment import Experiment
from tests.fakes.stories import PROVEN, RATE, REVERTED, Story, good, rows


def planned(story: Story, from_ms: int, to_ms: int) -> float:
    profile = Experiment.model_validate(story.file).profile
    return planned_arrivals(story.run(), Window.whole("fault", from_ms, to_ms), profile)


def test_without_a_change_it_is_the_files() -> None:
    assert planned(Story(), PROVEN, REVERTED) == pytest.approx(RATE * 40)


def test_a_change_counts_from_when_it_was_made_until_the_next() -> None:
    story = Story().add(40_000, "load-changed", rate=10.0).add(50_000, "load-changed", rate=0.0)
    assert planned(story, 30_000, 60_000) == pytest.approx(10 * RATE + 10 * 10)
    assert planned(story, 30_000, 40_000) == pytest.approx(10 * RATE)
    assert planned(story, 42_000, 44_000) == pytest.approx(20)
    assert planned(story, 52_000, 60_000) == 0


def test_users_plan_nothing() -> None:
    assert planned(Story().add(40_000, "load-changed", users=3), 30_000, 60_000) == pytest.approx(10 * RATE)


def test_a_load_that_was_made_smaller_is_no_failure_of_the_generator() -> None:
    story = Story().add(40_000, "load-changed", rate=30.0)
    story.rows = [row for row in rows(good) if row.slot < 400 or row.slot % 5 < 3]
    assert judge(story.run())["verdict"] == "pass"


def test_a_generator_that_does_less_than_it_was_told_proves_nothing() -> None:
    story = Story().add(40_000, "load-changed", rate=40.0)
    story.rows = [row for row in rows(good) if row.slot < 400 or row.slot % 5 < 3]
    document = judge(story.run())
    assert (document["verdict"], document["reasons"]) == ("inconclusive", ["load-generator"])
