"""How far two shares may be apart by chance: Newcombe's interval for the difference of two independent proportions."""

from __future__ import annotations

from math import sqrt

Z = 1.959963984540054
"""The normal quantile of a two-sided 95 % interval."""
METHOD = (
    "95 % intervals of the difference of two shares by Newcombe's score method (R. G. Newcombe, Interval estimation for "
    "the difference between independent proportions, Statistics in Medicine 17, 1998, 873-890, method 10). It takes "
    "requests as independent of each other; failures come in bursts, so that a difference just beyond it may still be "
    "chance. Shown, never judged."
)


def wilson(k: int, n: int) -> tuple[float, float]:
    """Return Wilson's score interval for a share of ``k`` of ``n``, n > 0."""
    share, squared = k / n, Z * Z
    middle = (share + squared / (2 * n)) / (1 + squared / n)
    spread = Z / (1 + squared / n) * sqrt(share * (1 - share) / n + squared / (4 * n * n))
    return max(0.0, middle - spread), min(1.0, middle + spread)


def newcombe(k_before: int, n_before: int, k_now: int, n_now: int) -> tuple[float, float] | None:
    """Return the interval of (share now - share before), each between -1 and 1; None where a side has no requests.

    Newcombe's hybrid score interval (method 10): the Wilson bounds of each share, combined by the root of the squared distances.
    """
    if min(n_before, n_now) <= 0 or not (0 <= k_before <= n_before and 0 <= k_now <= n_now):
        return None
    before, now = k_before / n_before, k_now / n_now
    (low_before, high_before), (low_now, high_now) = wilson(k_before, n_before), wilson(k_now, n_now)
    down = sqrt((now - low_now) ** 2 + (high_before - before) ** 2)
    up = sqrt((high_now - now) ** 2 + (before - low_before) ** 2)
    return max(-1.0, now - before - down), min(1.0, now - before + up)
