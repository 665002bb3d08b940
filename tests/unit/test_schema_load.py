"""The load's curve: what stages ask for at each moment, and the exact count of what they offer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.schema.curve import Curve, Step
from gameday.schema.experiment import LoadProfile

REQUESTS = [{"name": "browse", "get": "/"}]


def profile(**keys: Any) -> LoadProfile:
    return LoadProfile.model_validate({"target": "http://127.0.0.1:1", "requests": REQUESTS, **keys})


STAGES = profile(
    stages=[
        {"rate": "100/s", "ramp": "10s", "hold": "20s"},
        {"rate": "300/s", "ramp": "20s", "hold": "10s"},
        {"rate": "50/s", "hold": "5s"},
    ]
)


@pytest.mark.parametrize(
    ("ms", "rate"),
    [(0, 0), (5_000, 50), (10_000, 100), (29_999, 100), (40_000, 200), (50_000, 300), (59_999, 300), (60_000, 50)],
)
def test_ramps_are_linear_and_jumps_are_jumps(ms: int, rate: float) -> None:
    assert STAGES.rate_at(ms) == pytest.approx(rate)
    assert STAGES.rate_at(10**9) == 50


@pytest.mark.parametrize(
    ("window", "arrivals"),
    [
        ((0, 10_000), 500),
        ((10_000, 30_000), 2_000),
        ((30_000, 50_000), 4_000),
        ((0, 65_000), 500 + 2_000 + 4_000 + 3_000 + 250),
        ((65_000, 75_000), 500),
        ((5_000, 6_000), 55),
        ((7_000, 7_000), 0),
    ],
)
def test_what_is_offered_is_the_exact_integral(window: tuple[int, int], arrivals: float) -> None:
    assert STAGES.offered(*window) == pytest.approx(arrivals)


def test_the_cap_is_made_for_the_peak() -> None:
    assert (STAGES.open_model, STAGES.peak_rate, STAGES.cap) == (True, 300, 1_800)
    assert profile(rate="100/s").cap == 600
    assert profile(rate="100/s", max_in_flight=7).cap == 7


def test_the_closed_model_has_no_rate_and_one_request_a_user() -> None:
    closed = profile(stages=[{"users": 10, "hold": "5s"}, {"users": 40, "ramp": "10s", "hold": "5s"}])
    assert (closed.open_model, closed.peak_rate, closed.offered(0, 10_000)) == (False, 0, 0)
    assert (closed.peak_users, closed.cap, closed.users_at(10_000)) == (40, 40, 25)
    assert profile(users=5).users_at(0) == 5


def test_a_rate_is_the_same_at_all_times() -> None:
    steady = profile(rate="90/min")
    assert [steady.rate_at(ms) for ms in (0, 1, 10**7)] == [1.5, 1.5, 1.5]
    assert steady.offered(1_000, 61_000) == pytest.approx(90)


steps = st.lists(
    st.builds(Step, st.floats(0.1, 1e5), st.integers(0, 50_000), st.integers(1, 50_000)), min_size=1, max_size=6
)


@given(steps, st.lists(st.integers(0, 400_000), min_size=3, max_size=3))
def test_windows_add_up_and_lie_between_the_lowest_and_the_peak(listed: list[Step], edges: list[int]) -> None:
    curve = Curve.of(listed)
    first, middle, last = sorted(edges)
    whole = curve.area(first, last)
    assert curve.area(first, middle) + curve.area(middle, last) == pytest.approx(whole, rel=1e-9, abs=1e-6)
    assert -1e-6 <= whole <= curve.peak * (last - first) / 1000 * (1 + 1e-9) + 1e-6
    assert 0 <= curve.at(middle) <= curve.peak


@given(steps)
def test_the_integral_is_that_of_the_levels(listed: list[Step]) -> None:
    curve = Curve.of(listed)
    step = max(1, curve.length_ms // 2_000)
    sampled = sum(curve.at(ms + step / 2) * step / 1000 for ms in range(0, curve.length_ms, step))
    bound = step * len(listed) * 2 * curve.peak / 1000 + 1e-3 * curve.peak
    assert curve.area(0, curve.length_ms) == pytest.approx(sampled, abs=bound)
