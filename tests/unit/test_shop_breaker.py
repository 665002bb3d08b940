"""The circuit breaker of the shop, as a state machine."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gameday.shop.breaker import Breaker, State


def opened(at: float = 0.0) -> Breaker:
    breaker = Breaker(failures=3, open_seconds=10.0)
    for _ in range(3):
        assert breaker.allows(at)
        breaker.failed(at)
    return breaker


def test_opens_after_the_failures_it_bears() -> None:
    breaker = opened()
    assert breaker.state is State.OPEN
    assert not breaker.allows(9.9)


def test_a_success_between_failures_starts_the_count_again() -> None:
    breaker = Breaker(failures=2, open_seconds=10.0)
    breaker.failed(0.0)
    breaker.succeeded()
    breaker.failed(1.0)
    assert breaker.state is State.CLOSED


def test_lets_one_call_try_and_closes_when_it_succeeds() -> None:
    breaker = opened()
    assert breaker.allows(10.0)
    assert breaker.state.name == "HALF_OPEN"
    assert not breaker.allows(10.0), "only one call at a time may try"
    breaker.succeeded()
    assert breaker.state is State.CLOSED
    assert breaker.allows(10.0)


def test_a_failed_try_opens_it_for_the_whole_time_again() -> None:
    breaker = opened()
    assert breaker.allows(10.0)
    breaker.failed(10.5)
    assert not breaker.allows(20.4)
    assert breaker.allows(20.5)


def test_late_answers_to_calls_from_before_it_opened_change_nothing() -> None:
    breaker = opened(at=0.0)
    breaker.succeeded()
    breaker.failed(5.0)
    assert breaker.state is State.OPEN
    assert breaker.allows(10.0), "a late failure must not keep it open for longer"


@given(st.lists(st.tuples(st.floats(0.0, 5.0), st.booleans()), max_size=60))
def test_never_stays_shut_for_longer_than_its_time(steps: list[tuple[float, bool]]) -> None:
    """Whatever happens, after ``open_seconds`` without a call one is allowed, provided each allowed call is reported."""
    breaker = Breaker(failures=3, open_seconds=10.0)
    now = 0.0
    for wait, good in steps:
        now += wait
        if breaker.allows(now):
            breaker.succeeded() if good else breaker.failed(now)
    assert breaker.allows(now + 10.001)
