"""When each arrival is due, and which request it is; pure, in nanoseconds of the monotonic clock."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import gcd
from random import Random
from typing import NamedTuple

_NS = 1_000_000_000
_CYCLE_LIMIT = 20_000
"""Longest cycle of the mix that is laid out beforehand."""
FAR_NS = 1 << 62
"""Later than any run: nothing is due."""

Leg = tuple[int, int, float, float]
"""From and to, in ms of the load's time, and the rate per second at either: linear between them."""


class Segment(NamedTuple):
    """A part of the schedule in which the rate is linear."""

    start_s: float
    end_s: float
    rate: float
    """Arrivals per second at its start."""
    slope: float
    """How much the rate changes in a second."""
    before: float
    """Arrivals due before its start."""

    def rate_at(self, s: float) -> float:
        """Return arrivals per second at a moment of this segment."""
        return self.rate + self.slope * (s - self.start_s)

    def upto(self, s: float) -> float:
        """Return how many arrivals are due before a moment of this segment: the integral of the rate."""
        took = s - self.start_s
        return self.before + took * (self.rate + self.slope * took / 2)

    def when(self, count: float) -> float:
        """Return when ``count`` arrivals are due, in seconds: the inverse of ``upto``, in the form that loses no digits."""
        more = count - self.before
        if more <= 0:
            return self.start_s
        root = math.sqrt(max(0.0, self.rate * self.rate + 2 * self.slope * more))
        return min(self.end_s, self.start_s + 2 * more / (self.rate + root))


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Arrivals on an absolute schedule: the k-th is due when the cumulative rate is k, and one that is late delays no other."""

    base_ns: int
    """``time.monotonic_ns()`` of the beginning."""
    segments: tuple[Segment, ...]
    """One after the other without a gap; the last never ends."""

    @classmethod
    def constant(cls, base_ns: int, rate: float) -> Schedule:
        """Return the schedule of a rate that never changes."""
        return cls(base_ns=base_ns, segments=(Segment(0.0, math.inf, rate, 0.0, 0.0),))

    @classmethod
    def of(cls, base_ns: int, legs: Sequence[Leg], last: float) -> Schedule:
        """Return the schedule of ``legs`` one after the other, and of the rate ``last`` after them."""
        segments: list[Segment] = []
        before = end_s = 0.0
        for from_ms, to_ms, begin, end in legs:
            start_s, end_s = from_ms / 1000, to_ms / 1000
            segments.append(Segment(start_s, end_s, begin, (end - begin) / (end_s - start_s), before))
            before = segments[-1].upto(end_s)
        return cls(base_ns=base_ns, segments=(*segments, Segment(end_s, math.inf, last, 0.0, before)))

    def when_ns(self, count: float) -> int:
        """Return when the cumulative rate reaches ``count``; FAR_NS if it never does."""
        for segment in self.segments:
            if segment.end_s == math.inf or count < segment.upto(segment.end_s):
                break
        else:
            segment = self.segments[-1]
        if segment.rate <= 0 and segment.slope <= 0:
            return FAR_NS
        return self.base_ns + int(segment.when(count) * _NS)

    def rate_at(self, now_ns: int) -> float:
        """Return the arrivals per second that are asked for; 0 before the beginning."""
        s = (now_ns - self.base_ns) / _NS
        return next((part.rate_at(s) for part in self.segments if part.start_s <= s < part.end_s), 0.0)

    def count(self, now_ns: int) -> float:
        """Return how many arrivals the rate amounts to before that moment."""
        s = max(0.0, (now_ns - self.base_ns) / _NS)
        return next(part.upto(s) for part in self.segments if s < part.end_s)

    def changed(self, at_ns: int, rate: float) -> Schedule:
        """Return this schedule up to ``at_ns`` and a constant rate from there on."""
        at_s = max(0.0, (at_ns - self.base_ns) / _NS)
        kept = [part._replace(end_s=min(part.end_s, at_s)) for part in self.segments if part.start_s < at_s]
        before = kept[-1].upto(at_s) if kept else 0.0
        return Schedule(base_ns=self.base_ns, segments=(*kept, Segment(at_s, math.inf, rate, 0.0, before)))


class Timetable:
    """The arrivals of a schedule one by one, evenly spaced or at random; with ``stride`` n only each n-th of them.

    At random means a Poisson process: the gaps between arrivals, in units of the cumulative rate, are exponential with mean 1
    (the time-change theorem). Generators that share a schedule take ``first`` 0, 1, … of the same arrivals, from the same seed.
    """

    def __init__(self, schedule: Schedule, *, random: Random | None = None, first: int = 0, stride: int = 1) -> None:
        self.schedule = schedule
        self._random = random
        self._stride = stride
        self._position = 0.0
        self._move(first + (random is not None))
        self.due_ns = schedule.when_ns(self._position)
        """When the next arrival is due."""
        self._taken_ns = schedule.base_ns

    def _move(self, arrivals: int) -> None:
        if self._random is None:
            self._position += arrivals
            return
        for _ in range(arrivals):
            self._position += self._random.expovariate(1.0)

    def take(self) -> int:
        """Return when the next arrival is due, and go on to the one after it."""
        self._taken_ns = taken = self.due_ns
        self._move(self._stride)
        self.due_ns = self.schedule.when_ns(self._position)
        return taken

    def change(self, at_ns: int, rate: float) -> None:
        """Keep what was due before ``at_ns`` and has been taken, and go on at another rate from there."""
        self.schedule = self.schedule.changed(max(at_ns, self._taken_ns), rate)
        self.due_ns = self.schedule.when_ns(self._position)


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
