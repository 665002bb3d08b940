"""Gauges: what a reading proves, what a missing one keeps from being proven, and what has nothing to do with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from statistics import fmean
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.judge import judge, judge_gate, verdict_schema
from gameday.judge.gauges import Series, aggregate
from gameday.model import GaugeSample, Reason
from gameday.schema.grammar import parse_criterion
from tests.fakes.stories import (
    BASELINE,
    END,
    GATE,
    PROVEN,
    REVERTED,
    ZERO,
    Story,
    between,
    experiment,
    fault_life,
    frame,
    good,
    rows,
    ticks,
)

EVERY, TIMEOUT = 500, 1_000
VALIDATOR = jsonschema.Draft202012Validator(verdict_schema())
Value = Callable[[int], float | None]


def readings(value: Value, *, every: int = EVERY, took: int = 20, wrong: bool = False) -> list[GaugeSample]:
    """One reading after another, from the first second to the end; None is one that failed."""
    made: list[GaugeSample] = []
    for at in range(4_800, END, every):
        found = value(at)
        error = "" if found is not None else "connection refused"
        made.append(
            GaugeSample(sli="queue", at_ms=at, took_ms=took, value=found, error=error, wrong=wrong and found is None)
        )
    return made


def calm(_at: int) -> float:
    return 100.0


def rising(per_second: float) -> Value:
    """Level until the fault, then rising."""
    return lambda at: per_second * max(0, at - ZERO) / 1_000


def high(from_ms: int, to_ms: int, value: float | None = 2_000.0) -> Value:
    """100, but from one time to another something else."""
    return lambda at: value if from_ms <= at < to_ms else 100.0


def gauge_story(
    value: Value = calm, *, expect: str = "max(queue) < 1000", during: str = "", every: int = EVERY, **objective: Any
) -> Story:
    """A run without load, whose objective is on a gauge."""
    one = {"expect": expect, "recover": {"within": "15s", "hold": "10s"}, **objective}
    file = experiment(
        slis={"queue": {"http": "http://127.0.0.1:1/", "every": f"{every}ms"}},
        objectives={"backlog": {**one, **({"during": during} if during else {})}},
    )
    del file["load"]
    story = Story(file=file, gauges=readings(value, every=every), rows=(), ticks=(), said_bye=False, stopped=False)
    story.without("load-started")
    return story.add(4_600, "probe-started", sli="queue", probe="http", every_ms=every, timeout_ms=TIMEOUT)


def judged(story: Story) -> dict[str, Any]:
    document = judge(story.run())
    VALIDATOR.validate(document)  # pyright: ignore[reportUnknownMemberType] - its stubs
    return document


def reason_of(story: Story) -> tuple[str, str]:
    document = judged(story)
    return document["verdict"], document["objectives"][0]["reason"]


def fault_of(story: Story) -> dict[str, Any]:
    return dict(judged(story)["objectives"][0]["criteria"][0]["phases"]["fault"])


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


@pytest.mark.parametrize("value", [high(REVERTED, REVERTED + 8_000), high(REVERTED, END), high(REVERTED + 12_000, END)])
def test_recovery(value: Value) -> None:
    document = judged(gauge_story(value))
    recovery = document["objectives"][0]["recovery"]
    late = value(REVERTED + 100) == 2_000
    for_ever = value(END - 1_000) == 2_000 and late
    if for_ever:
        assert (recovery["result"], recovery["seconds"]) == ("fail", None)
    elif late:
        assert (recovery["result"], document["verdict"]) == ("pass", "pass")
        assert recovery["seconds"] == pytest.approx(8.3, abs=0.01)
        assert recovery["bad_seconds"] == 8
    else:
        assert (recovery["result"], recovery["relapses"], recovery["seconds"]) == ("fail", 1, 0)
    assert document["findings"] == [] or "over the limit" in document["findings"][0]["matters"]


def test_recovery_later_than_allowed_fails_and_without_readings_is_no_data() -> None:
    assert judged(gauge_story(high(REVERTED, REVERTED + 16_000)))["objectives"][0]["recovery"]["result"] == "fail"
    document = judged(gauge_story(high(REVERTED, REVERTED + 16_000, None)))
    assert document["objectives"][0]["recovery"]["reason"] == "no-data"
    assert "was not measured well enough (no-data)" in document["findings"][0]["saw"]


def test_a_hold_is_as_long_as_its_gauge_needs() -> None:
    document = judged(gauge_story(every=8_000, recover={"within": "10s", "hold": "5s"}))
    assert document["objectives"][0]["recovery"]["hold_ms"] == 16_000


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


def with_load(value: Value = calm, **parts: Any) -> Story:
    """An objective on the load, one on a gauge, and one on both."""
    file = experiment(
        slis={"queue": {"http": "http://127.0.0.1:1/", "every": f"{EVERY}ms"}},
        objectives={
            "available": {"expect": "errors < 5%", "recover": {"within": "15s", "hold": "10s"}},
            "backlog": {"expect": "max(queue) < 1000", "recover": {"within": "15s", "hold": "10s"}},
            "both": {"expect": "errors < 5%\nmax(queue) < 1000", "recover": {"within": "15s", "hold": "10s"}},
        },
    )
    return Story(file=file, gauges=readings(value), **parts)


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


def at_gate(story: Story) -> Any:
    story.events = [told for told in story.events if told[0] <= GATE]
    story.gauges = [sample for sample in story.gauges if sample.at_ms < GATE]
    story.closed, story.stopped, story.said_bye = False, False, False
    return judge_gate(story.run())


def test_the_gate_asks_the_gauges_too() -> None:
    decision = at_gate(gauge_story())
    assert (decision.passed, decision.reason) == (True, Reason.PROVEN)
    assert decision.objectives == (
        {
            "name": "backlog",
            "result": "pass",
            "reason": "proven",
            "n": 40,
            "k": 0,
            "criterion": "max(queue) < 1000",
            "value": 100.0,
            "due": 40,
        },
    )
    for value, reason in ((high(10_000, 11_000), "broken"), (high(BASELINE, GATE, None), "no-data")):
        shut = at_gate(gauge_story(value))
        assert (shut.passed, shut.reason, shut.objectives[0]["reason"]) == (False, Reason.BASELINE, reason)


def test_a_baseline_too_short_to_prove_is_tolerated_while_what_was_read_keeps_it() -> None:
    story = gauge_story(every=30_000)
    story.gauges = [GaugeSample(sli="queue", at_ms=10_000, took_ms=10, value=100.0)]
    decision = at_gate(story)
    assert (decision.passed, decision.objectives[0]["reason"]) == (True, "too-short")
    story.gauges = []
    assert not at_gate(story).passed


def test_the_finding_of_a_shut_gate_says_what_was_read() -> None:
    story = gauge_story(high(BASELINE, GATE, None))
    story.events = [told for told in frame() if told[0] < GATE + 100 and told[1] != "load-started"]
    story.add(GATE + 200, "gate", passed=False, reason="baseline", objectives=[]).add(GATE + 300, "phase", name="end")
    document = judged(story)
    assert (document["verdict"], document["reasons"]) == ("inconclusive", ["baseline"])
    assert (
        "nothing was read of queue (0 of 40 readings are there; the last error: connection refused)"
        in (document["findings"][0]["saw"])
    )


def test_a_number_is_written_in_the_unit_of_its_limit() -> None:
    story = gauge_story(lambda at: 0.31 if 40_000 < at < 41_000 else 0.1, expect="max(queue) < 250ms")
    assert judged(story)["findings"][0]["title"] == "payments-down: max(queue) was 310ms; < 250ms allowed"


def test_a_fault_that_found_no_target_and_was_skipped_is_inconclusive() -> None:
    story = gauge_story()
    story.events = [told for told in story.events if told[2].get("fault") is None and told[1] != "skipped"]
    story.add(4_000, "planned", fault="payments-down", driver="proxy.down", targets=[], reversible=True, provable=True)
    story.add(4_100, "skipped", what="fault", fault="payments-down", why="no target: shop is not running")
    document = judged(story)
    assert (document["verdict"], document["reasons"]) == ("inconclusive", ["skipped"])
    assert document["faults"][0]["detail"] == "it was skipped: no target: shop is not running"
    assert document["objectives"][0]["reason"] == "skipped"


def test_one_skipped_fault_of_two_keeps_the_run_from_passing_and_the_objectives_judged() -> None:
    story = gauge_story()
    second = {**story.file["faults"][0], "name": "other"}
    story.file["faults"] = [*story.file["faults"], second]
    story.add(4_100, "skipped", what="fault", fault="other", why="")
    document = judged(story)
    assert (document["verdict"], document["reasons"]) == ("inconclusive", ["skipped"])
    assert document["objectives"][0]["verdict"] == "pass"


def closed(**changes: Any) -> dict[str, Any]:
    file = experiment(**changes)
    load = {key: value for key, value in file["load"].items() if key != "rate"}
    return {**file, "load": {**load, "users": 20}}


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
