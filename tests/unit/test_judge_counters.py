"""Two counters: what their raw samples prove, what resets, gaps and edges do, and what is never proven without them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.judge import judge, judge_gate
from gameday.judge.counters import Ratio, Step, steps_of
from gameday.judge.windows import Window
from gameday.model import Reason, Run, Track
from gameday.model import Testimony as Said
from tests.fakes.counter_stories import EVERY, FRONT, Bad, burst, counter_story, none, said, track
from tests.fakes.judged import judged
from tests.fakes.stories import BASELINE, END, GATE, PROVEN, REVERTED, ZERO


def fault(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = judged(run)["objectives"][0]["criteria"][0]["phases"]["fault"]
    return found


def reason(run: Run) -> tuple[str, list[str]]:
    document = judged(run)
    return document["verdict"], document["reasons"]


def test_counters_prove_what_they_counted() -> None:
    run = counter_story(said()).run()
    document = judged(run)
    assert (document["verdict"], document["reasons"]) == ("pass", ["proven"])
    phases = document["objectives"][0]["criteria"][0]["phases"]
    assert (phases["fault"]["n"], phases["fault"]["k"]) == (39 * 50, 0)
    assert phases["fault"]["counters"] == {
        "sli": "api",
        "scrapes": 40,
        "due": 40,
        "edge_ms": 1_000,
        "resets": 0,
        "error": None,
    }
    assert document["objectives"][0]["recovery"]["seconds"] == 0
    assert judge_gate(run).passed


def test_more_bad_than_the_budget_fails_and_recovers() -> None:
    document = judged(counter_story(said(burst(PROVEN, REVERTED, 5))).run())
    assert (document["verdict"], document["objectives_broken"]) == ("fail", ["api"])
    assert document["objectives"][0]["recovery"]["result"] == "pass"
    assert "of requests that api counts" in document["summary"]
    assert document["objectives"][0]["recovery"]["bad_seconds"] == 39


def test_a_step_that_an_edge_cuts_can_fail_and_never_help() -> None:
    edge = burst(PROVEN - 800, PROVEN + 300, 400)
    document = judged(counter_story(said(edge)).run())
    phases = document["objectives"][0]["criteria"][0]["phases"]
    assert (phases["fault"]["k"], phases["onset"]["k"]) == (0, 400)
    assert document["verdict"] == "fail"
    helped = judged(
        counter_story(
            said(burst(PROVEN + 1_000, REVERTED, 3), total=(track(lambda at: 50 if abs(at - PROVEN) > 900 else 9e6),))
        ).run()
    )
    assert helped["verdict"] != "pass"


@pytest.mark.parametrize(
    ("after", "result", "seconds"),
    [(6_000, "pass", 5.2), (14_000, "pass", 13.2), (17_000, "fail", 16.2), (40_000, "fail", None)],
)
def test_recovery_is_the_first_scrape_that_opens_a_hold(after: int, result: str, seconds: float | None) -> None:
    document = judged(counter_story(said(burst(REVERTED, REVERTED + after, 20)), during="ratio(api) < 99%").run())
    recovery = document["objectives"][0]["recovery"]
    assert recovery["result"] == result
    assert recovery["seconds"] == (seconds if seconds is None else pytest.approx(seconds))


def test_a_relapse_after_the_hold_fails() -> None:
    bad = burst(REVERTED + 15_000, REVERTED + 25_000, 25)
    recovery = judged(counter_story(said(bad)).run())["objectives"][0]["recovery"]
    assert (recovery["result"], recovery["relapses"]) == ("fail", 1)


NOTHING: dict[str, tuple[Said, ...]] = {
    "never asked": (),
    "error at the end": (said(), Said(name="api", at_ms=END, from_ms=0, to_ms=END, error="refused")),
    "no total": (said(total=()),),
    "no bad": (said(bad=()),),
    "no series": (said(bad=(), total=(), up=()),),
    "another name": (replace(said(), name="other"),),
    "an objective of the same name": (replace(said(), of="objective"),),
    "nothing counted": (said(total=(track(none),)),),
    "stopped in the fault": (
        said(bad=(track(none, end=PROVEN + 9_000),), total=(track(lambda _: 50, end=PROVEN + 9_000),), up=()),
    ),
    "one target of two is lost in the fault": (
        said(total=(track(lambda _: 50), track(lambda _: 50, end=PROVEN + 9_000, instance="b:1")), up=()),
    ),
}


@pytest.mark.parametrize("way", NOTHING)
def test_missing_evidence_is_never_a_pass(way: str) -> None:
    verdict, reasons = reason(counter_story(*NOTHING[way]).run())
    assert verdict == "inconclusive"
    assert "proven" not in reasons


def test_each_lack_has_its_reason() -> None:
    wrong = Said(name="api", at_ms=END, from_ms=0, to_ms=END, error="bad_data", wrong=True)
    assert fault(counter_story(wrong).run())["reason"] == "query-error"
    assert fault(counter_story(wrong).run())["counters"]["error"] == "bad_data"
    stopped = said(bad=(track(none, end=REVERTED - 5_000),), total=(track(lambda _: 50, end=REVERTED - 5_000),), up=())
    assert fault(counter_story(stopped).run())["reason"] == "stale"
    assert fault(counter_story(said(every=15_000)).run())["reason"] == "too-short"
    assert fault(counter_story(said(bad=())).run())["reason"] == "no-data"


def test_what_is_absent_is_zero_only_where_the_file_says_so() -> None:
    zero = {"api": {"prometheus": {"bad": "errors_total", "total": "requests_total"}, "absent": "zero"}}
    assert reason(counter_story(said(bad=()), slis=zero).run()) == ("pass", ["proven"])
    assert (
        fault(counter_story(said(bad=()), slis=zero).run())["counters"]["error"] == "bad has no series: taken as zero"
    )
    assert reason(counter_story(said(total=()), slis=zero).run())[0] == "inconclusive"


def test_a_series_that_is_new_began_at_zero() -> None:
    new = Track(labels={**FRONT, "code": "500"}, samples=((PROVEN + 5_200 // 1_000 * 1_000, 30.0),))
    at = next(at for at in range(-300, END, EVERY) if at > PROVEN + 5_000)
    new = replace(new, samples=tuple((at + step, 300.0) for step in range(0, 60_000, EVERY)))
    found = fault(counter_story(said(bad=(track(none, code="503"), new))).run())
    assert found["k"] == 300
    assert found["result"] == "fail"


def test_a_counter_that_falls_began_again() -> None:
    half = PROVEN + 20_000

    def restarted(track: Track) -> Track:
        base = next(value for at, value in track.samples if at > half)
        return replace(track, samples=tuple((at, value - base if at > half else value) for at, value in track.samples))

    total = restarted(track(lambda _: 50))
    found = fault(counter_story(said(total=(total,))).run())
    assert found["counters"]["resets"] == 1
    assert found["n"] == 38 * 50
    assert found["result"] == "pass"


def test_a_gap_that_a_restart_ends_is_missing_evidence() -> None:
    def gone(track: Track) -> Track:
        down = PROVEN + 10_000
        kept = [(at, value) for at, value in track.samples if not down < at < down + 15_000]
        base = next(value for at, value in kept if at > down)
        return replace(track, samples=tuple((at, value - base if at > down else value) for at, value in kept))

    lost = said(bad=(gone(track(none)),), total=(gone(track(lambda _: 50)),), up=())
    assert fault(counter_story(lost).run())["reason"] == "no-data"
    whole = [(at, v) for at, v in track(lambda _: 50).samples if not PROVEN + 10_000 < at < PROVEN + 25_000]
    same = replace(track(none), samples=tuple(whole))
    assert fault(counter_story(said(total=(same,), up=())).run())["result"] == "pass", (
        "the difference over a gap is known"
    )


def test_a_gap_over_the_edge_hides_no_more_than_a_tenth() -> None:
    kept = [(at, v) for at, v in track(lambda _: 50).samples if not REVERTED - 10_000 < at < REVERTED + 5_000]
    over = replace(track(none), samples=tuple(kept))
    assert fault(counter_story(said(bad=(over,), total=(over,), up=())).run())["result"] == "inconclusive"


def test_a_target_that_was_taken_out_is_not_missed() -> None:
    end = PROVEN + 9_000
    two = (track(lambda _: 50), track(lambda _: 50, end=end, instance="b:1"))
    ups = tuple(replace(one, samples=tuple((at, 1.0) for at, _ in one.samples)) for one in two)
    assert reason(counter_story(said(total=two, up=ups)).run()) == ("pass", ["proven"])
    failing = replace(
        ups[0], labels={**FRONT, "instance": "b:1"}, samples=tuple((at, float(at < end)) for at, _ in ups[0].samples)
    )
    assert reason(counter_story(said(total=two, up=(ups[0], failing))).run())[0] == "inconclusive"


def test_amounts_that_are_no_whole_numbers_are_rounded_against_a_pass() -> None:
    found = fault(counter_story(said(lambda _: 0.3)).run())
    assert (found["n"], found["k"]) == (39 * 50, 12)


def test_sums_are_compared_exactly() -> None:
    slis = {"cost": {"prometheus": {"sum": "dollars_total", "per": "requests_total"}}}

    def spent(each: float, during: float) -> Said:
        dollars = track(lambda at: during if PROVEN < at <= REVERTED else each)
        return replace(said(), name="cost", parts={"sum": (dollars,), "per": (track(lambda _: 50),)})

    kept = judged(counter_story(spent(0.05, 0.05), slis=slis, expect="ratio(cost) < 0.002").run())
    assert kept["verdict"] == "pass"
    assert kept["objectives"][0]["criteria"][0]["phases"]["fault"]["value"] == pytest.approx(0.001)
    dear = judged(counter_story(spent(0.05, 0.2), slis=slis, expect="ratio(cost) < 0.002").run())
    assert dear["objectives_broken"] == ["api"]
    assert dear["objectives"][0]["recovery"]["result"] == "pass"
    silent = replace(spent(0, 0), parts={"sum": (track(lambda _: 1),), "per": (track(none),)})
    assert reason(counter_story(silent, slis=slis, expect="ratio(cost) < 0.002").run())[0] == "inconclusive"


def test_good_ones_are_counted_as_what_is_not_bad() -> None:
    slis = {"api": {"prometheus": {"good": "good_total", "total": "requests_total"}}}
    good = replace(
        said(),
        parts={"good": (track(lambda at: 40 if PROVEN < at <= REVERTED else 50),), "total": (track(lambda _: 50),)},
    )
    found = fault(counter_story(good, slis=slis, expect="ratio(api) > 95%").run())
    assert (found["n"], found["k"], found["result"]) == (39 * 50, 39 * 10, "fail")


def test_bad_seconds_are_those_of_the_steps() -> None:
    text = "ratio(api) < 5%\nbad_seconds < 10%"
    document = judged(counter_story(said(burst(PROVEN, PROVEN + 10_000, 20)), expect=text).run())
    rows = document["objectives"][0]["criteria"]
    assert rows[1]["phases"]["fault"]["k"] in (9, 10)
    assert rows[1]["phases"]["fault"]["result"] == "fail"
    assert rows[1]["phases"]["baseline"]["result"] == "pass"


@pytest.mark.parametrize(
    ("testimony", "passed"),
    [
        (said(), True),
        (said(lambda _: 10), False),
        (said(bad=()), False),
        (said(total=()), False),
        (Said(name="api", at_ms=GATE, from_ms=0, to_ms=GATE, error="refused"), False),
        (said(bad=(track(none, end=GATE - 6_000),), total=(track(lambda _: 50, end=GATE - 6_000),), up=()), False),
        (said(every=15_000), False),
    ],
)
def test_the_gate_needs_a_baseline_that_was_counted(testimony: Said, passed: bool) -> None:
    decision = judge_gate(counter_story(testimony).run())
    assert decision.passed is passed
    assert decision.reason is (Reason.PROVEN if passed else Reason.BASELINE)
    assert not judge_gate(counter_story().run()).passed


def test_an_aborted_phase_is_broken_only_if_it_would_be_anyhow() -> None:
    def aborted(bad: Bad) -> Run:
        run = counter_story(said(bad)).add(PROVEN + 20_000, "abort", reason="guard", detail="x")
        return run.run()

    assert judged(aborted(burst(PROVEN, REVERTED, 40)))["objectives_broken"] == ["api"]
    assert judged(aborted(none))["objectives"][0]["verdict"] == "inconclusive"


@given(st.lists(st.tuples(st.integers(1, 20), st.integers(0, 50)), min_size=2, max_size=30), st.data())
def test_stretches_add_up_to_the_whole(grown: list[tuple[int, int]], data: st.DataObject) -> None:
    """What is inside a stretch, and in the steps that its edges cut, is all there is; no step counts twice."""
    at, value, samples = 0, 0, [(0, 0.0)]
    for seconds, by in grown:
        at, value = at + 100 * seconds, value + by
        samples.append((at, float(value)))
    one = Track(labels=FRONT, samples=tuple(samples))
    ratio = Ratio(Said(name="x", at_ms=at, from_ms=0, to_ms=at, parts={"bad": (one,), "total": (one,)}))
    from_ms, to_ms = sorted((data.draw(st.integers(0, at)), data.draw(st.integers(0, at))))
    window = Window.whole("fault", from_ms, to_ms)
    inside, outer = ratio.of(window), ratio.onset(Window.whole("onset", from_ms, from_ms), window)
    exact = sum(
        by for (a, _), (b, _), (_, by) in zip(samples, samples[1:], grown, strict=False) if a >= from_ms and b <= to_ms
    )
    touching = sum(
        by for (a, _), (b, _), (_, by) in zip(samples, samples[1:], grown, strict=False) if a < to_ms and b > from_ms
    )
    assert inside.part == exact
    assert inside.part + outer.part == max(exact, touching)


def test_a_series_that_was_absent_between_two_samples_began_again() -> None:
    found = list(steps_of(Track(labels=FRONT, samples=((1_000, 5.0), (4_000, 9.0))), (0, 1_000, 2_000, 3_000, 4_000)))
    assert found == [Step(0, 1_000, 5.0), Step(3_000, 4_000, 9.0, reset=True)]


@given(st.integers(0, 45), st.integers(0, 45))
def test_more_bad_requests_never_improve_a_verdict(few: int, more: int) -> None:
    order = ("pass", "inconclusive", "fail")
    low, high = sorted((few, more))
    verdicts = [judge(counter_story(said(burst(PROVEN, REVERTED, bad))).run())["verdict"] for bad in (low, high)]
    assert order.index(verdicts[0]) <= order.index(verdicts[1])
    assert BASELINE < ZERO
