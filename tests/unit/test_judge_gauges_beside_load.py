"""Objectives on gauges beside those on the load: neither is touched by what is wrong with the other."""

from __future__ import annotations

import pytest

from tests.fakes.gauge_stories import high, with_load
from tests.fakes.judged import judged
from tests.fakes.stories import REVERTED, ZERO, Story, between, rows, ticks


def results(story: Story) -> dict[str, str]:
    return {row["name"]: row["reason"] for row in judged(story)["objectives"]}


def test_a_starved_generator_does_not_touch_a_gauge() -> None:
    assert results(with_load()) == {"available": "proven", "backlog": "proven", "both": "proven"}
    starved = results(with_load(ticks=ticks(cpu=0.95)))
    assert starved == {"available": "load-generator", "backlog": "proven", "both": "load-generator"}


def test_a_silent_probe_does_not_touch_requests() -> None:
    assert results(with_load(high(ZERO, REVERTED, None))) == {
        "available": "proven",
        "backlog": "no-data",
        "both": "no-data",
    }


def test_a_broken_gauge_is_broken_also_when_the_generator_starved() -> None:
    document = judged(with_load(high(40_000, 41_000), ticks=ticks(cpu=0.95)))
    assert document["objectives_broken"] == ["backlog", "both"]
    assert document["verdict"] == "fail"


def test_the_latest_of_several_recoveries_counts() -> None:
    story = with_load(high(REVERTED, REVERTED + 6_000), rows=rows(between(REVERTED, REVERTED + 3_000, 5)))
    found = {row["name"]: row["recovery"]["seconds"] for row in judged(story)["objectives"]}
    assert found["available"] == pytest.approx(2.5, abs=0.6)
    assert found["backlog"] == pytest.approx(6.3, abs=0.01)
    assert found["both"] == found["backlog"]
