"""What the charts draw is counted from the load's rows, exactly, and their limits are those of the file."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.model import Histogram, LoadRow, LoadSeries
from gameday.schema.grammar import parse_criterion
from gameday.spi.histogram import bucket
from gameday_reports.criteria import read_limit, surely_over
from gameday_reports.series import failed_between, latencies, latency_between, ledger

rows = st.lists(
    st.builds(
        LoadRow,
        slot=st.integers(min_value=30, max_value=90),
        endpoint=st.sampled_from(["a", "b"]),
        kind=st.sampled_from(["ok", "timeout", "capped"]),
        count=st.integers(min_value=1, max_value=9),
        slower=st.just({300_000: 1}),
    ),
    max_size=40,
)


@given(rows)
def test_every_request_is_counted_once(found: list[LoadRow]) -> None:
    counts = ledger(LoadSeries(rows=tuple(found)))
    total: Counter[int] = Counter()
    bad: Counter[int] = Counter()
    for row in found:
        total[row.slot // 10] += row.count
        bad[row.slot // 10] += row.count if row.kind != "ok" else 1
    assert {counts.start + i: n for i, n in enumerate(counts.total()) if n} == dict(total)
    assert {counts.start + i: n for i, n in enumerate(counts.bad((), 300_000)) if n} == {
        s: n for s, n in bad.items() if n
    }
    assert sum(counts.total(("a",))) + sum(counts.total(("b",))) == sum(counts.total())


def test_a_second_without_requests_is_a_gap_and_never_zero() -> None:
    counts = ledger(
        LoadSeries(
            rows=(
                LoadRow(slot=30, endpoint="a", kind="ok", count=1),
                LoadRow(slot=55, endpoint="a", kind="refused", count=1),
            )
        )
    )
    assert counts.share(counts.failed(), counts.total()).values == (0.0, None, 1.0)


def test_the_cut_seconds_at_both_ends_are_scaled_to_whole_ones() -> None:
    found = tuple(LoadRow(slot=slot, endpoint="a", kind="ok", count=10) for slot in range(35, 62))
    counts = ledger(LoadSeries(rows=found))
    assert counts.per_second(counts.total()).values == (100.0, 100.0, 100.0, 100.0)


def test_a_slot_that_is_cut_by_an_edge_belongs_to_no_phase() -> None:
    found = tuple(LoadRow(slot=slot, endpoint="a", kind="reset", count=1) for slot in range(10))
    assert failed_between(found, (150, 850)) == (6, 6)
    assert failed_between(found, (0, 1000)) == (10, 10)


def test_latencies_merge_the_endpoints_of_a_second_and_keep_gaps() -> None:
    found = (
        Histogram(second=4, endpoint="a", count=3, sum_ms=0, buckets={bucket(10_000): 3}),
        Histogram(second=4, endpoint="b", count=1, sum_ms=0, buckets={bucket(900_000): 1}),
        Histogram(second=6, endpoint="a", count=1, sum_ms=0, buckets={bucket(20_000): 1}),
    )
    whole = latencies(found, (), 0.95)
    assert (whole.start, whole.values[1]) == (4, None)
    assert whole.values[0] == pytest.approx(900, rel=0.01)
    assert latencies(found, ("a",), 0.95).values[0] == pytest.approx(10, rel=0.01)
    assert latency_between(found, ("a",), 0.5, (5_000, 7_000)) == pytest.approx(20, rel=0.01)
    assert latency_between(found, ("a",), 0.5, (5_000, 6_900)) is None
    assert latencies((), (), 0.95).values == ()


@pytest.mark.parametrize(
    "text",
    [
        "errors < 0.5%",
        "errors <= 1%",
        "availability > 99.5%",
        "p95 < 300ms",
        "p99.9 <= 1.5s",
        "p50 < 1m30s",
        "throughput > 95%",
        "bad_seconds < 10%",
    ],
)
def test_a_limit_is_read_as_the_file_means_it(text: str) -> None:
    theirs, ours = parse_criterion(text), read_limit(text)
    assert ours is not None
    assert (ours.kind, ours.slower_us, ours.metric) == (theirs.kind, theirs.slower_us, theirs.metric)
    assert ours.budget == pytest.approx(theirs.budget, abs=1e-12)


@pytest.mark.parametrize("text", ["", "max(queue) < 1000", "p95 < soon", "errors < many", "\x00"])
def test_what_is_no_limit_of_the_load_is_drawn_without_a_line(text: str) -> None:
    assert read_limit(text) is None


@given(st.integers(0, 60), st.integers(1, 60), st.sampled_from([0.005, 0.05, 0.3]))
def test_a_second_is_surely_over_by_the_exact_binomial(bad: int, total: int, budget: float) -> None:
    bad = min(bad, total)
    tail = sum(math.comb(total, k) * budget**k * (1 - budget) ** (total - k) for k in range(bad, total + 1))
    expected = bad > budget * total and tail < 0.05
    if abs(tail - 0.05) > 1e-9:
        assert surely_over(bad, total, budget) == expected
