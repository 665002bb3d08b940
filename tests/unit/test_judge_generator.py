"""Whether the load was what its file planned: users or arrivals, on time, in stages, by chance; and generators that were lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.fakes.gauge_stories import gauge_story
from tests.fakes.judged import judged, outcome
from tests.fakes.stories import ZERO, Story, closed, experiment, good, rows, ticks


def test_a_closed_model_is_judged_with_its_warning() -> None:
    document = judged(Story(file=closed()))
    assert document["verdict"] == "pass"
    assert document["objectives"][0]["warnings"] == ["closed-model"]
    assert (document["load"]["model"], document["load"]["users"], document["load"]["rate"]) == ("closed", 20, 0)
    assert judged(Story())["objectives"][0]["warnings"] == []
    assert judged(gauge_story())["objectives"][0]["warnings"] == []


def test_users_plan_no_arrivals_so_few_of_them_are_no_fault_of_the_generator() -> None:
    half = [row for row in rows(good) if row.slot % 2 == 0]
    assert judged(Story(file=closed(), rows=half))["load"]["healthy"] is True
    assert judged(Story(rows=half))["load"]["healthy"] is False


def test_a_lost_worker_is_the_generators() -> None:
    document = judged(Story(ticks=[*ticks()[:40], *ticks(missing=1)[40:]]))
    assert (document["verdict"], document["reasons"]) == ("inconclusive", ["load-generator"])
    assert "fault: 1 of the load's generators was lost" in document["load"]["problems"]


def test_stages_plan_what_each_window_gets() -> None:
    """Half the rate in the fault phase is as planned by stages, and too little by a constant rate."""
    halved = [row for row in rows(good) if row.slot * 100 < ZERO - 1_000 or row.slot % 2 == 0]
    file = experiment()
    stages = [{"rate": "50/s", "hold": "20s"}, {"rate": "25/s", "hold": "10m"}]
    load = {key: value for key, value in file["load"].items() if key != "rate"}
    assert judged(Story(rows=halved))["load"]["healthy"] is False
    staged = judged(Story(file={**file, "load": {**load, "stages": stages}}, rows=halved))
    assert staged["load"]["problems"] == []


def test_arrivals_at_random_may_be_fewer_than_planned_and_not_far_fewer() -> None:
    file = experiment()
    poisson = {**file, "load": {**file["load"], "arrivals": "poisson"}}

    def left(every: int) -> list[Any]:
        return [row for row in rows(good) if row.slot % every or row.slot * 100 < ZERO]

    assert judged(Story(file=poisson, rows=left(12)))["load"]["healthy"] is True
    assert judged(Story(file=poisson, rows=left(5)))["load"]["healthy"] is False
    assert judged(Story(rows=left(12)))["load"]["healthy"] is False


def test_the_onset_is_too_short_for_a_share_of_late_arrivals_of_its_own() -> None:
    """Two of the fifty arrivals of one second left late: of the whole fault phase, they are few; a burst there is not."""

    def late_at(seconds: range, late: int) -> Story:
        return Story(ticks=[replace(t, late=late) if t.at_ms // 1_000 in seconds else t for t in ticks()])

    onset = range(ZERO // 1_000, ZERO // 1_000 + 1)
    assert outcome(late_at(onset, 2)) == ("pass", ["proven"])
    assert judged(late_at(onset, 2))["load"]["late_share"] > 0
    assert outcome(late_at(onset, 50)) == ("inconclusive", ["load-generator"])


def test_an_onset_that_nothing_followed_is_held_against_its_own_ticks() -> None:
    story = Story(ticks=ticks(late=2)).without("active", active=True)
    assert any(text.startswith("onset: ") for text in judged(story)["load"]["problems"])
