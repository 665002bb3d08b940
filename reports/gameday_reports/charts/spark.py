"""A sparkline: the share of bad requests of one objective in a table cell, faults shaded, its limit as a line."""

from __future__ import annotations

from collections.abc import Sequence

from gameday_reports.charts.columns import columns
from gameday_reports.charts.geometry import LEFT, RIGHT, WIDTH, TimeAxis
from gameday_reports.charts.svg import Svg, element, joined, short
from gameday_reports.series import Series

_WIDTH, _HEIGHT = 132.0, 28.0


def draw_spark(series: Series, axis: TimeAxis, allowed: Sequence[tuple[int, int, float]] = ()) -> Svg:
    """Draw at most two points for each 1.5 pixels, and the limits as (from, to, share).

    The table beside it holds the figures, so it is hidden from screen readers.
    """
    shrink = _WIDTH / (WIDTH - LEFT - RIGHT)
    segments = columns(series, axis, width=1.5 / shrink)
    high = (
        max([value for segment in segments for _, value in segment] + [share for _, _, share in allowed], default=0.0)
        or 1.0
    )

    def x(ms: float) -> float:
        return (axis.x(ms) - LEFT) * shrink

    def y(value: float) -> float:
        return 2 + (_HEIGHT - 4) * (1 - value / high)

    shading = [
        element(
            "rect", class_="fault", fill="#e8590c", fill_opacity="0.13", x=x(begin), y=0, width=max(1.0, x(end) - x(begin)), height=_HEIGHT,
        )
        for begin, end in axis.shaded()
    ]  # fmt: skip
    limits = [
        element(
            "line",
            class_="limit",
            stroke="#c92a2a",
            stroke_dasharray="3 3",
            x1=x(begin),
            x2=x(end),
            y1=y(share),
            y2=y(share),
        )
        for begin, end, share in allowed
    ]
    points = [[f"{short(x(ms))} {short(y(value))}" for ms, value in segment] for segment in segments]
    path = "".join(f"M{' '.join(drawn if len(drawn) > 1 else drawn * 2)}" for drawn in points)
    line = element(
        "path", class_="line", fill="none", stroke="#1864ab", stroke_width="1.1", stroke_linecap="round", d=path
    )
    return element(
        "svg", joined(*shading, *limits, line if segments else ""), class_="spark", viewBox=f"0 0 {short(_WIDTH)} {short(_HEIGHT)}",
        width=_WIDTH, height=_HEIGHT, aria_hidden="true", focusable="false",
    )  # fmt: skip
