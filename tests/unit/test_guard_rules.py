"""Abort rules on pulses: each kind, lost and late pulses, the latch."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.guard import Guard, Trip
from gameday.schema.grammar import AbortRule, parse_abort

RATE = 100.0


class Load:
    """A load whose pulses a test can bend: 10 arrivals every 100 ms."""

    def __init__(self, *texts: str, rate: float = RATE) -> None:
        self.guard = Guard([parse(text) for text in texts], rate)
        self.rate = rate
        self.at = 0
        self.totals: dict[str, int] = dict.fromkeys(("intended", "sent", "completed", "capped", "bad", "in_flight"), 0)
        self.over: dict[str, int] = {}
        self.slower: dict[str, int] = {}

    def pulse(self) -> dict[str, Any]:
        return {"t": "pulse", "at_ms": self.at, **self.totals, "over": dict(self.over), "slower": dict(self.slower)}

    def step(self, *, bad: float = 0.0, hang: bool = False, send: bool = True) -> Trip | None:
        """Go on for 100 ms: of what arrives, the share ``bad`` fails at once, or all of it hangs."""
        self.at += 100
        n = round(self.rate / 10) if send else 0
        self.totals["intended"] += n
        self.totals["sent"] += n
        if hang:
            self.totals["in_flight"] += n
        else:
            self.totals["completed"] += n
            self.totals["bad"] += round(bad * n)
        return self.guard.feed(self.pulse())

    def seconds_to_trip(self, limit: float = 60, **how: Any) -> float | None:
        start = self.at
        while self.at - start < limit * 1_000:
            if self.step(**how):
                return (self.at - start) / 1_000
        return None


def parse(text: str) -> AbortRule:
    return parse_abort(text)


def armed(*texts: str, **options: Any) -> Load:
    load = Load(*texts, **options)
    load.step()
    load.guard.arm()
    return load


@pytest.mark.parametrize(
    ("beyond", "bad", "seconds"),
    [("10%", 1.0, 1.7), ("50%", 1.0, 3.1), ("10%", 0.5, 3.8), ("10%", 0.3, 7.6), ("10%", 0.1, None)],
)
def test_the_bucket_overflows_after_lost_over_error_rate_less_tolerance(
    beyond: str, bad: float, seconds: float | None
) -> None:
    assert armed(f"errors lose 1.5s of traffic beyond {beyond}").seconds_to_trip(bad=bad) == seconds


def test_the_bucket_drains_between_blips() -> None:
    load = armed("errors lose 1.5s of traffic beyond 10%")
    for _ in range(10):
        assert load.seconds_to_trip(1, bad=1.0) is None
        assert load.seconds_to_trip(9, bad=0.0) is None


def test_a_handful_of_failures_at_a_small_rate_is_no_outage() -> None:
    load = armed("errors lose 1s of traffic beyond 10%", rate=10)
    assert load.seconds_to_trip(1.3, bad=1.0) is None
    assert load.step(bad=1.0) is not None


def test_arrivals_that_could_not_be_sent_are_lost_traffic() -> None:
    load = armed("errors lose 1.5s of traffic beyond 10%")
    for _ in range(17):
        load.totals["capped"] += 10
        load.step(send=False)
    assert load.guard.trip is not None


def test_a_collapse_of_arrivals_does_not_lower_the_bar() -> None:
    load = armed("errors lose 1.5s of traffic beyond 50%")
    for _ in range(149):
        load.totals["bad"] += 1
        load.totals["completed"] += 1
        assert load.step(send=False) is None


def test_rules_act_only_while_armed_and_forget_what_was_before() -> None:
    load = Load("errors lose 1.5s of traffic beyond 10%", "no completion for 2s", "errors < 5% for 2s")
    assert load.seconds_to_trip(20, bad=1.0) is None
    load.guard.arm()
    assert load.seconds_to_trip(30) is None
    load.guard.disarm()
    assert load.seconds_to_trip(20, bad=1.0) is None
    assert load.guard.trip is None


def test_armed_before_the_first_pulse_it_begins_with_that_pulse() -> None:
    load = Load("errors lose 1.5s of traffic beyond 10%")
    load.guard.arm()
    load.totals["bad"] = load.totals["intended"] = 5_000
    assert load.step() is None
    assert load.seconds_to_trip(bad=1.0) == 1.7


def test_a_trip_is_latched_and_says_what_happened() -> None:
    load = armed("errors lose 1.5s of traffic beyond 10%")
    load.seconds_to_trip(bad=1.0)
    trip = load.guard.trip
    assert trip == Trip(
        rule="errors lose 1.5s of traffic beyond 10%", at_ms=1_800, detail="153 requests lost beyond 10%, 150 allowed"
    )
    for _ in range(100):
        assert load.step() is trip


@pytest.mark.parametrize("skip", [2, 5, 10])
def test_lost_pulses_cost_only_the_time_to_the_next(skip: int) -> None:
    load = armed("errors lose 1.5s of traffic beyond 10%")
    trip = None
    for step in range(1, 60):
        load.at += 100
        load.totals["intended"] += 10
        load.totals["completed"] += 10
        load.totals["bad"] += 10
        if step % skip == 0:
            trip = trip or load.guard.feed(load.pulse())
    assert trip is not None
    assert trip.at_ms - 100 <= 1_700 + skip * 100


def test_an_old_or_repeated_pulse_changes_nothing() -> None:
    load = armed("errors lose 1.5s of traffic beyond 10%")
    load.seconds_to_trip(1, bad=1.0)
    now = load.pulse()
    for _ in range(50):
        assert load.guard.feed(now) is None
        assert load.guard.feed({**now, "at_ms": 0, "bad": 0}) is None


def test_an_expression_must_fail_over_its_whole_window() -> None:
    load = armed("errors < 20% for 5s")
    assert load.seconds_to_trip(0.9, bad=1.0) is None
    assert load.seconds_to_trip(30) is None
    assert armed("errors < 20% for 5s").seconds_to_trip(bad=0.3) == 5.0
    assert armed("errors < 20% for 5s").seconds_to_trip(bad=0.2) is None


def test_latency_counts_slow_failed_hanging_and_capped_requests_once_each() -> None:
    load = armed("p50 < 2s for 1s")
    for _ in range(10):
        load.slower["2000000"] = load.slower.get("2000000", 0) + 2
        load.totals["bad"] += 1
        load.over["2000000"] = load.over.get("2000000", 0) + 2
        load.totals["capped"] += 1
        load.step()
    trip = load.guard.trip
    assert trip is not None
    assert trip.detail == "60 of 100 requests (60%) were bad in 1.0 s"


def test_a_black_hole_is_seen_one_limit_after_it_opened() -> None:
    load = armed("p90 < 1s for 2s")
    for tick in range(1, 60):
        load.over["1000000"] = max(0, (tick - 10) * 10)
        if load.step(hang=True):
            break
    assert load.at - 100 <= 1_000 + 2_000


def test_throughput_compares_completions_with_arrivals() -> None:
    assert armed("throughput > 50% for 3s").seconds_to_trip(hang=True) == 3.0
    assert armed("throughput > 50% for 3s").seconds_to_trip(bad=1.0) is None


def test_silence_needs_something_in_flight_or_due() -> None:
    load = armed("no completion for 2s")
    assert load.seconds_to_trip(30) is None
    assert load.seconds_to_trip(30, send=False) is None
    assert load.seconds_to_trip(hang=True) == 2.0
    stuck = armed("no completion for 2s")
    stuck.totals["in_flight"] = 3
    assert stuck.seconds_to_trip(send=False) == 2.0
    capped = armed("no completion for 2s")
    for _ in range(20):
        capped.totals["intended"] += 10
        capped.step(send=False)
    assert capped.guard.trip is not None


def test_a_rule_that_counts_seconds_is_refused_by_the_grammar() -> None:
    with pytest.raises(ValueError, match="counts requests, not seconds"):
        parse_abort("bad_seconds < 10% for 10s")


@settings(deadline=None)
@given(shares=st.lists(st.floats(0, 1), max_size=80), index=st.integers(0, 79))
def test_more_failures_never_make_a_guard_calmer(shares: list[float], index: int) -> None:
    def tripped(list_of_shares: list[float]) -> float:
        load = armed("errors lose 1.5s of traffic beyond 10%", "errors < 30% for 2s")
        for share in list_of_shares:
            if load.step(bad=share):
                return load.at
        return float("inf")

    worse = [1.0 if at == index else share for at, share in enumerate(shares)]
    assert tripped(worse) <= tripped(shares)
