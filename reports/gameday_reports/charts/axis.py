"""What lies behind the lines of every chart: shaded faults, the grid, the edges of phases and the labels of the time axis."""

from __future__ import annotations

import math

from gameday_reports import words
from gameday_reports.charts.geometry import LEFT, RIGHT, WIDTH, Scale, TimeAxis
from gameday_reports.charts.ink import CHARACTER, FAULT, GRID, MUTED, Unit, box, shown, write
from gameday_reports.charts.svg import Svg, element, joined


def shade_faults(axis: TimeAxis, scale: Scale, *, name: bool) -> Svg:
    """Shade each fault from its injection to its end, and where asked for name it above."""
    pieces: list[str] = []
    for begin, end in axis.shaded():
        left, width = axis.x(begin), axis.x(end) - axis.x(begin)
        pieces.append(
            box(
                left,
                scale.top,
                max(1.0, width),
                scale.bottom - scale.top,
                class_="fault",
                fill=FAULT,
                fill_opacity="0.13",
            )
        )
    free = -math.inf
    for index, band in enumerate(axis.bands if name else ()):
        left = axis.x(band.on_ms)
        room = min([WIDTH - RIGHT, *(axis.x(other.on_ms) for other in axis.bands[index + 1 :])]) - left
        label = f"{band.label} {band.name}"
        label = label if room > CHARACTER * len(label) else band.label
        if left >= free:
            pieces.append(write(label, left + 2, scale.top - 4, "#a33f06", kind="faultt", bold=True))
            free = left + CHARACTER * len(label)
    return joined(*pieces)


def draw_grid(unit: Unit, scale: Scale) -> Svg:
    """Draw a line and a label for each tick of the vertical axis."""
    pieces: list[str] = []
    for tick in scale.ticks:
        y = scale.y(tick)
        pieces.append(element("line", class_="grid", stroke=GRID, x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y))
        pieces.append(write(shown(tick, unit), LEFT - 8, y + 4, MUTED, anchor="end"))
    return joined(*pieces)


def time_labels(axis: TimeAxis, bottom: float, *, utc: bool = False, named: bool = True) -> Svg:
    """Label the time axis below ``bottom``: time of the run, and where asked for the time of day in UTC."""
    pieces: list[str] = [element("line", class_="grid", stroke=GRID, x1=LEFT, x2=WIDTH - RIGHT, y1=bottom, y2=bottom)]
    for tick in axis.ticks_ms():
        x = axis.x(tick)
        anchor = "end" if x > WIDTH - RIGHT - 20 else "start" if x < LEFT + 20 else "middle"
        pieces.append(write(words.clock(tick), x, bottom + 18, MUTED, anchor=anchor))
        if utc and axis.epoch_wall is not None:
            pieces.append(
                write(words.utc(axis.epoch_wall + tick / 1000, "%H:%M:%S"), x, bottom + 33, MUTED, anchor=anchor)
            )
    if named:
        pieces.append(write("run time", LEFT - 8, bottom + 18, MUTED, anchor="end"))
    if utc and axis.epoch_wall is not None:
        pieces.append(write("UTC", LEFT - 8, bottom + 33, MUTED, anchor="end"))
    return joined(*pieces)


def draw_edges(axis: TimeAxis, scale: Scale) -> Svg:
    """Draw a dotted line at each edge of a phase."""
    edges = sorted(
        {edge for phase in axis.phases for edge in (phase.from_ms, phase.to_ms) if axis.from_ms < edge < axis.to_ms}
    )
    return joined(
        *(
            element(
                "line",
                class_="edge",
                stroke="#9aa5b1",
                stroke_dasharray="2 3",
                x1=x,
                x2=x,
                y1=scale.top,
                y2=scale.bottom,
            )
            for x in (axis.x(edge) for edge in edges)
        )
    )
