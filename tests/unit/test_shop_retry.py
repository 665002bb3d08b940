"""Retries of the shop: how long apart, and the budget that keeps them from multiplying the load."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gameday.shop.retry import SAVED_AT_MOST, Retry, RetryBudget


def test_each_retry_waits_up_to_twice_as_long() -> None:
    rule = Retry(count=3, backoff=0.1)
    for attempt, longest in ((1, 0.1), (2, 0.2), (3, 0.4)):
        assert all(longest / 2 <= rule.wait(attempt) <= longest for _ in range(50))


def test_a_budget_lets_short_trouble_pass_and_then_a_share() -> None:
    budget = RetryBudget(share=0.25)
    assert [budget.spend() for _ in range(12)] == [True] * 10 + [False] * 2
    for _ in range(4):
        budget.called()
    assert [budget.spend() for _ in range(2)] == [True, False]


@given(st.sampled_from([0.0, 0.1, 0.25, 1.0]), st.lists(st.booleans(), max_size=300))
def test_retries_never_exceed_what_was_saved_and_the_share_of_calls(share: float, steps: list[bool]) -> None:
    budget, calls, retries = RetryBudget(share=share), 0, 0
    for is_call in steps:
        if is_call:
            budget.called()
            calls += 1
        else:
            retries += budget.spend()
        assert retries <= SAVED_AT_MOST + share * calls + 1e-6
