"""The golden table (n, k, budget) → verdict, and both tails, against SciPy's binomial distribution."""

from __future__ import annotations

import importlib
import random
from typing import Any

import pytest

from gameday.judge.binomial import ALPHA, fail_limit, lower_tail, pass_limit, ratio_result, samples_needed, upper_tail
from gameday.judge.chance import lower_bound

BUDGETS = (0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5)
REQUESTS = (1, 10, 59, 299, 598, 2_995, 3_000, 12_000, 30_000, 100_000)
GOLDEN = [(n, budget) for budget in BUDGETS for n in REQUESTS]
TOLERANCE = 1e-8
"""What docs of the tails promise."""


@pytest.fixture(scope="module")
def stats() -> Any:
    """SciPy, untyped."""
    return importlib.import_module("scipy.stats")


def expected(stats: Any, k: int, n: int, budget: float) -> str:
    """The rule of docs/verdicts.md in SciPy's words."""
    if stats.binom.cdf(k, n, budget) <= ALPHA:
        return "pass"
    return "fail" if stats.binom.sf(k - 1, n, budget) < ALPHA else "inconclusive"


@pytest.mark.parametrize(("n", "budget"), GOLDEN)
def test_every_verdict_about_the_limits_is_that_of_scipy(stats: Any, n: int, budget: float) -> None:
    most, least = pass_limit(n, budget), fail_limit(n, budget)
    near = {0, n, *(k for edge in (most, least) for k in range(edge - 2, edge + 3)), round(n * budget)}
    for k in sorted(k for k in near if 0 <= k <= n):
        assert ratio_result(k, n, budget).verdict.word == expected(stats, k, n, budget), k


def test_the_golden_table_has_every_verdict(stats: Any) -> None:
    words = {expected(stats, k, n, budget) for n, budget in GOLDEN for k in (0, round(n * budget), n)}
    assert words == {"pass", "inconclusive", "fail"}


def test_both_tails_are_those_of_scipy(stats: Any) -> None:
    dice = random.Random(3)
    for _ in range(1_000):
        n, p = dice.choice([10, 300, 3_000, 30_000, 300_000]), dice.choice([1e-4, 1e-3, 5e-3, 0.05, 0.1, 0.5])
        k = min(n, max(0, round(dice.gauss(n * p, 2.5 * (n * p) ** 0.5 + 2))))
        assert lower_tail(k, n, p) == pytest.approx(stats.binom.cdf(k, n, p), abs=TOLERANCE)
        assert upper_tail(k, n, p) == pytest.approx(stats.binom.sf(k - 1, n, p), abs=TOLERANCE)


@pytest.mark.parametrize(("k", "n"), [(0, 59), (3, 3_000), (0, 3_000), (20, 30_000), (40, 30_000), (120, 3_000)])
def test_the_verdict_is_a_one_sided_interval_against_the_budget(stats: Any, k: int, n: int) -> None:
    """Clopper-Pearson: pass iff its upper bound is within the budget, fail iff its lower one is over it."""
    upper = stats.beta.ppf(1 - ALPHA, k + 1, n - k)
    lower = stats.beta.ppf(ALPHA, k, n - k + 1) if k else 0.0
    for budget in (upper * 1.0001, upper * 0.9999, *([lower * 1.0001, lower * 0.9999] if k else [])):
        word = "pass" if upper <= budget else "fail" if lower > budget else "inconclusive"
        assert ratio_result(k, n, budget).verdict.word == word


@pytest.mark.parametrize("budget", BUDGETS)
def test_what_no_bad_request_proves_is_what_scipy_says(stats: Any, budget: float) -> None:
    needed = samples_needed(budget)
    assert needed is not None
    assert stats.binom.pmf(0, needed, budget) <= ALPHA < stats.binom.pmf(0, needed - 1, budget)


@pytest.mark.parametrize(
    ("passed", "runs"), [(1, 1), (3, 3), (10, 10), (59, 59), (8, 10), (1, 10), (29, 30), (500, 1_000)]
)
def test_the_bound_of_repeats_is_clopper_and_pearsons(stats: Any, passed: int, runs: int) -> None:
    assert lower_bound(passed, runs) == pytest.approx(stats.beta.ppf(ALPHA, passed, runs - passed + 1), abs=1e-7)


def test_no_pass_bounds_nothing() -> None:
    assert lower_bound(0, 10) == 0.0
