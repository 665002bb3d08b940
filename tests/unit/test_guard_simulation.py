"""The leaky bucket against seeded noise: quick when traffic is lost, calm about one-second blips."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from gameday.guard import Guard
from gameday.schema.grammar import parse_abort

RULE = "errors lose 1.5s of traffic beyond 10%"


def trip_ms(share_at: Callable[[int], float], *, rate: int, seconds: int, seed: int) -> int | None:
    """Feed 100 ms pulses of random arrivals that fail with the share of their time; return when it trips."""
    generator = random.Random(seed)
    guard = Guard([parse_abort(RULE)], float(rate))
    intended = bad = 0
    guard.feed(_pulse(0, 0, 0))
    guard.arm()
    for at_ms in range(100, seconds * 1_000 + 1, 100):
        share = share_at(at_ms)
        arrivals = rate // 10 + generator.choice((-1, 0, 1))
        intended += arrivals
        bad += sum(generator.random() < share for _ in range(arrivals))
        if guard.feed(_pulse(at_ms, intended, bad)):
            return at_ms
    return None


def _pulse(at_ms: int, intended: int, bad: int) -> dict[str, object]:
    return {
        "at_ms": at_ms,
        "intended": intended,
        "completed": intended,
        "capped": 0,
        "bad": bad,
        "in_flight": 0,
        "over": {},
        "slower": {},
    }


@pytest.mark.parametrize("rate", [20, 50, 200])
def test_a_full_outage_stops_within_two_and_a_half_seconds(rate: int) -> None:
    delays = [trip_ms(lambda at: 0.03 if at <= 5_000 else 1.0, rate=rate, seconds=20, seed=seed) for seed in range(100)]
    stopped = sorted(delay - 5_000 for delay in delays if delay is not None)
    assert len(stopped) == 100
    assert 1_500 <= stopped[50] <= 1_900
    assert stopped[95] <= 2_400


@pytest.mark.parametrize("rate", [50, 200])
def test_an_hour_of_one_second_blips_stops_nothing(rate: int) -> None:
    """One blip of 0.3 to 1 s with 30 to 100 % errors in each minute, over 1 % of background noise."""
    generator = random.Random(rate)
    blips = {
        minute: (generator.randrange(0, 58_000), generator.randrange(300, 1_001), generator.uniform(0.3, 1.0))
        for minute in range(60)
    }

    def share(at_ms: int) -> float:
        start, length, bad = blips[min(at_ms // 60_000, 59)]
        return bad if start <= at_ms % 60_000 < start + length else 0.01

    assert trip_ms(share, rate=rate, seconds=3_600, seed=rate) is None


def test_half_an_outage_takes_longer_than_a_whole_one() -> None:
    half = trip_ms(lambda _at: 0.5, rate=50, seconds=60, seed=1)
    whole = trip_ms(lambda _at: 1.0, rate=50, seconds=60, seed=1)
    assert whole is not None
    assert half is not None
    assert whole < half <= 4_800
