"""Bad and total counts of every kind of criterion."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.judge.counts import Ledger, Tally, meters
from gameday.judge.criteria import holds, judge_cut_short, judge_tally, judge_with_onset
from gameday.model import LoadRow, Reason, Verdict
from gameday.schema.experiment import Objective
from gameday.schema.grammar import parse_criterion

LIMIT = 300_000
KINDS = (
    "ok",
    "capped",
    "http_4xx",
    "http_5xx",
    "timeout",
    "refused",
    "reset",
    "dns",
    "tls",
    "check",
    "generator",
    "other",
)


def count(
    rows: list[LoadRow], text: str, *, endpoints: tuple[str, ...] = (), first: int = 0, end: int = 10**6
) -> Tally:
    where = {"endpoint": list(endpoints)} if endpoints else None
    objective = Objective.model_validate({"expect": text, **({"where": where} if where else {})})
    return meters(Ledger(rows, [LIMIT]), objective, objective.expect)[-1][1].over(first, end)


def row(slot: int, kind: str, number: int, slow: int = 0, endpoint: str = "a") -> LoadRow:
    return LoadRow(slot=slot, endpoint=endpoint, kind=kind, count=number, slower={LIMIT: slow} if slow else {})


def test_everything_but_ok_is_an_error() -> None:
    assert count([row(0, kind, 2) for kind in KINDS], "errors < 5%") == Tally(24, 22)


def test_a_failed_request_is_slow_once_however_long_it_took() -> None:
    rows = [row(0, "ok", 10, slow=3), row(0, "timeout", 4, slow=4), row(0, "http_5xx", 2)]
    assert count(rows, "p95 < 300ms") == Tally(16, 9)


def test_failing_fast_never_improves_latency() -> None:
    slow, failed = [row(0, "ok", 10, slow=5)], [row(0, "ok", 5), row(0, "http_5xx", 5)]
    assert count(failed, "p95 < 300ms").k >= count(slow, "p95 < 300ms").k


def test_throughput_counts_what_the_system_answered_at_all() -> None:
    assert count([row(0, kind, 1) for kind in KINDS], "throughput > 95%") == Tally(12, 8)


def test_rows_of_one_key_add_up_and_endpoints_are_told_apart() -> None:
    rows = [row(3, "ok", 1), row(3, "ok", 2), row(3, "timeout", 1, endpoint="b"), row(4, "ok", 9)]
    assert count(rows, "errors < 5%", first=3, end=4) == Tally(4, 1)
    assert count(rows, "errors < 5%", endpoints=("b",)) == Tally(1, 1)
    assert count(rows, "errors < 5%", endpoints=("a", "b")) == Tally(13, 1)
    assert count(rows, "errors < 5%", endpoints=("none",)) == Tally(0, 0)


def test_bad_seconds_use_the_budget_of_the_ratio_beside_them() -> None:
    rows = [row(slot, "ok", 9) for slot in range(40)] + [row(slot, "timeout", 1) for slot in (5, 21, 22)]
    assert count(rows, "errors < 1.5%\nbad_seconds < 30%", end=40) == Tally(4, 1)
    assert count(rows, "errors < 0.5%\nbad_seconds < 30%", end=40) == Tally(4, 2)


def test_bad_seconds_alone_take_one_failure_for_a_bad_second() -> None:
    rows = [row(slot, "ok", 99) for slot in range(30)] + [row(15, "check", 1)]
    assert count(rows, "bad_seconds < 50%", end=30) == Tally(3, 1)
    assert count(rows, "bad_seconds < 50%", end=60) == Tally(3, 1)


@pytest.mark.parametrize(
    ("text", "good", "bad"),
    [
        ("throughput > 95%", Tally(1_000, 49), Tally(1_000, 50)),
        ("throughput >= 95%", Tally(1_000, 50), Tally(1_000, 51)),
        ("bad_seconds < 10%", Tally(100, 9), Tally(100, 10)),
        ("bad_seconds <= 10%", Tally(100, 10), Tally(100, 11)),
    ],
)
def test_exact_criteria_are_compared_exactly(text: str, good: Tally, bad: Tally) -> None:
    criterion = parse_criterion(text)
    assert judge_tally(criterion, good).verdict is Verdict.PASS
    assert judge_tally(criterion, bad).verdict is Verdict.FAIL
    assert judge_tally(criterion, Tally()).reason is Reason.NO_DATA
    assert not holds(criterion, Tally())


def test_onset_makes_a_phase_fail_and_never_makes_it_pass() -> None:
    criterion = parse_criterion("errors < 5%")
    assert judge_with_onset(criterion, Tally(1_000, 50), Tally(50, 50)).verdict is Verdict.FAIL
    assert judge_with_onset(criterion, Tally(50, 0), Tally(5_000, 0)).reason is Reason.TOO_FEW
    assert judge_with_onset(criterion, Tally(), Tally(5_000, 0)).reason is Reason.NO_DATA


def test_a_phase_cut_short_is_broken_only_beyond_hope() -> None:
    criterion = parse_criterion("errors < 5%")
    assert judge_cut_short(criterion, Tally(200, 200), 6_000).reason is Reason.TOO_SHORT
    assert judge_cut_short(criterion, Tally(400, 400), 6_000).verdict is Verdict.FAIL
    assert judge_cut_short(criterion, Tally(6_000, 0), 6_000).verdict is Verdict.INCONCLUSIVE
    exact = parse_criterion("throughput > 90%")
    assert judge_cut_short(exact, Tally(100, 100), 500).verdict is Verdict.FAIL
    assert judge_cut_short(exact, Tally(100, 100), 5_000).verdict is Verdict.INCONCLUSIVE


ROWS = st.lists(
    st.builds(
        row, st.integers(0, 60), st.sampled_from(KINDS), st.integers(1, 9), st.integers(0, 9), st.sampled_from("ab")
    ),
    max_size=30,
)


@settings(deadline=None)
@given(
    rows=ROWS,
    index=st.integers(0, 29),
    text=st.sampled_from(["errors < 5%", "p95 < 300ms", "throughput > 90%", "errors < 5%\nbad_seconds < 9%"]),
)
def test_turning_requests_bad_never_improves_a_count(rows: list[LoadRow], index: int, text: str) -> None:
    if not rows:
        return
    at = index % len(rows)
    worse = [row(r.slot, "timeout", r.count, endpoint=r.endpoint) if i == at else r for i, r in enumerate(rows)]
    before, after = count(rows, text, end=61), count(worse, text, end=61)
    assert after.n == before.n
    assert before.k <= after.k <= after.n


@settings(deadline=None)
@given(rows=ROWS, data=st.data())
def test_the_order_of_rows_and_where_they_are_cut_change_nothing(rows: list[LoadRow], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(rows))
    cut = data.draw(st.integers(0, 60))
    whole = count(rows, "p95 < 300ms", end=61)
    assert count(shuffled, "p95 < 300ms", end=61) == whole
    assert count(rows, "p95 < 300ms", end=cut) + count(rows, "p95 < 300ms", first=cut, end=61) == whole
