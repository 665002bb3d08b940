"""Scales and columns: sane for none, one, equal and broken values; least and greatest survive; gaps stay gaps."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday_reports.charts.columns import COLUMN, columns
from gameday_reports.charts.geometry import LEFT, RIGHT, WIDTH, TimeAxis, log_ticks, merged, nice_ticks, scale_for
from gameday_reports.series import Series

values = st.floats(min_value=-1e12, max_value=1e12, allow_subnormal=False)


@given(values, values)
def test_ticks_are_few_round_and_inside(one: float, other: float) -> None:
    low, high = sorted((one, other))
    ticks = nice_ticks(low, high)
    assert 1 <= len(ticks) <= 12 or (high - low) < 1e-9
    slack = (high - low) * 1e-6 + 1e-9 * max(abs(low), abs(high))
    assert all(low - slack <= tick <= high + slack for tick in ticks)
    assert list(ticks) == sorted(set(ticks))


def test_ticks_read_well() -> None:
    assert nice_ticks(0, 1) == (0.0, 0.25, 0.5, 0.75, 1.0)
    assert nice_ticks(0, 340) == (0.0, 100.0, 200.0, 300.0)
    assert nice_ticks(5, 5) == (5.0,)
    assert nice_ticks(math.nan, 1) == ()
    assert log_ticks(8, 1_200) == (10, 20, 50, 100, 200, 500, 1000)
    assert log_ticks(0.5, 20_000, 5) == (1, 10, 100, 1_000, 10_000)


@pytest.mark.parametrize("found", [[], [0.0], [7.0], [7.0, 7.0], [math.nan], [math.inf, -math.inf], [0.0, 0.0]])
@pytest.mark.parametrize("may_log", [True, False])
def test_every_scale_has_a_height_and_stays_on_the_paper(found: list[float], may_log: bool) -> None:
    scale = scale_for(found, top=30, bottom=160, may_log=may_log)
    assert scale.high > scale.low
    assert scale.ticks
    assert all(30 <= scale.y(value) <= 160 for value in (0.0, 7.0, 1e9, -5.0))


def test_a_latency_that_grows_far_turns_logarithmic_and_a_share_never_passes_all() -> None:
    assert scale_for([10, 5_000], top=0, bottom=100, may_log=True).log
    assert not scale_for([10, 50], top=0, bottom=100, may_log=True).log
    assert not scale_for([10, 5_000], top=0, bottom=100).log
    assert scale_for([0.99], top=0, bottom=100, ceiling=1.0).high == 1.0


series = st.lists(st.none() | st.floats(min_value=0, max_value=1e6) | st.just(math.nan), max_size=400)


@given(series, st.integers(min_value=1, max_value=86_400))
def test_columns_are_bounded_ordered_and_keep_the_extremes(found: list[float | None], span_s: int) -> None:
    axis = TimeAxis(from_ms=0, to_ms=span_s * 1000)
    segments = columns(Series(start=0, values=tuple(found)), axis)
    points = [point for segment in segments for point in segment]
    assert len(points) <= 2 * ((WIDTH - LEFT - RIGHT) / COLUMN + 2)
    assert points == sorted(points, key=lambda point: point[0])
    shown = [v for v in found[:span_s] if v is not None and math.isfinite(v)]
    if shown:
        assert min(value for _, value in points) == min(shown)
        assert max(value for _, value in points) == max(shown)
    assert all(found[int(ms // 1000)] == value for ms, value in points)


def test_a_gap_cuts_and_a_lone_sample_stays() -> None:
    axis = TimeAxis(from_ms=0, to_ms=10_000)
    drawn = columns(Series(start=0, values=(1.0, 2.0, None, 3.0, None, math.nan, 4.0, 5.0)), axis)
    assert [[value for _, value in segment] for segment in drawn] == [[1.0, 2.0], [3.0], [4.0, 5.0]]


def test_a_spike_of_one_second_survives_six_hours() -> None:
    found = [10.0] * 21_600
    found[7_777] = 900.0
    found[9_999] = 0.5
    drawn = columns(Series(start=0, values=tuple(found)), TimeAxis(from_ms=0, to_ms=21_600_000))
    shown = {value for segment in drawn for _, value in segment}
    assert {900.0, 0.5, 10.0} == shown


@given(st.integers(min_value=1, max_value=10_000_000), st.integers(min_value=0, max_value=10_000_000))
def test_time_has_at_most_ten_whole_labels(length: int, begin: int) -> None:
    axis = TimeAxis(from_ms=begin, to_ms=begin + length)
    ticks = axis.ticks_ms()
    assert len(ticks) <= 11
    assert all(tick % 1000 == 0 and axis.from_ms <= tick <= axis.to_ms for tick in ticks)


def test_near_spans_are_joined() -> None:
    assert merged([(5, 6), (0, 2), (2, 3), (10, 12)], 2) == ((0, 6), (10, 12))
