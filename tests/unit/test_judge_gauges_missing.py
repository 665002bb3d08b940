"""Readings that are missing, stale, wrong or too few: never a pass, and a fail only when they could not have saved it."""

from __future__ import annotations

from dataclasses import replace

from gameday.model import GaugeSample
from tests.fakes.gauge_stories import EVERY, calm, fault_of, gauge_story, high, readings, reason_of
from tests.fakes.judged import judged
from tests.fakes.stories import PROVEN, REVERTED, ZERO


def test_missing_readings_are_no_data_and_never_a_pass() -> None:
    """89 % of the readings is not enough, 90 % is."""
    due = range(PROVEN + 300, REVERTED, EVERY)
    for missing, expected in ((8, ("pass", "proven")), (9, ("inconclusive", "no-data"))):
        gone = set(list(due)[3 : 3 + missing])
        story = gauge_story()
        story.gauges = [sample for sample in story.gauges if sample.at_ms not in gone]
        assert reason_of(story) == expected, missing
        errors = gauge_story(lambda at, gone=gone: None if at in gone else 100.0)  # type: ignore[misc]
        assert reason_of(errors) == expected, missing


def test_a_probe_that_fails_all_through_the_fault_says_why() -> None:
    document = judged(gauge_story(high(ZERO, REVERTED, None)))
    assert (document["verdict"], document["reasons"]) == ("inconclusive", ["no-data"])
    finding = document["findings"][0]
    assert finding["saw"] == (
        "While the fault was on, nothing was read of queue; 0 of 80 readings are there; the last error: connection refused."
    )
    assert (finding["severity"], finding["objective"]) == ("low", "backlog")


def test_a_question_that_is_wrong_is_a_query_error() -> None:
    story = gauge_story()
    story.gauges = readings(high(ZERO, REVERTED, None), wrong=True)
    assert reason_of(story) == ("inconclusive", "query-error")


def test_answers_from_long_ago_are_stale() -> None:
    story = gauge_story()
    story.gauges = [replace(one, stale=one.value is None) for one in readings(high(ZERO, REVERTED, None))]
    assert reason_of(story) == ("inconclusive", "stale")


def test_readings_that_stop_before_the_end_are_stale_although_there_are_enough() -> None:
    """Nine of ten are there; the last is older than two intervals and a time-out."""
    story = gauge_story()
    story.gauges = [sample for sample in story.gauges if not REVERTED - 3_400 < sample.at_ms < REVERTED]
    assert reason_of(story) == ("inconclusive", "stale")
    fresh = gauge_story()
    fresh.gauges = [sample for sample in fresh.gauges if not 40_000 < sample.at_ms < 43_400]
    assert reason_of(fresh) == ("pass", "proven")


def test_an_interval_longer_than_the_phase_is_too_short() -> None:
    story = gauge_story(every=60_000)
    assert reason_of(story)[0] == "inconclusive"
    assert fault_of(story)["reason"] == "too-short"


def test_a_slope_needs_three_readings() -> None:
    story = gauge_story(expect="slope(queue) < 1", every=19_000)
    assert fault_of(story)["reason"] == "too-few"


def test_what_is_broken_stays_broken_however_many_readings_are_missing() -> None:
    worst = 40_300
    story = gauge_story(high(worst, worst + 1))
    story.gauges = [s for s in story.gauges if not PROVEN <= s.at_ms < REVERTED or s.at_ms == worst]
    assert reason_of(story) == ("fail", "broken")
    mean = gauge_story(high(worst, worst + 1), expect="mean(queue) < 1000")
    mean.gauges = story.gauges
    assert reason_of(mean) == ("inconclusive", "no-data")


def test_a_share_is_broken_only_when_the_missing_readings_could_not_save_it() -> None:
    for bad, expected in ((30, ("fail", "broken")), (10, ("inconclusive", "no-data"))):
        story = gauge_story(expect="share(queue > 1000) < 25%")
        inside = [s for s in story.gauges if PROVEN <= s.at_ms < REVERTED]
        over = [GaugeSample(sli="queue", at_ms=s.at_ms, took_ms=20, value=2_000.0) for s in inside[:bad]]
        story.gauges = [s for s in story.gauges if s not in inside] + over
        assert reason_of(story) == expected


def test_an_abort_leaves_a_gauge_broken_or_unknown() -> None:
    for value, reason in ((calm, "too-short"), (high(28_000, 29_000), "broken")):
        story = gauge_story(value)
        story.add(30_000, "abort", reason="signal", detail="SIGTERM").without("phase", name="recovery")
        story.events = [
            told for told in story.events if told[1] != "active" or told[2]["when"] == "proof" or told[0] < 30_000
        ]
        phase = fault_of(story)
        assert phase["reason"] == reason
        assert judged(story)["verdict"] == "aborted"
