from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.proxy.faults import Exposure, Lane, Latency, Toxic


def lane_of(*latencies: Latency) -> Lane:
    lane = Lane()
    lane.toxics = tuple(Toxic(f"t{i}", "downstream", latency) for i, latency in enumerate(latencies))
    return lane


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_a_delay_stays_within_latency_and_jitter(latency: int, jitter: int, draw: float) -> None:
    seconds = Latency(latency=latency, jitter=jitter).seconds(lambda: draw)
    assert max(0, latency - jitter) / 1000 <= seconds <= (latency + jitter) / 1000


def test_several_latencies_add_up() -> None:
    lane = lane_of(Latency(latency=100), Latency(latency=20))
    assert Exposure(lane, random.Random(1).random).delay(data=True) == pytest.approx(0.12)


def test_a_connection_meets_a_latency_once_and_only_with_data() -> None:
    lane = lane_of(Latency(latency=100), Latency(latency=0))
    exposure = Exposure(lane, random.Random(1).random)
    exposure.delay(data=False)
    assert [toxic.met for toxic in lane.toxics] == [0, 0]
    exposure.delay(data=True)
    exposure.delay(data=True)
    assert [toxic.met for toxic in lane.toxics] == [1, 0], "a latency of nothing is met by nobody"


def test_a_share_is_drawn_once_for_each_connection() -> None:
    lane = lane_of(Latency(latency=100, toxicity=0.3))
    draw = random.Random(7).random
    hit = 0
    for _ in range(2000):
        delays = {Exposure(lane, draw).delay(data=True)}
        hit += delays == {0.1}
    assert 0.25 < hit / 2000 < 0.35
    assert lane.toxics[0].met == hit


def test_the_choice_of_a_connection_does_not_change_under_it() -> None:
    lane = lane_of(Latency(latency=100, toxicity=0.5))
    for seed in range(20):
        exposure = Exposure(lane, random.Random(seed).random)
        assert len({exposure.delay(data=True) for _ in range(10)}) == 1


def test_a_new_share_is_a_new_choice() -> None:
    lane = lane_of(Latency(latency=100, toxicity=0.0))
    exposure = Exposure(lane, random.Random(1).random)
    assert exposure.delay(data=True) == 0
    lane.toxics[0].latency = Latency(latency=100, toxicity=1.0)
    assert exposure.delay(data=True) == 0.1


def test_a_toxic_that_was_taken_off_is_forgotten() -> None:
    lane = lane_of(Latency(latency=100))
    exposure = Exposure(lane, random.Random(1).random)
    exposure.delay(data=True)
    lane.toxics = ()
    exposure.forget()
    assert exposure.delay(data=True) == 0
