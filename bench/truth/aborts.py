"""How soon the guard stops an outage and how often it stops for nothing, on the 100 ms pulses that the load generator sends."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

from bench.truth.traffic import bad_of, blips
from bench.truth.verdictrates import Goal
from gameday.guard import Guard
from gameday.schema.grammar import parse_abort

RULE = "errors lose 1.5s of traffic beyond 10%"
RATES = (20, 50, 200, 500)
PULSE_MS = 100
BACKGROUND = 0.01
Share = Callable[[int], float]


class Naive:
    """Any second with more than 10 % bad."""

    def __init__(self) -> None:
        self._last = (0, 0)

    def feed(self, pulse: dict[str, Any]) -> bool:
        """Look at the end of each second."""
        if pulse["at_ms"] % 1_000:
            return False
        n, bad = pulse["intended"] - self._last[0], pulse["bad"] - self._last[1]
        self._last = pulse["intended"], pulse["bad"]
        return bool(n) and bad > 0.1 * n


def pulses(dice: random.Random, share: Share, rate: int, end_ms: int) -> Iterator[dict[str, Any]]:
    """Yield a pulse every 100 ms, running totals; a bad request fails at once."""
    intended = bad = 0
    for at_ms in range(PULSE_MS, end_ms + 1, PULSE_MS):
        due = rate * at_ms // 1_000 - intended
        intended += due
        bad += bad_of(dice, due, share(at_ms))
        yield {
            "at_ms": at_ms,
            "intended": intended,
            "completed": intended,
            "capped": 0,
            "bad": bad,
            "in_flight": 0,
            "over": {},
            "slower": {},
        }


def guard(rate: int) -> Guard:
    """Return the product's guard, armed."""
    made = Guard([parse_abort(RULE)], float(rate))
    made.arm()
    return made


def outage_seconds(trials: int, seed: str) -> dict[int, list[float]]:
    """Return, by rate, how long after its beginning a full outage was stopped; one never stopped is infinite."""
    return {rate: [_stopped(random.Random(f"{seed}/outage/{rate}/{i}"), rate) for i in range(trials)] for rate in RATES}


def _stopped(dice: random.Random, rate: int) -> float:
    """Begin anywhere between two pulses: of the first one's arrivals only those after the beginning fail."""
    begin = 3_000 + dice.uniform(0, PULSE_MS)
    watching = guard(rate)

    def share(at_ms: int) -> float:
        part = min(max((at_ms - begin) / PULSE_MS, 0.0), 1.0)
        return part + (1 - part) * BACKGROUND

    for pulse in pulses(dice, share, rate, 20_000):
        if trip := watching.feed(pulse):
            return (trip.at_ms - begin) / 1_000
    return float("inf")


def false_aborts(minutes: int, seed: str) -> dict[int, tuple[float, float]]:
    """Return, by rate, how often in an hour of blips the guard stops, and how often "any second over 10 %" does.

    After a stop both begin anew.
    """
    return {rate: _per_hour(random.Random(f"{seed}/blips/{rate}"), rate, minutes) for rate in RATES}


def _per_hour(dice: random.Random, rate: int, minutes: int) -> tuple[float, float]:
    found = blips(dice, minutes)
    starts = [start for start, _, _ in found]

    def share(at_ms: int) -> float:
        index = bisect_right(starts, at_ms) - 1
        if index < 0 or at_ms >= found[index][1]:
            return BACKGROUND
        return found[index][2]

    watching, naive = guard(rate), Naive()
    ours = theirs = 0
    for pulse in pulses(dice, share, rate, minutes * 60_000):
        if watching.feed(pulse):
            ours, watching = ours + 1, guard(rate)
        theirs += naive.feed(pulse)
    return 60 * ours / minutes, 60 * theirs / minutes


def goals(delays: dict[int, list[float]], hourly: dict[int, tuple[float, float]]) -> list[Goal]:
    """Hold the guard against its goals, each at the worst rate."""
    middle = {rate: median(seconds) for rate, seconds in delays.items()}
    late = {rate: p95(seconds) for rate, seconds in delays.items()}
    calls = {rate: ours for rate, (ours, _) in hourly.items()}
    return [
        _worst("full outage stopped, median <= 2.0 s", 2.0, middle, "s"),
        _worst("full outage stopped, p95 <= 2.5 s", 2.5, late, "s"),
        _worst("false aborts on blips <= 0.05 an hour", 0.05, calls, "an hour"),
    ]


def p95(values: list[float]) -> float:
    """Nearest rank."""
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


def _worst(says: str, limit: float, by_rate: dict[int, float], unit: str) -> Goal:
    rate = max(by_rate, key=lambda one: by_rate[one])
    return Goal(says=says, limit=limit, worst=by_rate[rate], where=f"{rate}/s", unit=unit)
