"""Retries: how many and how long apart, and a budget that keeps them from multiplying the load."""

from __future__ import annotations

import random
from dataclasses import dataclass

SAVED_AT_MOST = 10.0
"""Retries that a quiet time may save up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How many more attempts, and how long before the first of them; each next wait is twice as long."""

    count: int = 0
    backoff: float = 0.05
    """Seconds; the real wait is drawn between half of it and all of it, so that callers do not come back in step."""

    def wait(self, attempt: int) -> float:
        """Seconds to wait before the attempt with this number; the first retry is 1."""
        return self.backoff * 2.0 ** (attempt - 1) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, guards nothing


@dataclass(slots=True, kw_only=True)
class RetryBudget:
    """Retries may be a ``share`` of the calls and no more: each call earns that part of a retry, each retry spends a whole one.

    The same rule as gRPC's retry throttling and Finagle's RetryBudget. Without it, ``count`` retries multiply the load on a
    dependency that is in trouble by 1 + ``count``.
    """

    share: float
    saved: float = SAVED_AT_MOST

    def called(self) -> None:
        """Earn for a call, which is not itself a retry."""
        self.saved = min(SAVED_AT_MOST, self.saved + self.share)

    def spend(self) -> bool:
        """Whether one retry may be made now; it is spent then."""
        if self.saved < 1:
            return False
        self.saved -= 1
        return True
