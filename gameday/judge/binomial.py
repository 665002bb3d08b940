"""Exact binomial judgement of a ratio: bad requests proven within the budget, proven over it, or neither.

Both directions are exact one-sided tests at ALPHA = 0.05, the same as comparing a one-sided Clopper-Pearson bound with the budget:

    pass  iff P(X ≤ k | n, budget) ≤ ALPHA        fail  iff P(X ≥ k | n, budget) < ALPHA

Requests of one phase need not be independent of each other in time: given the path that the bad probability took in this
run, Hoeffding (1956) bounds their tails by the binomial's, so that the intervals stay conservative.
"""

from __future__ import annotations

from math import ceil, exp, lgamma, log, log1p

from gameday.judge.result import FAIL, PASS, Result, unsure
from gameday.model import Reason

ALPHA = 0.05
_NEGLIGIBLE = 1e-17


def lower_tail(k: int, n: int, p: float) -> float:
    """Return P(X ≤ k) for X ~ Binomial(n, p): absolute error below 1e-8 up to n = 10⁶."""
    if k < 0:
        return 0.0
    if k >= n or p <= 0:
        return 1.0
    if p >= 1:
        return 0.0
    if k > n * p:
        return 1.0 - _sum_down(n - k - 1, n, 1 - p)
    return _sum_down(k, n, p)


def upper_tail(k: int, n: int, p: float) -> float:
    """Return P(X ≥ k) for X ~ Binomial(n, p)."""
    return lower_tail(n - k, n, 1 - p)


def _sum_down(k: int, n: int, p: float) -> float:
    """Sum the probabilities of k, k - 1, … 0 for k below the mean: each term is smaller than the one before."""
    term = exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) + (n - k) * log1p(-p))
    odds = (1 - p) / p
    total = 0.0
    while term > total * _NEGLIGIBLE:
        total += term
        if k == 0:
            break
        term *= k / (n - k + 1) * odds
        k -= 1
    return min(total, 1.0)


def ratio_result(k: int, n: int, budget: float) -> Result:
    """Judge ``k`` bad of ``n`` requests against the largest allowed share ``budget``.

    Too few is what could not have passed with no bad request at all; near the limit is everything else that is unproven. A
    budget of 0 can be broken and never proven; a budget of 1 is kept by any request.
    """
    if n <= 0:
        return unsure(Reason.NO_DATA)
    if budget >= 1 or lower_tail(k, n, budget) <= ALPHA:
        return PASS
    if upper_tail(k, n, budget) < ALPHA:
        return FAIL
    enough = samples_needed(budget)
    return unsure(Reason.TOO_FEW if enough is None or n < enough else Reason.NEAR_LIMIT)


def samples_needed(budget: float) -> int | None:
    """Return how many requests, none of them bad, prove ``budget``: 59 for 5 %, 2,995 for 0.1 %; None for a budget of 0."""
    if budget <= 0:
        return None
    return 1 if budget >= 1 else ceil(log(ALPHA) / log1p(-budget))


def certain_fail(k: int, most: int, budget: float) -> bool:
    """Whether ``k`` bad requests fail even if all others of the ``most`` that the phase can have turn out good.

    The only early decision that is allowed: the fail rule is monotone in n, so it costs no false alarms (curtailment).
    """
    return most > 0 and budget < 1 and upper_tail(k, most, budget) < ALPHA


def pass_limit(n: int, budget: float) -> int:
    """Return the largest number of bad requests of ``n`` that still passes; -1 when none does."""
    low, high = -1, n + 1
    while high - low > 1:
        middle = (low + high) // 2
        passes = n > 0 and (budget >= 1 or lower_tail(middle, n, budget) <= ALPHA)
        low, high = (middle, high) if passes else (low, middle)
    return min(low, n)


def fail_limit(n: int, budget: float) -> int:
    """Return the smallest number of bad requests of ``n`` that fails; n + 1 when none does."""
    low, high = -1, n + 1
    while high - low > 1:
        middle = (low + high) // 2
        fails = certain_fail(middle, n, budget)
        low, high = (low, middle) if fails else (middle, high)
    return high


def upper_bound(k: int, n: int) -> float:
    """Return the largest share of bad requests that ``k`` of ``n`` leave possible: the one-sided 95 % Clopper-Pearson bound."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if lower_tail(k, n, middle) <= ALPHA else (middle, high)
    return high


def chance_of_pass(n: int, budget: float, share: float) -> float:
    """Return the probability that ``n`` requests, each bad with probability ``share``, prove ``budget``."""
    return lower_tail(pass_limit(n, budget), n, share)
