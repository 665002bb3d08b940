"""What toxics do to bytes, without a network: delays, rates, slices, limits, and their random numbers."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.proxy.attributes import Attributes
from gameday.proxy.effects import Effect, Fate, Final, Item, effect_of, sliced
from gameday.proxy.kinds import (
    Bandwidth,
    Blackhole,
    Latency,
    LimitData,
    ResetAfter,
    ResetPeer,
    Slicer,
    SlowClose,
    Timeout,
)
from gameday.proxy.toxics import Toxic, shown_share

DRAWS = 4000
KS = 1.95 / math.sqrt(DRAWS)
"""Kolmogorov-Smirnov: the distance that a sample of the right distribution exceeds once in 1,000 times."""


def effect(kind: Attributes, share: float = 1.0, fate: Fate | None = None) -> Effect:
    found = effect_of(Toxic("t", "downstream", kind, share, seed="1"), fate or Fate(), 0.0, fresh=True)
    assert found is not None
    return found


def through(effect: Effect, *items: Item, at: float = 0.0) -> list[tuple[float, Item]]:
    return [timed for item in items for timed in effect.apply(at, item)]


def distance(sample: list[float], cdf: Callable[[float], float]) -> float:
    ordered = sorted(sample)
    n = len(ordered)
    return max(max(abs(cdf(x) - i / n), abs(cdf(x) - (i + 1) / n)) for i, x in enumerate(ordered))


def uniform(x: float) -> float:
    return (x - 0.08) / 0.04


def normal(x: float) -> float:
    return 0.5 * (1 + math.erf((x - 0.1) / (0.02 * math.sqrt(2))))


def pareto(x: float) -> float:
    return 1 - float((1 + (x - 0.1) / 0.04) ** -3)


@pytest.mark.parametrize("cdf", [uniform, normal, pareto])
def test_jitter_is_distributed_as_it_says(cdf: Callable[[float], float]) -> None:
    kind, rng = Latency(latency=100, jitter=20, distribution=cdf.__name__), random.Random(7)
    sample = [kind.seconds(rng) for _ in range(DRAWS)]
    assert distance(sample, cdf) < KS
    assert sum(sample) / DRAWS == pytest.approx(0.12 if cdf is pareto else 0.1, abs=0.003)


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.sampled_from(["uniform", "normal", "pareto"]), st.integers())
def test_no_delay_is_negative_or_endless(latency: int, jitter: int, distribution: str, seed: int) -> None:
    seconds = Latency(latency=latency, jitter=jitter, distribution=distribution).seconds(random.Random(seed))
    assert 0 <= seconds <= (latency + 50 * jitter) / 1000
    if distribution == "uniform":
        assert max(0, latency - jitter) / 1000 <= seconds <= (latency + jitter) / 1000


def test_a_seed_gives_the_same_draws_whatever_else_is_set() -> None:
    kind = Latency(latency=100, jitter=50)
    one, same, other = (Toxic("t", "downstream", kind, seed=seed) for seed in ("a", "a", "b"))
    draws = [[kind.seconds(toxic.rng) for _ in range(5)] for toxic in (one, same, other)]
    assert draws[0] == draws[1] != draws[2]


def test_a_share_is_drawn_once_for_each_connection_and_anew_when_it_changes() -> None:
    toxic = Toxic("t", "downstream", Latency(latency=100), 0.3, seed="1")
    hit = sum(effect_of(toxic, Fate(), 0.0, fresh=True) is not None for _ in range(2000))
    assert 0.25 < hit / 2000 < 0.35
    fate = Fate()
    assert len({effect_of(toxic, fate, 0.0, fresh=True) is None for _ in range(20)}) == 1
    toxic.toxicity = 1.0
    assert effect_of(toxic, fate, 0.0, fresh=True) is not None


def test_a_connection_is_met_once_and_chunks_are_counted() -> None:
    fate = Fate()
    delaying = effect(Latency(latency=5), fate=fate)
    through(delaying, b"a", b"b", Final.FINISH)
    assert (delaying.toxic.met, delaying.toxic.chunks) == (1, 2)
    nothing = effect(Latency())
    through(nothing, b"a")
    assert (nothing.toxic.met, nothing.toxic.chunks) == (0, 0), "a latency of nothing is met by nobody"


def test_bandwidth_takes_its_time_and_loses_nothing() -> None:
    timed = through(effect(Bandwidth(rate=100)), b"x" * 25_000, b"y" * 5_000, Final.FINISH)
    assert [len(item) for _, item in timed if isinstance(item, bytes)] == [10_000, 10_000, 5_000, 5_000]
    assert [at for at, _ in timed] == pytest.approx([0.1, 0.2, 0.25, 0.3, 0.3])
    assert through(effect(Bandwidth(rate=0)), b"x") == [(math.inf, b"x")]


def test_a_late_end_is_only_late() -> None:
    assert through(effect(SlowClose(delay=500)), b"x", Final.FINISH) == [(0.0, b"x"), (0.5, Final.FINISH)]


def test_a_timeout_swallows_and_closes_when_it_is_silent() -> None:
    timing = effect(Timeout(timeout=300))
    assert timing.closes_at == pytest.approx(0.3)
    assert through(timing, b"x", at=1.0) == []
    assert timing.closes_at == pytest.approx(1.3)
    assert timing.left_behind() is Final.CLOSE
    assert effect(Timeout()).closes_at is None


def test_reset_peer_waits_for_the_first_byte() -> None:
    resetting = effect(ResetPeer(timeout=100))
    assert resetting.left_behind() is None
    assert through(resetting, b"x", b"y", at=1.0) == [(1.1, Final.RESET)]
    assert resetting.left_behind() is Final.RESET


@pytest.mark.parametrize(("kind", "final"), [(LimitData(bytes=5), Final.CLOSE), (ResetAfter(bytes=5), Final.RESET)])
def test_a_limit_counts_bytes(kind: Attributes, final: Final) -> None:
    counting = effect(kind)
    assert through(counting, b"abc", b"defg", b"h") == [(0.0, b"abc"), (0.0, b"de"), (0.0, final)]
    assert counting.left_behind() is final
    assert effect(kind).left_behind() is None


@given(st.binary(max_size=5000), st.integers(1, 300), st.integers(0, 299), st.integers())
def test_slices_put_together_are_the_whole(data: bytes, size: int, variation: int, seed: int) -> None:
    kind = Slicer(average_size=size, size_variation=min(variation, size - 1))
    pieces = sliced(data, kind, random.Random(seed))
    assert b"".join(pieces) == data
    assert all(0 < len(piece) <= size + kind.size_variation for piece in pieces) or not data


def test_slicing_is_bounded() -> None:
    assert len(sliced(b"x" * 262_144, Slicer(average_size=1), random.Random(1))) <= 4096
    assert sliced(b"xy", Slicer(), random.Random(1)) == [b"xy"]


def test_slices_leave_one_after_the_other() -> None:
    timed = through(effect(Slicer(average_size=10, delay=1000)), b"x" * 40, Final.FINISH)
    assert [at for at, _ in timed] == pytest.approx([0, 0.001, 0.002, 0.003, 0.004])


def test_a_blackhole_keeps_ends_and_knows_whether_it_swallowed() -> None:
    hole = effect(Blackhole())
    assert through(hole, Final.FINISH) == [(math.inf, Final.FINISH)]
    assert hole.left_behind() is None
    assert through(hole, b"x") == []
    assert hole.left_behind() is Final.RESET
    toxic = Toxic("t", "downstream", Blackhole(established=False))
    assert effect_of(toxic, Fate(), 0.0, fresh=False) is None
    toxic = Toxic("t", "downstream", Blackhole(new="pass"))
    assert effect_of(toxic, Fate(), 0.0, fresh=True) is None


@pytest.mark.parametrize(
    ("share", "shown"), [(0, "0"), (1.0, "1"), (0.3, "0.3"), (0.1234567891, "0.12345679"), (1 / 3, "0.33333334")]
)
def test_a_share_is_shown_as_go_prints_a_float32(share: float, shown: str) -> None:
    assert str(shown_share(share)) == shown
