"""When each arrival is due, and which request it is; pure, in nanoseconds of the monotonic clock."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import gcd

_NS = 1_000_000_000
_CYCLE_LIMIT = 20_000
"""Longest cycle of the mix that is laid out beforehand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Arrivals at a constant rate on an absolute schedule: one that is late delays no other."""

    base_ns: int
    """``time.monotonic_ns()`` of the first arrival."""
    rate: float
    """Arrivals per second."""

    def intended_ns(self, k: int) -> int:
        """When arrival ``k`` (from 0) is due: base + k / rate."""
        return self.base_ns + int(k * _NS / self.rate)

    def due(self, now_ns: int) -> int:
        """How many arrivals are due by now; never fewer than those whose ``intended_ns`` has passed."""
        if now_ns < self.base_ns:
            return 0
        count = int((now_ns - self.base_ns) * self.rate / _NS) + 1
        return count + 1 if self.intended_ns(count) <= now_ns else count


def mix(weights: Sequence[int], seed: int = 0) -> Iterator[int]:
    """Yield indexes for ever, each in proportion to its weight: smooth weighted round robin, so shares are exact in every cycle.

    The algorithm is nginx's (https://github.com/nginx/nginx/commit/52327e0627f49dbda1e8db695e63a4b0af4448b1). It is
    deterministic; the seed chooses where in the cycle it begins.
    """
    cycle = sum(weights) // gcd(*weights)
    if cycle > _CYCLE_LIMIT:
        return _smooth(weights)
    turn = list(itertools.islice(_smooth(weights), cycle))
    start = seed % cycle
    return itertools.cycle(turn[start:] + turn[:start])


def _smooth(weights: Sequence[int]) -> Iterator[int]:
    total = sum(weights)
    current = [0] * len(weights)
    while True:
        for index, weight in enumerate(weights):
            current[index] += weight
        chosen = current.index(max(current))
        current[chosen] -= total
        yield chosen
