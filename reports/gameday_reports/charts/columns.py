"""Lines without more points than pixels: the least and the greatest value of each pixel column, in segments between gaps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from math import isfinite

from gameday_reports.charts.geometry import LEFT, RIGHT, WIDTH, TimeAxis
from gameday_reports.series import Series

COLUMN = 2.0
"""Width in pixels of one column; a column shows its least and its greatest value, never a mean."""


Point = tuple[float, float]


def columns(series: Series, axis: TimeAxis, *, width: float = COLUMN) -> tuple[tuple[Point, ...], ...]:
    """Reduce a series to at most two points a pixel column, its least and greatest, in segments between gaps.

    Points are (ms of the run, value), in order of time; a second is drawn at its middle. What is not finite is a gap.
    A gap narrower than a column cannot be seen and does not cut.
    """
    segments: list[list[Point]] = [[]]
    for first, column in _by_column(series, axis, width):
        present = [value for value in column if value is not None and isfinite(value)]
        if (not _drawn(column[0]) or not present) and segments[-1]:
            segments.append([])
        if present:
            found = {column.index(min(present)), column.index(max(present))}
            segments[-1] += [((series.start + first + at) * 1000 + 500.0, _value(column[at])) for at in sorted(found)]
            if not _drawn(column[-1]):
                segments.append([])
    return tuple(tuple(segment) for segment in segments if segment)


def _drawn(value: float | None) -> bool:
    return value is not None and isfinite(value)


def _value(value: float | None) -> float:
    return 0.0 if value is None else value


def _by_column(series: Series, axis: TimeAxis, width: float) -> Iterator[tuple[int, tuple[float | None, ...]]]:
    """Yield (index of the first value, values) of each column that holds any."""
    column_ms = width * max(1, axis.to_ms - axis.from_ms) / (WIDTH - LEFT - RIGHT)
    begin = 0
    for column in range(math.ceil((axis.to_ms - axis.from_ms) / column_ms) + 1):
        edge = axis.from_ms + (column + 1) * column_ms
        end = math.ceil((min(edge, axis.to_ms) - 500) / 1000) - series.start
        if column == 0:
            begin = math.ceil((axis.from_ms - 500) / 1000) - series.start
        first, last = max(0, begin), max(0, end)
        if series.values[first:last]:
            yield first, series.values[first:last]
        begin = max(begin, end)
