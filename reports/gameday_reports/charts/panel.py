"""One chart panel: lines over the run's time axis, faults shaded, the objective's limit, and a strip where it was broken."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gameday_reports.charts.axis import draw_edges, draw_grid, shade_faults, time_labels
from gameday_reports.charts.geometry import LEFT, RIGHT, WIDTH, Scale, TimeAxis, scale_for
from gameday_reports.charts.hover import Line, draw_hover
from gameday_reports.charts.ink import INK, MUTED, Unit, shown, write
from gameday_reports.charts.limits import NEVER, LimitLine, Over, draw_limits, draw_over
from gameday_reports.charts.lines import draw_key, draw_line
from gameday_reports.charts.marks import Mark, draw_labels, draw_lines
from gameday_reports.charts.svg import Svg, element, joined, short
from gameday_reports.series import Series, finite

HEIGHT = 190.0
TOP, BOTTOM = 34.0, 24.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Everything one panel shows."""

    key: str
    """Unique in the report; part of element ids."""
    title: str
    unit: Unit
    lines: tuple[Line, ...]
    limits: tuple[LimitLine, ...] = ()
    over: Over = NEVER
    height: float = HEIGHT
    linear: bool = False
    """Never logarithmic."""
    name_bands: bool = False
    utc: bool = False
    """Label the axis with the time of day, too."""
    moments: bool = False
    """Write the moments of a fault above the plot."""


def draw_panel(panel: Panel, axis: TimeAxis, marks: Sequence[Mark] = ()) -> Svg:
    """Draw one panel as a complete SVG element with its title and description; ``marks`` are moments, the same for all panels."""
    height = panel.height + (14.0 if panel.utc else 0.0)
    scale = _scale(panel, axis, panel.height - BOTTOM)
    drawn = [draw_line(line, axis, scale) for line in reversed(panel.lines)]
    body = joined(
        shade_faults(axis, scale, name=panel.name_bands),
        draw_grid(panel.unit, scale),
        time_labels(axis, scale.bottom, utc=panel.utc, named=panel.utc),
        draw_edges(axis, scale),
        draw_lines(marks, axis, scale),
        *drawn,
        draw_limits(panel.limits, axis, scale),
        draw_over(panel.over, axis, scale.bottom + 1, 5.0),
        draw_labels(marks, axis, scale.top - 5) if panel.moments else "",
        write(panel.title + (" (logarithmic)" if scale.log else ""), LEFT, 14.0, INK, kind="title", bold=True),
        draw_key(panel.lines),
        "" if any(drawn) else write("no data", (LEFT + WIDTH - RIGHT) / 2, (scale.top + scale.bottom) / 2, MUTED, anchor="middle"),
        draw_hover(panel.lines, panel.unit, axis, scale, marks),
    )  # fmt: skip
    title = element("title", panel.title, id=f"chart-{panel.key}-title")
    described = element("desc", _description(panel, axis), id=f"chart-{panel.key}-desc")
    return element(
        "svg", title, described, body, class_="chart", viewBox=f"0 0 {short(WIDTH)} {short(height)}", role="img",
        aria_labelledby=f"chart-{panel.key}-title chart-{panel.key}-desc", font_family="system-ui,sans-serif", font_size=12,
    )  # fmt: skip


def _scale(panel: Panel, axis: TimeAxis, bottom: float) -> Scale:
    values = [value for line in panel.lines for value in within(line.series, axis)]
    limits = [limit.value for limit in panel.limits if limit.to_ms > axis.from_ms and limit.from_ms < axis.to_ms]
    ceiling = 1.0 if panel.unit == "share" else math.inf
    return scale_for(
        [*values, *limits], top=TOP, bottom=bottom, may_log=panel.unit == "ms" and not panel.linear, ceiling=ceiling
    )


def within(series: Series, axis: TimeAxis) -> list[float]:
    """Return the values that lie on the axis."""
    first, last = axis.from_ms // 1000 - series.start, -(-axis.to_ms // 1000) - series.start
    return finite(series.values[max(0, first) : max(0, last)])


def _description(panel: Panel, axis: TimeAxis) -> str:
    seen = [value for line in panel.lines if line.kind != "previous" for value in within(line.series, axis)]
    if not seen:
        return "No data."
    limits = sorted({shown(limit.value, panel.unit) for limit in panel.limits})
    limit = f" Limit {' and '.join(limits)}." if limits else ""
    before = " The previous run is dashed." if any(line.kind == "previous" for line in panel.lines) else ""
    return f"One value a second, from {shown(min(seen), panel.unit)} to {shown(max(seen), panel.unit)}.{limit} Faults are shaded.{before}"
