"""Gauges: what each aggregate of the readings proves, and for what a reading at an edge counts."""

from __future__ import annotations

from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.judge import judge_gate
from gameday.judge.gauges import Series, aggregate
from gameday.model import GaugeSample
from gameday.schema.grammar import parse_criterion
from tests.fakes.gauge_stories import EVERY, TIMEOUT, Value, calm, fault_of, gauge_story, high, reason_of, rising
from tests.fakes.judged import judged
from tests.fakes.stories import PROVEN, REVERTED, ZERO, fault_life, frame


def test_a_gauge_that_keeps_its_limit_passes_without_any_load() -> None:
    document = judged(gauge_story())
    assert (document["verdict"], document["load"]) == ("pass", None)
    phase = document["objectives"][0]["criteria"][0]["phases"]["fault"]
    assert (phase["value"], phase["limit"], phase["coverage"], phase["readings"]) == (100, 1_000, 1, 80)
    assert document["objectives"][0]["recovery"]["seconds"] == 0
    assert "max(queue) was 100; < 1000 allowed" in document["summary"]


def test_one_reading_over_the_limit_breaks_a_maximum() -> None:
    story = gauge_story(high(40_000, 40_400))
    document = judged(story)
    assert (document["verdict"], document["objectives_broken"]) == ("fail", ["backlog"])
    finding = document["findings"][0]
    assert (finding["severity"], finding["title"]) == ("high", "payments-down: max(queue) was 2,000; < 1000 allowed")
    assert (
        finding["saw"]
        == "While payments-down was on, max(queue) was 2,000; < 1000 allowed. Before the fault it was 100."
    )
    assert document["summary"] == finding["saw"]


def test_during_may_allow_more_than_expect() -> None:
    assert reason_of(gauge_story(high(PROVEN, REVERTED), during="max(queue) < 3000")) == ("pass", "proven")
    assert reason_of(gauge_story(high(PROVEN, REVERTED), during="max(queue) < 1500")) == ("fail", "broken")


@pytest.mark.parametrize(
    ("expect", "value", "reason"),
    [
        ("mean(queue) < 150", high(40_000, 42_000, 300.0), "proven"),
        ("mean(queue) < 105", high(40_000, 42_000, 300.0), "broken"),
        ("last(queue) < 150", high(40_000, 42_000, 300.0), "proven"),
        ("last(queue) < 150", high(65_500, REVERTED, 300.0), "broken"),
        ("p95(queue) < 150", high(40_000, 41_500, 300.0), "proven"),
        ("p95(queue) < 150", high(40_000, 43_000, 300.0), "broken"),
        ("share(queue > 150) < 10%", high(40_000, 42_000, 300.0), "proven"),
        ("share(queue > 150) < 5%", high(40_000, 42_000, 300.0), "broken"),
        ("share(queue < 150) > 90%", high(40_000, 42_000, 300.0), "proven"),
        ("slope(queue) < 0.5", calm, "proven"),
        ("slope(queue) < 2/s", rising(2 - 1e-6), "proven"),
        ("slope(queue) < 2/s", rising(2.5), "broken"),
        ("max(queue) > 50", calm, "proven"),
        ("max(queue) <= 100", calm, "proven"),
        ("max(queue) < 100", calm, "baseline"),
    ],
)
def test_each_aggregate(expect: str, value: Value, reason: str) -> None:
    story = gauge_story(value, expect=expect, recover={"within": "15s", "hold": "10s"})
    if reason == "baseline":
        assert not judge_gate(story.run()).passed
    else:
        phase = fault_of(story)
        assert phase["reason"] == reason, phase


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=60))
def test_a_percentile_is_one_of_the_readings_and_the_nearest_rank(numbers: list[float]) -> None:
    values = [(at, number) for at, number in enumerate(numbers)]
    for metric, share in (("p50", 0.5), ("p95", 0.95), ("p99.9", 0.999)):
        found = aggregate(parse_criterion(f"{metric}(q) < 1"), values)
        assert found in numbers
        assert found is not None
        assert sum(number <= found for number in numbers) >= share * len(numbers) - 1e-9
        assert sum(number < found for number in numbers) < share * len(numbers) + 1e-9
    assert aggregate(parse_criterion("max(q) < 1"), values) == max(numbers)
    assert aggregate(parse_criterion("mean(q) < 1"), values) == pytest.approx(fmean(numbers))


@given(
    st.floats(-100, 100), st.floats(-100, 100), st.lists(st.integers(0, 10**7), min_size=3, max_size=30, unique=True)
)
def test_the_slope_of_a_line_is_its_slope(per_second: float, at_zero: float, times: list[int]) -> None:
    values = [(at, at_zero + per_second * at / 1000) for at in sorted(times)]
    found = aggregate(parse_criterion("slope(q) < 1"), values)
    assert found == pytest.approx(
        per_second, abs=1e-3 + abs(per_second) * 1e-6 + 1e-3 * 1000 / (max(times) - min(times))
    )


def test_the_onset_can_fail_and_never_helps() -> None:
    assert reason_of(gauge_story(high(ZERO, PROVEN))) == ("fail", "broken")
    story = gauge_story()
    story.gauges = [s for s in story.gauges if not PROVEN <= s.at_ms < REVERTED]
    assert reason_of(story) == ("inconclusive", "no-data")


def test_a_read_that_an_edge_cuts_counts_as_read_and_its_value_for_neither_side() -> None:
    series = Series(
        [
            GaugeSample(sli="q", at_ms=900, took_ms=200, value=9.0),
            GaugeSample(sli="q", at_ms=1_500, took_ms=10, value=1.0),
            GaugeSample(sli="q", at_ms=1_990, took_ms=20, value=9.0),
        ],
        500,
        0,
    )
    found = series.over(1_000, 2_000)
    assert (found.values, found.present) == (((1_500, 1.0),), 2)


def test_a_slow_reading_that_ends_after_the_revert_can_only_fail() -> None:
    story = gauge_story()
    slow = GaugeSample(sli="queue", at_ms=REVERTED - 200, took_ms=400, value=5_000.0)
    story.gauges = [s for s in story.gauges if not REVERTED - 300 < s.at_ms < REVERTED] + [slow]
    document = judged(story)
    assert document["objectives"][0]["criteria"][0]["phases"]["fault"]["result"] == "fail"
    assert document["findings"][0]["title"] == "payments-down: max(queue) was 5,000; < 1000 allowed"


def test_a_number_is_written_in_the_unit_of_its_limit() -> None:
    story = gauge_story(lambda at: 0.31 if 40_000 < at < 41_000 else 0.1, expect="max(queue) < 250ms")
    assert judged(story)["findings"][0]["title"] == "payments-down: max(queue) was 310ms; < 250ms allowed"


def test_several_faults_make_one_phase_for_gauges_as_well() -> None:
    story = gauge_story(high(50_000, 51_000))
    story.file["faults"] = [
        {**story.file["faults"][0], "for": "10s"},
        {**story.file["faults"][0], "name": "second", "at": "30s", "for": "10s"},
    ]
    story.events = [*frame(), *fault_life(reverted=36_500), *fault_life("second", 56_000, 56_500, REVERTED)]
    story.without("load-started").add(
        4_600, "probe-started", sli="queue", probe="http", every_ms=EVERY, timeout_ms=TIMEOUT
    )
    assert reason_of(story) == ("fail", "broken")
