"""Invented load of a small shop in the open model: rows in 100 ms slots, histograms and ticks that agree with each other."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import dataclass

from gameday.model import Histogram, LoadRow, LoadSeries, Tick
from gameday.spi.histogram import bucket

LIMITS_US = (300_000, 1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """When the shop suffers, in ms of the run, and how much."""

    start_ms: int
    end_ms: int
    fault: tuple[int, int]
    heals_ms: int
    """It suffers until this time."""
    error_share: float = 0.0
    slow_ms: float = 0.0
    """Added to every checkout while it suffers."""
    browse_per_slot: int = 7
    checkout_per_slot: int = 3
    jitter: float = 0.35


def sample_load(shape: Shape, seed: int = 7) -> LoadSeries:
    """Invent the load; the same shape and seed give the same series."""
    dice = random.Random(seed)
    rows: list[LoadRow] = []
    buckets: dict[tuple[int, str], Counter[int]] = defaultdict(Counter)
    sums: Counter[tuple[int, str]] = Counter()
    for slot in range(shape.start_ms // 100, shape.end_ms // 100):
        for endpoint, count in (("browse", shape.browse_per_slot), ("checkout", shape.checkout_per_slot)):
            rows += _slot(dice, shape, (slot, endpoint, count), buckets, sums)
    histograms = tuple(
        Histogram(
            second=key[0],
            endpoint=key[1],
            count=found.total(),
            sum_ms=sums[key] / 1000,
            buckets=dict(sorted(found.items())),
        )
        for key, found in sorted(buckets.items())
    )
    return LoadSeries(rows=tuple(rows), histograms=histograms, ticks=_ticks(dice, shape), said_bye=True)


def _slot(
    dice: random.Random,
    shape: Shape,
    arrivals: tuple[int, str, int],
    buckets: dict[tuple[int, str], Counter[int]],
    sums: Counter[tuple[int, str]],
) -> list[LoadRow]:
    slot, endpoint, count = arrivals
    suffers = shape.fault[0] <= slot * 100 < shape.heals_ms and endpoint == "checkout"
    counts: Counter[str] = Counter()
    slower: dict[str, Counter[int]] = defaultdict(Counter)
    for _ in range(count):
        us = round(dice.lognormvariate(0, shape.jitter) * (21_000 if endpoint == "browse" else 48_000))
        kind = "ok"
        if suffers:
            us += round(shape.slow_ms * 1000 * dice.uniform(0.6, 1.3))
            kind = "timeout" if dice.random() < shape.error_share else "ok"
        elif dice.random() < 0.0004:
            kind = "http_5xx"
        us = 5_000_000 if kind == "timeout" else us
        counts[kind] += 1
        key = (slot // 10, endpoint)
        buckets[key][bucket(us)] += 1
        sums[key] += us
        slower[kind].update(limit for limit in LIMITS_US if us >= limit)
    return [
        LoadRow(slot=slot, endpoint=endpoint, kind=kind, count=n, slower=dict(slower[kind]))
        for kind, n in sorted(counts.items())
    ]


def _ticks(dice: random.Random, shape: Shape) -> tuple[Tick, ...]:
    per_second = (shape.browse_per_slot + shape.checkout_per_slot) * 10
    ticks: list[Tick] = []
    for second in range(shape.start_ms // 1000, shape.end_ms // 1000):
        suffers = shape.fault[0] <= second * 1000 < shape.heals_ms
        flying = round(per_second * (shape.slow_ms / 3000 if suffers else 0.03) + dice.uniform(0, 4))
        ticks.append(
            Tick(
                at_ms=second * 1000 + 1000,
                started=per_second,
                late=0,
                lag_p99_ms=round(dice.uniform(0.4, 2.2), 3),
                in_flight=flying,
                oldest_in_flight_ms=flying * 20,
                capped=0,
                generator_errors=0,
                cpu=round(dice.uniform(0.18, 0.26), 3),
                rss_mb=61.0,
                rate=float(per_second),
            )
        )
    return tuple(ticks)
