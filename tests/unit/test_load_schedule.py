"""Arrivals on an absolute schedule, and endpoints in proportion to their weights."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.load.schedule import Schedule, mix

RATES = st.floats(min_value=1 / 3600, max_value=20_000)


@given(RATES, st.integers(min_value=0, max_value=10**16), st.integers(min_value=0, max_value=10**6))
def test_an_arrival_is_due_from_its_intended_start_on(rate: float, base_ns: int, k: int) -> None:
    schedule = Schedule(base_ns=base_ns, rate=rate)
    assert schedule.due(schedule.intended_ns(k)) >= k + 1
    assert schedule.due(schedule.intended_ns(k) - 1000) <= k + 1


@given(RATES, st.floats(min_value=0, max_value=1000))
def test_as_many_are_due_as_rate_times_time(rate: float, seconds: float) -> None:
    assert Schedule(base_ns=5, rate=rate).due(5 + int(seconds * 1e9)) == pytest.approx(rate * seconds + 0.5, abs=0.6)


def test_nothing_is_due_before_the_start() -> None:
    assert Schedule(base_ns=1000, rate=5).due(999) == 0
    assert Schedule(base_ns=1000, rate=5).due(1000) == 1


@given(st.lists(st.integers(min_value=1, max_value=50), min_size=1, max_size=8), st.integers(min_value=0))
def test_shares_are_exact_in_every_cycle(weights: list[int], seed: int) -> None:
    chosen = mix(weights, seed)
    for _ in range(2):
        counts = Counter(islice(chosen, sum(weights)))
        assert [counts[i] for i in range(len(weights))] == weights


@given(st.lists(st.integers(min_value=1, max_value=1_000_000), min_size=1, max_size=5))
def test_shares_are_close_at_any_time(weights: list[int]) -> None:
    counts = Counter(islice(mix(weights), 500))
    for index, weight in enumerate(weights):
        assert counts[index] == pytest.approx(500 * weight / sum(weights), abs=len(weights))


def test_the_mix_is_smooth_and_repeats() -> None:
    assert list(islice(mix([5, 1, 1]), 7)) == [0, 0, 1, 0, 2, 0, 0]
    assert list(islice(mix([3, 2], 4), 50)) == list(islice(mix([3, 2], 4), 50))
