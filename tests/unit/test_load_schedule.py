"""Arrivals on an absolute schedule, constant, staged, at random and changed live; endpoints in proportion to their weights."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from itertools import islice, pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.load.config import curve_config
from gameday.load.schedule import FAR_NS, Schedule, Timetable, mix
from gameday.schema.experiment import LoadProfile

S = 1_000_000_000
RATES = st.floats(min_value=1 / 3600, max_value=20_000)
STAGES = st.lists(
    st.tuples(st.integers(1, 200), st.integers(0, 20), st.integers(0, 20)).filter(lambda s: s[1] + s[2] > 0),
    min_size=1,
    max_size=5,
)


def staged(stages: list[tuple[int, int, int]], base_ns: int = 0) -> tuple[LoadProfile, Schedule]:
    profile = LoadProfile.model_validate(
        {
            "target": "http://127.0.0.1:1",
            "requests": [{"name": "a", "get": "/"}],
            "stages": [{"rate": f"{rate}/s", "ramp": f"{ramp}s", "hold": f"{hold}s"} for rate, ramp, hold in stages],
        }
    )
    curve = curve_config(profile)
    return profile, Schedule.of(base_ns, [tuple(leg) for leg in curve["legs"]], curve["last"])


def due(timetable: Timetable, until_ns: int) -> list[int]:
    taken: list[int] = []
    while timetable.due_ns < until_ns:
        taken.append(timetable.take())
    return taken


@given(RATES, st.integers(min_value=0, max_value=10**16), st.integers(min_value=0, max_value=10**6))
def test_the_kth_arrival_is_due_after_k_over_rate(rate: float, base_ns: int, k: int) -> None:
    at = Schedule.constant(base_ns, rate).when_ns(k) - base_ns
    assert at == pytest.approx(k * S / rate, rel=1e-12, abs=1)


@settings(deadline=None)
@given(STAGES, st.integers(0, 120_000), st.integers(0, 30_000))
def test_as_many_arrivals_leave_as_the_profile_offers(
    stages: list[tuple[int, int, int]], from_ms: int, length_ms: int
) -> None:
    profile, schedule = staged(stages, base_ns=7)
    arrivals = due(Timetable(schedule), 7 + (from_ms + length_ms) * 1_000_000)
    within = sum(at - 7 >= from_ms * 1_000_000 for at in arrivals)
    assert within == pytest.approx(profile.offered(from_ms, from_ms + length_ms), abs=1.0001)
    assert all(a <= b for a, b in pairwise(arrivals))
    assert schedule.count(7 + from_ms * 1_000_000) == pytest.approx(profile.offered(0, from_ms), rel=1e-9, abs=1e-6)
    assert schedule.rate_at(7 + from_ms * 1_000_000) == pytest.approx(profile.rate_at(from_ms), rel=1e-9, abs=1e-6)


@settings(deadline=None)
@given(STAGES, st.integers(2, 7), st.booleans())
def test_generators_that_share_a_schedule_make_the_same_arrivals_as_one(
    stages: list[tuple[int, int, int]], generators: int, poisson: bool
) -> None:
    _, schedule = staged(stages)

    def table(first: int, stride: int) -> Timetable:
        return Timetable(schedule, random=Random(5) if poisson else None, first=first, stride=stride)

    alone = due(table(0, 1), 3 * S)
    together = sorted(at for i in range(generators) for at in due(table(i, generators), 3 * S))
    assert together == alone


@settings(deadline=None)
@given(STAGES, st.floats(0, 30), st.integers(1, 300))
def test_a_rate_changed_live_counts_from_its_moment_and_nothing_is_due_twice(
    stages: list[tuple[int, int, int]], at_s: float, rate: int
) -> None:
    _, schedule = staged(stages)
    at_ns = int(at_s * S)
    table = Timetable(schedule)
    before = due(table, at_ns)
    table.change(at_ns, rate)
    after = due(table, at_ns + 2 * S)
    assert all(a <= b for a, b in pairwise([*before, *after]))
    assert len(after) == pytest.approx(2 * rate, abs=1.0001)
    assert table.schedule.rate_at(at_ns + S) == rate


def test_a_change_that_comes_late_keeps_what_was_taken() -> None:
    table = Timetable(Schedule.constant(0, 10.0))
    taken = due(table, 5 * S)
    table.change(1 * S, 1.0)
    assert table.due_ns > taken[-1]


def test_a_rate_of_nothing_is_never_due() -> None:
    table = Timetable(Schedule.constant(0, 10.0))
    due(table, S)
    table.change(S, 0.0)
    assert table.due_ns == FAR_NS


def test_the_first_is_due_at_the_beginning_and_none_before() -> None:
    schedule = Schedule.constant(1000, 5.0)
    assert Timetable(schedule).due_ns == 1000
    assert schedule.rate_at(999) == 0
    assert schedule.count(999) == 0


def test_random_arrivals_are_a_poisson_process_that_repeats_with_its_seed() -> None:
    schedule = Schedule.constant(0, 100.0)
    first = due(Timetable(schedule, random=Random(3)), 400 * S)
    assert first == due(Timetable(schedule, random=Random(3)), 400 * S)
    assert first != due(Timetable(schedule, random=Random(4)), 400 * S)
    gaps = [(b - a) / S for a, b in pairwise(first)]
    assert statistics.mean(gaps) == pytest.approx(0.01, rel=0.02)
    assert statistics.stdev(gaps) == pytest.approx(0.01, rel=0.03), "exponential: as wide as long"
    counts = Counter(at // S for at in first)
    assert statistics.variance(counts[s] for s in range(400)) == pytest.approx(100, rel=0.25)


def test_random_arrivals_follow_a_ramp() -> None:
    profile, schedule = staged([(200, 20, 20)])
    arrivals = due(Timetable(schedule, random=Random(1)), 40 * S)
    ramp = sum(at < 20 * S for at in arrivals)
    assert ramp == pytest.approx(profile.offered(0, 20_000), abs=5 * math.sqrt(2000))
    assert len(arrivals) - ramp == pytest.approx(4000, abs=5 * math.sqrt(4000))


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
