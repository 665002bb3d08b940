"""Families of traffic: the probability that a request is bad, second by second, around a mean that is chosen beforehand.

``steady``: constant. ``bursts``: 60 % of the mean drifts as a log-normal AR(1) process (φ = 0.9, standard deviation 0.3), the other
40 % are bursts of one or two seconds in which 5 % more fail. ``outage``: nothing but one stretch, somewhere, in which every request
fails, so that chance has only its ends. Arrivals are evenly spaced, as the load generator's are by default.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import exp, log, log1p, sqrt

PHI, SPREAD = 0.9, 0.3
BURST, BURST_SECONDS, BURST_SHARE = 0.05, 1.5, 0.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One simulated fault phase."""

    rate: int
    bad: tuple[int, ...]
    """Bad requests of each second."""
    truth: float
    """The mean probability that a request was bad in this very run: what its verdict is about."""

    @property
    def n(self) -> int:
        """All its requests."""
        return self.rate * len(self.bad)

    @property
    def k(self) -> int:
        """All its bad requests."""
        return sum(self.bad)


def steady(_dice: random.Random, mean: float, seconds: int) -> list[float]:
    """The mean, always."""
    return [mean] * seconds


def bursts(dice: random.Random, mean: float, seconds: int) -> list[float]:
    """A drift with bursts on top; one that began just before the phase reaches into it."""
    level, shares = dice.gauss(0, SPREAD), list[float]()
    for _ in range(seconds):
        shares.append((1 - BURST_SHARE) * mean * exp(level - SPREAD**2 / 2))
        level = PHI * level + dice.gauss(0, SPREAD * sqrt(1 - PHI**2))
    for start in range(-1, seconds):
        if dice.random() < BURST_SHARE * mean / (BURST * BURST_SECONDS):
            for second in range(max(0, start), min(seconds, start + dice.choice((1, 2)))):
                shares[second] += BURST
    return [min(1.0, share) for share in shares]


def outage(dice: random.Random, mean: float, seconds: int) -> list[float]:
    """One stretch in which everything fails, as long as the mean takes."""
    length = min(mean * seconds, seconds)
    start = dice.uniform(0, seconds - length)
    return [max(0.0, min(second + 1, start + length) - max(second, start)) for second in range(seconds)]


FAMILIES: dict[str, Callable[[random.Random, float, int], list[float]]] = {
    "steady": steady,
    "bursts": bursts,
    "outage": outage,
}


def phase(dice: random.Random, family: str, mean: float, *, rate: int, seconds: int) -> Phase:
    """Draw one fault phase."""
    shares = FAMILIES[family](dice, mean, seconds)
    bad = _arrivals(dice, rate, shares) if family == "outage" else [bad_of(dice, rate, share) for share in shares]
    return Phase(rate=rate, bad=tuple(bad), truth=sum(shares) / len(shares))


def _arrivals(dice: random.Random, rate: int, shares: Sequence[float]) -> list[int]:
    """Count the evenly spaced arrivals that lie in the stretch."""
    reached = accumulate((rate * share for share in shares), initial=dice.random())
    return [later - earlier for earlier, later in pairwise(int(total) for total in reached)]


def bad_of(dice: random.Random, n: int, p: float) -> int:
    """Draw from the binomial distribution, by the lengths of the runs of good ones."""
    if p <= 0 or p >= 1:
        return n if p >= 1 else 0
    scale, found = 1 / log1p(-p), 0
    at = int(log(1 - dice.random()) * scale)
    while at < n:
        found += 1
        at += 1 + int(log(1 - dice.random()) * scale)
    return found


def blips(dice: random.Random, minutes: int) -> Sequence[tuple[int, int, float]]:
    """In each minute one blip of 0.3 to 1 s in which 30 to 100 % fail: (from ms, to ms, share)."""
    found: list[tuple[int, int, float]] = []
    for minute in range(minutes):
        start = 60_000 * minute + dice.randrange(59_000)
        found.append((start, start + dice.randrange(300, 1_001), dice.uniform(0.3, 1.0)))
    return found
