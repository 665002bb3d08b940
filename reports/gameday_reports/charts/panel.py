"""One chart panel: lines over the run's time axis, faults shaded, the objective's limit, and a strip where it was broken."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gameday_reports.charts.axis import draw_edges, draw_grid, shade_faults, time_labels
from gameday_reports.charts.columns import columns
from gameday_reports.charts.geometry import LEFT, RIGHT, WIDTH, Scale, TimeAxis, scale_for
from gameday_reports.charts.hover import Line, draw_hover
from gameday_reports.charts.ink import INK, LINE, MUTED, Unit, shown, write
from gameday_reports.charts.limits import NEVER, LimitLine, Over, draw_limits, draw_over
from gameday_reports.charts.svg import Svg, element, joined, short

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


def draw_panel(panel: Panel, axis: TimeAxis) -> Svg:
    """Draw one panel as a complete SVG element with its title and description."""
    height = panel.height + (14.0 if panel.utc else 0.0)
    scale = _scale(panel, panel.height - BOTTOM)
    drawn = [columns(line.series, axis) for line in panel.lines]
    body = joined(
        shade_faults(axis, scale, name=panel.name_bands),
        draw_grid(panel.unit, scale),
        time_labels(axis, scale.bottom, utc=panel.utc, named=panel.utc),
        draw_edges(axis, scale),
        *(_polyline(segments, axis, scale, line) for line, segments in zip(panel.lines, drawn, strict=True)),
        draw_limits(panel.limits, axis, scale),
        draw_over(panel.over, axis, scale.bottom + 1, 5.0),
        _heading(panel, scale),
        ""
        if any(drawn)
        else write("no data", (LEFT + WIDTH - RIGHT) / 2, (scale.top + scale.bottom) / 2, MUTED, anchor="middle"),
        draw_hover(panel.lines, panel.unit, axis, scale),
    )
    title = element("title", panel.title, id=f"chart-{panel.key}-title")
    described = element("desc", _description(panel), id=f"chart-{panel.key}-desc")
    return element(
        "svg", title, described, body, class_="chart", viewBox=f"0 0 {short(WIDTH)} {short(height)}", role="img",
        aria_labelledby=f"chart-{panel.key}-title chart-{panel.key}-desc", font_family="system-ui,sans-serif", font_size=12,
    )  # fmt: skip


def _scale(panel: Panel, bottom: float) -> Scale:
    values = [value for line in panel.lines for value in line.series.values if value is not None]
    limits = [limit.value for limit in panel.limits]
    ceiling = 1.0 if panel.unit == "share" else math.inf
    return scale_for(
        [*values, *limits], top=TOP, bottom=bottom, may_log=panel.unit == "ms" and not panel.linear, ceiling=ceiling
    )


def _polyline(segments: Sequence[Sequence[tuple[float, float]]], axis: TimeAxis, scale: Scale, line: Line) -> Svg:
    lone: list[list[str]] = []
    drawn: list[str] = []
    for segment in segments:
        points = [f"{short(axis.x(ms))} {short(scale.y(value))}" for ms, value in segment]
        if len(points) > 1:
            drawn.append("M" + " ".join(points))
        else:
            lone.append(points[0].split())
    kind, colour = ("line second", "#868e96") if line.dashed else ("line", LINE)
    dots = (element("circle", class_=kind.replace("line", "dot"), fill=colour, cx=x, cy=y, r="2") for x, y in lone)
    path = element(
        "path", class_=kind, fill="none", stroke=colour, stroke_width="1.4", stroke_linejoin="round",
        stroke_dasharray="5 3" if line.dashed else None, d="".join(drawn),
    )  # fmt: skip
    return joined(path if drawn else "", *dots)


def _heading(panel: Panel, scale: Scale) -> Svg:
    note = " (logarithmic)" if scale.log else ""
    heading = write(panel.title + note, LEFT, 14.0, INK, kind="title", bold=True)
    if len(panel.lines) < 2:  # noqa: PLR2004 - one line needs no key
        return heading
    pieces: list[str] = [heading]
    x = WIDTH - RIGHT
    for line in reversed(panel.lines):
        x -= 7.0 * len(line.label)
        pieces.append(write(line.label, x, 14.0, MUTED))
        colour, kind = ("#868e96", "line second") if line.dashed else (LINE, "line")
        dash = "5 3" if line.dashed else None
        pieces.append(
            element(
                "line",
                class_=kind,
                stroke=colour,
                stroke_width="2",
                stroke_dasharray=dash,
                x1=x - 26,
                x2=x - 5,
                y1=10,
                y2=10,
            )
        )
        x -= 42
    return joined(*pieces)


def _description(panel: Panel) -> str:
    seen = [value for line in panel.lines for value in line.series.values if value is not None and math.isfinite(value)]
    if not seen:
        return "No data."
    limits = sorted({shown(limit.value, panel.unit) for limit in panel.limits})
    limit = f" Limit {' and '.join(limits)}." if limits else ""
    return f"One value a second, from {shown(min(seen), panel.unit)} to {shown(max(seen), panel.unit)}.{limit} Faults are shaded."
