"""What a run measured, second by second from its time zero and bounded in size: what a later run is drawn against."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from gameday.model import GaugeSample, LoadSeries, Run
from gameday.spi.histogram import quantile

MOST_POINTS = 20_000
"""Points that are kept in all: below 600 kB; a longer run is kept in wider steps."""
MOST_SERIES = 100
_P95 = 0.95
_SLOTS = 10
"""Slots of 100 ms in a second."""


def time_zero(run: Run) -> int | None:
    """Return when the fault phase began, in ms of the run's clock; None for a run that never came to it."""
    return next((event.at_ms for event in run.of_kind("phase") if event.data.get("name") == "fault"), None)


def series_of(run: Run, zero_ms: int) -> tuple[int, dict[str, list[list[float | int | None]]]]:
    """Return the width of a step in seconds and, by endpoint ``[second, n, bad, p95_ms]``, by SLI ``[second, value]``.

    A second is the first of its step, counted from time zero (negative before it). Of a step wider than one second, requests are added
    up, the highest p95 stands, and of a gauge the lowest and the highest reading: no peak is averaged away. ``bad`` is every kind but
    ``ok``. An SLI that is called like an endpoint is left out.
    """
    zero = zero_ms // 1000
    endpoints = sorted({row.endpoint for row in run.load.rows})[:MOST_SERIES]
    slis = sorted({reading.sli for reading in run.gauges} - set(endpoints))[: MOST_SERIES - len(endpoints)]
    step = _step(run, len(endpoints))
    found: dict[str, list[list[float | int | None]]] = dict(_endpoints(run.load, endpoints, zero, step))
    for sli in slis:
        found[sli] = _gauge((reading for reading in run.gauges if reading.sli == sli), zero_ms, step)
    return step, found


def _step(run: Run, endpoints: int) -> int:
    """Return how many seconds make a step, so that all points together are few enough."""
    last = max((event.at_ms for event in run.events), default=0) // 1000 + 1
    return max(1, -(-(last * endpoints + len(run.gauges)) // MOST_POINTS))


def _endpoints(
    load: LoadSeries, endpoints: Iterable[str], zero: int, step: int
) -> Iterable[tuple[str, list[list[float | int | None]]]]:
    counts: defaultdict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
    slowest: dict[tuple[str, int], float] = {}
    for row in load.rows:
        count = counts[row.endpoint, _begin(row.slot // _SLOTS - zero, step)]
        count[0] += row.count
        count[1] += row.count if row.kind != "ok" else 0
    for histogram in load.histograms:
        key, us = (histogram.endpoint, _begin(histogram.second - zero, step)), quantile(histogram.buckets, _P95)
        if us is not None:
            slowest[key] = max(slowest.get(key, 0.0), round(us / 1000, 2))
    for name in endpoints:
        seconds = sorted(second for endpoint, second in counts if endpoint == name)
        yield name, [[second, *counts[name, second], slowest.get((name, second))] for second in seconds]


def _gauge(readings: Iterable[GaugeSample], zero_ms: int, step: int) -> list[list[float | int | None]]:
    """Return its readings; in wider steps the first of the lowest and of the highest, in order of time."""
    seen = [((reading.at_ms - zero_ms) // 1000, reading.value) for reading in readings]
    if step == 1:
        return [[second, value] for second, value in seen]
    by_step: defaultdict[int, list[tuple[int, float]]] = defaultdict(list)
    for second, value in seen:
        if value is not None:
            by_step[_begin(second, step)].append((second, value))
    kept: list[list[float | int | None]] = []
    for values in by_step.values():
        both = {min(values, key=lambda pair: pair[1]), max(values, key=lambda pair: pair[1])}
        kept += [list[Any](pair) for pair in sorted(both)]
    return kept


def _begin(second: int, step: int) -> int:
    return second // step * step
