"""The exact ratio rule against a golden table, an independent computation, and the properties that make it honest."""

from __future__ import annotations

import random
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.judge.binomial import (
    ALPHA,
    certain_fail,
    chance_of_pass,
    fail_limit,
    lower_tail,
    pass_limit,
    ratio_result,
    samples_needed,
    upper_tail,
)
from gameday.model import Reason, Verdict

BUDGETS = st.sampled_from([0.0, 0.0001, 0.001, 0.005, 0.01, 0.05, 0.25, 0.5, 0.9, 1.0])


def exact(k: int, n: int, p: float) -> float:
    """P(X ≤ k) in whole numbers, without any rounding."""
    share = Fraction(repr(p))
    return float(sum(comb(n, i) * share**i * (1 - share) ** (n - i) for i in range(k + 1)))


@pytest.mark.parametrize("p", [0.001, 0.05, 0.5, 0.95])
@pytest.mark.parametrize("n", [1, 7, 59, 200])
def test_both_tails_equal_whole_number_arithmetic(n: int, p: float) -> None:
    for k in range(-1, n + 2):
        assert lower_tail(k, n, p) == pytest.approx(exact(min(k, n), n, p), abs=1e-11)
        assert upper_tail(k, n, p) == pytest.approx(1 - exact(min(k, n + 1) - 1, n, p), abs=1e-11)


@pytest.mark.parametrize(
    ("budget", "n", "passes_up_to", "fails_from"),
    [(0.001, 3_000, 0, 7), (0.001, 12_000, 6, 19), (0.001, 30_000, 20, 40), (0.001, 100_000, 83, 118)],
)
def test_limits_of_the_golden_table(budget: float, n: int, passes_up_to: int, fails_from: int) -> None:
    assert (pass_limit(n, budget), fail_limit(n, budget)) == (passes_up_to, fails_from)
    assert ratio_result(passes_up_to, n, budget).verdict is Verdict.PASS
    assert ratio_result(passes_up_to + 1, n, budget).verdict is Verdict.INCONCLUSIVE
    assert ratio_result(fails_from - 1, n, budget).verdict is Verdict.INCONCLUSIVE
    assert ratio_result(fails_from, n, budget).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("budget", "needed"), [(0.05, 59), (0.01, 299), (0.005, 598), (0.001, 2_995), (0.0001, 29_956)]
)
def test_samples_that_prove_a_budget_without_a_bad_one(budget: float, needed: int) -> None:
    assert samples_needed(budget) == needed
    assert ratio_result(0, needed, budget).verdict is Verdict.PASS
    assert ratio_result(0, needed - 1, budget).reason is Reason.TOO_FEW


def test_a_million_requests_are_judged_near_their_limit() -> None:
    below, above = pass_limit(1_000_000, 0.001), fail_limit(1_000_000, 0.001)
    assert (below, above) == (947, 1_053)
    assert lower_tail(1_000, 1_000_000, 0.001) == pytest.approx(0.508, abs=0.001)


def test_a_budget_of_nothing_is_broken_by_one_and_proven_by_no_number() -> None:
    assert ratio_result(1, 10, 0.0).verdict is Verdict.FAIL
    assert ratio_result(0, 10**6, 0.0).reason is Reason.TOO_FEW
    assert samples_needed(0.0) is None
    assert (pass_limit(10, 0.0), fail_limit(10, 0.0)) == (-1, 1)


def test_a_budget_of_everything_needs_a_request_all_the_same() -> None:
    assert ratio_result(5, 5, 1.0).verdict is Verdict.PASS
    assert ratio_result(0, 0, 1.0).reason is Reason.NO_DATA


def test_near_the_limit_is_told_from_too_few() -> None:
    assert ratio_result(5, 100, 0.05).reason is Reason.NEAR_LIMIT
    assert ratio_result(2, 58, 0.05).reason is Reason.TOO_FEW


@settings(deadline=None)
@given(n=st.integers(0, 20_000), k=st.integers(0, 20_000), more=st.integers(0, 50), budget=BUDGETS)
def test_more_bad_is_never_better(n: int, k: int, more: int, budget: float) -> None:
    k = min(k, n)
    assert ratio_result(min(n, k + more), n, budget).verdict >= ratio_result(k, n, budget).verdict


@settings(deadline=None)
@given(n=st.integers(1, 5_000), more=st.integers(0, 5_000), k=st.integers(0, 5_000), budget=BUDGETS)
def test_a_certain_failure_fails_however_the_rest_goes(n: int, more: int, k: int, budget: float) -> None:
    k = min(k, n)
    if certain_fail(k, n + more, budget):
        assert ratio_result(k, n, budget).verdict is Verdict.FAIL
        assert ratio_result(k, n + more, budget).verdict is Verdict.FAIL


@pytest.mark.parametrize(("n", "budget", "share", "chance"), [(3_000, 0.005, 0.00125, 0.90), (160, 0.05, 0.0125, 0.80)])
def test_the_chance_of_a_pass_is_what_simulation_finds(n: int, budget: float, share: float, chance: float) -> None:
    generator = random.Random(11)
    limit = pass_limit(n, budget)
    passed = sum(sum(generator.random() < share for _ in range(n)) <= limit for _ in range(300)) / 300
    assert chance_of_pass(n, budget, share) == pytest.approx(chance, abs=0.1)
    assert passed == pytest.approx(chance_of_pass(n, budget, share), abs=0.08)


def test_wrong_verdicts_are_as_rare_as_promised() -> None:
    """At the very budget, 5 % of runs may fail and 5 % may pass: counted exactly, over all outcomes that matter."""
    for n in (500, 3_000, 12_000):
        for budget in (0.001, 0.005, 0.05):
            assert upper_tail(fail_limit(n, budget), n, budget) < ALPHA
            if pass_limit(n, budget) >= 0:
                assert lower_tail(pass_limit(n, budget), n, budget) <= ALPHA


def test_a_simulated_service_within_its_budget_is_hardly_ever_failed() -> None:
    """Bursts and quiet seconds around a mean of half the budget: fewer than 5 % of 400 runs fail (seeded)."""
    generator = random.Random(5)
    failed = 0
    for _ in range(400):
        level, bad = 0.0, 0
        for _second in range(60):
            level = 0.9 * level + generator.gauss(0, 0.3)
            p = min(1.0, 0.0025 * 2.718 ** (level - 0.2))
            bad += sum(generator.random() < p for _ in range(50))
        failed += ratio_result(bad, 3_000, 0.005).verdict is Verdict.FAIL
    assert failed / 400 < 0.05
