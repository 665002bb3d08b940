"""Buckets: never more than 1.6 % wide, and merged exactly."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.spi.histogram import bounds, bucket, quantile, value

LATENCIES = st.integers(min_value=0, max_value=10**12)


@given(LATENCIES)
def test_a_latency_lies_in_its_bucket_and_the_bucket_is_narrow(us: int) -> None:
    low, high = bounds(bucket(us))
    assert low <= us <= high
    assert (high - low) <= us / 64
    assert abs(value(bucket(us)) - us) <= 0.016 * us


@given(LATENCIES, LATENCIES)
def test_keys_grow_with_latency(a: int, b: int) -> None:
    assert (bucket(a) <= bucket(b)) or a > b


def test_buckets_leave_no_gap() -> None:
    for key, following in pairwise(range(2000)):
        assert bounds(key)[1] + 1 == bounds(following)[0]


@given(st.lists(LATENCIES, min_size=1, max_size=200), st.floats(min_value=0, max_value=1))
def test_a_quantile_is_within_the_error_of_the_true_one(latencies: list[int], q: float) -> None:
    rank = max(ceil(q * len(latencies)), 1)
    truth = sorted(latencies)[rank - 1]
    found = quantile(Counter(map(bucket, latencies)), q)
    assert found == pytest.approx(truth, rel=0.016, abs=0.5)


@given(st.lists(LATENCIES), st.lists(LATENCIES))
def test_merging_is_adding(left: list[int], right: list[int]) -> None:
    assert Counter(map(bucket, left)) + Counter(map(bucket, right)) == Counter(map(bucket, left + right))


def test_no_samples_have_no_quantile() -> None:
    assert quantile({}, 0.5) is None
    assert quantile({5: 0}, 0.5) is None


def test_a_latency_before_its_start_counts_as_none() -> None:
    assert bucket(-3) == 0
