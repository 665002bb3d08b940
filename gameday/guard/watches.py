"""Each kind of abort rule at work."""

from __future__ import annotations

import operator
from collections import deque
from collections.abc import Callable
from typing import Protocol

from gameday.guard.totals import Totals
from gameday.schema.grammar import AbortRule, Criterion, ForRule, LoseRule, SilentRule

LEAST_LOST = 12.0
"""Requests that a bucket holds at least: below that, a handful of failures would be an outage."""
_COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


class Watch(Protocol):
    """One rule at work: fed with totals in order of time, it says what broke it, or nothing."""

    def feed(self, now: Totals) -> str | None:
        """Take the next totals; return what broke the rule."""
        ...


def watch(rule: AbortRule, rate: Callable[[int], float], since: Totals) -> Watch:
    """Return the watch of a rule that acts on what happens after ``since``; ``rate`` at a time of the run's clock is planned."""
    if isinstance(rule, LoseRule):
        return _Bucket(rule, rate, since)
    return _Sliding(rule, since) if isinstance(rule, ForRule) else _Silence(rule, since)


class _Bucket:
    """Leaky bucket in requests: B = max(0, B + bad - beyond · n), over at B > max(lost · rate, 12).

    A full outage is seen after lost / (1 - beyond) seconds; one-second blips drain away. ``rate`` is the planned one, so that a
    collapse of the throughput does not lower the bar; where the load has stages it is that of the moment.
    """

    def __init__(self, rule: LoseRule, rate: Callable[[int], float], since: Totals) -> None:
        self._rule, self._rate, self._last, self._level = rule, rate, since, 0.0

    def feed(self, now: Totals) -> str | None:
        bad, n = max(0, now.failed - self._last.failed), max(0, now.intended - self._last.intended)
        self._last = now
        self._level = max(0.0, self._level + bad - self._rule.beyond * n)
        size = max(self._rule.lost_ms / 1000 * self._rate(now.at_ms), LEAST_LOST)
        if self._level <= size:
            return None
        return f"{self._level:.0f} requests lost beyond {100 * self._rule.beyond:g}%, {size:.0f} allowed"


class _Sliding:
    """An objective's expression on the counts of the last ``window_ms``, once that much has passed."""

    def __init__(self, rule: ForRule, since: Totals) -> None:
        self._rule = rule
        self._seen = deque([since])

    def feed(self, now: Totals) -> str | None:
        self._seen.append(now)
        start = now.at_ms - self._rule.window_ms
        while len(self._seen) > 1 and self._seen[1].at_ms <= start:
            self._seen.popleft()
        then = self._seen[0]
        n = now.intended - then.intended
        if then.at_ms > start or n <= 0:
            return None
        criterion = self._rule.criterion
        k = min(n, max(0, _bad(criterion, now) - _bad(criterion, then)))
        if _keeps(criterion, k, n):
            return None
        what = "did not complete" if criterion.kind == "throughput" else "were bad"
        return f"{k} of {n} requests ({100 * k / n:.0f}%) {what} in {(now.at_ms - then.at_ms) / 1000:.1f} s"


def _bad(criterion: Criterion, totals: Totals) -> int:
    if criterion.kind == "throughput":
        return totals.intended - totals.completed
    return totals.failed + (totals.slow[criterion.slower_us] if criterion.slower_us is not None else 0)


def _keeps(criterion: Criterion, k: int, n: int) -> bool:
    """Whether pooled counts keep the criterion, as they are: a guard must be quick, the verdict is exact later."""
    if criterion.kind == "throughput":
        return bool(_COMPARE[criterion.op]((n - k) / n, criterion.limit))
    return k <= criterion.budget * n


class _Silence:
    """Nothing completes although something is in flight or due."""

    def __init__(self, rule: SilentRule, since: Totals) -> None:
        self._rule, self._last, self._since = rule, since, since.at_ms

    def feed(self, now: Totals) -> str | None:
        before, self._last = self._last, now
        idle = now.in_flight == 0 and now.intended == before.intended
        if now.completed > before.completed or idle:
            self._since = now.at_ms
            return None
        silent = now.at_ms - self._since
        if silent < self._rule.window_ms:
            return None
        return f"nothing completed for {silent / 1000:.1f} s with {now.in_flight} requests in flight"
