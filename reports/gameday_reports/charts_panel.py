"""One chart panel: lines over the run's time axis, faults shaded, the objective's limit, and a strip where it was broken."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gameday_reports import words
from gameday_reports.charts import COLUMN, LEFT, RIGHT, WIDTH, Scale, Span, TimeAxis, columns, merged, scale_for
from gameday_reports.series import Series
from gameday_reports.svg import Svg, element, joined, short

Unit = Literal["share", "ms", "rate", "count"]
HOVER_BANDS = 120
"""Most hover bands in one panel: a band for every sample made a prototype's report 1.3 MB."""
HEIGHT = 190.0
TOP, BOTTOM = 34.0, 24.0
_CHARACTER = 8.0
"""Pixels that one character takes at most."""
INK, MUTED, GRID, LINE, FAULT, LIMIT = "#1b2430", "#566372", "#e3e8ee", "#1864ab", "#e8590c", "#c92a2a"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a panel."""

    label: str
    series: Series
    dashed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitLine:
    """The limit in force from ``from_ms`` to ``to_ms``; an objective may allow more while the fault is on."""

    from_ms: int
    to_ms: int
    value: float
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """When an objective was over its limit, in spans of ms of the run."""

    sure: tuple[Span, ...] = ()
    """Seconds that prove it by themselves."""
    perhaps: tuple[Span, ...] = ()
    """Seconds with too few requests to be sure: one failure in twenty requests is over 0.5%, and means little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Everything one panel shows."""

    key: str
    """Unique in the report; part of element ids."""
    title: str
    unit: Unit
    lines: tuple[Line, ...]
    limits: tuple[LimitLine, ...] = ()
    over: Over = Over()
    height: float = HEIGHT
    linear: bool = False
    """Never logarithmic."""
    name_bands: bool = False
    utc: bool = False
    """Label the axis with the time of day, too."""


def shown(value: float, unit: Unit) -> str:
    """Write a value of this unit in words."""
    if unit == "share":
        return words.percent(value)
    if unit == "ms":
        return words.latency(value)
    return words.rate(value) if unit == "rate" else f"{value:,.4g}"


def draw_panel(panel: Panel, axis: TimeAxis) -> Svg:
    """Draw one panel as a complete SVG element with its title and description."""
    height = panel.height + (14.0 if panel.utc else 0.0)
    scale = _scale(panel, panel.height - BOTTOM)
    drawn = [columns(line.series, axis) for line in panel.lines]
    body = joined(
        _bands(axis, scale, name=panel.name_bands),
        _grid(panel, scale),
        time_labels(axis, scale.bottom, utc=panel.utc, named=panel.utc),
        _phase_edges(axis, scale),
        *(_polyline(segments, axis, scale, line) for line, segments in zip(panel.lines, drawn, strict=True)),
        _limits(panel, axis, scale),
        draw_over(panel.over, axis, scale.bottom + 1, 5.0),
        _heading(panel, scale),
        ""
        if any(drawn)
        else _text("no data", (LEFT + WIDTH - RIGHT) / 2, (scale.top + scale.bottom) / 2, MUTED, anchor="middle"),
        _hover(panel, axis, scale),
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


def _text(
    text: str, x: float, y: float, fill: str, *, anchor: str | None = None, kind: str = "tick", bold: bool = False
) -> Svg:
    return element(
        "text", text, class_=kind, fill=fill, x=x, y=y, text_anchor=anchor, font_weight=600 if bold else None
    )


def _rect(x: float, y: float, width: float, height: float, *children: str, **attributes: object) -> Svg:
    return element("rect", *children, x=x, y=y, width=max(0.0, width), height=height, **attributes)


def _bands(axis: TimeAxis, scale: Scale, *, name: bool) -> Svg:
    pieces: list[str] = []
    for band in axis.bands:
        left, right = axis.x(band.on_ms), axis.x(band.off_ms)
        pieces.append(
            _rect(
                left,
                scale.top,
                max(1.0, right - left),
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
        label = label if room > _CHARACTER * len(label) else band.label
        if left >= free:
            pieces.append(_text(label, left + 2, scale.top - 4, "#a33f06", kind="faultt", bold=True))
            free = left + _CHARACTER * len(label)
    return joined(*pieces)


def _grid(panel: Panel, scale: Scale) -> Svg:
    pieces: list[str] = []
    for tick in scale.ticks:
        y = scale.y(tick)
        pieces.append(element("line", class_="grid", stroke=GRID, x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y))
        pieces.append(_text(shown(tick, panel.unit), LEFT - 8, y + 4, MUTED, anchor="end"))
    return joined(*pieces)


def time_labels(axis: TimeAxis, bottom: float, *, utc: bool = False, named: bool = True) -> Svg:
    """Label the time axis below ``bottom``: time of the run, and where asked for the time of day in UTC."""
    pieces: list[str] = [element("line", class_="grid", stroke=GRID, x1=LEFT, x2=WIDTH - RIGHT, y1=bottom, y2=bottom)]
    for tick in axis.ticks_ms():
        x = axis.x(tick)
        anchor = "end" if x > WIDTH - RIGHT - 20 else "middle"
        pieces.append(_text(words.clock(tick), x, bottom + 18, MUTED, anchor=anchor))
        if utc and axis.epoch_wall is not None:
            pieces.append(
                _text(words.utc(axis.epoch_wall + tick / 1000, "%H:%M:%S"), x, bottom + 33, MUTED, anchor=anchor)
            )
    if named:
        pieces.append(_text("run time", LEFT - 8, bottom + 18, MUTED, anchor="end"))
    if utc and axis.epoch_wall is not None:
        pieces.append(_text("UTC", LEFT - 8, bottom + 33, MUTED, anchor="end"))
    return joined(*pieces)


def _phase_edges(axis: TimeAxis, scale: Scale) -> Svg:
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


def _limits(panel: Panel, axis: TimeAxis, scale: Scale) -> Svg:
    pieces: list[str] = []
    taken: list[tuple[float, float]] = []
    for limit in panel.limits:
        left, right, y = axis.x(limit.from_ms), axis.x(limit.to_ms), scale.y(limit.value)
        line = element("line", class_="limit", stroke=LIMIT, stroke_dasharray="6 4", x1=left, x2=right, y1=y, y2=y)
        pieces.append(line)
        base = y - 5 if y - 16 > scale.top else y + 14
        at = max([left + 5, *(end + 12 for end, other in taken if abs(other - base) < 13 and end > left)])  # noqa: PLR2004 - a line of text
        width = _CHARACTER * 0.8 * len(limit.label)
        if limit.label and at + width < right:
            taken.append((at + width, base))
            pieces.append(_halo(limit.label, at, base))
    return joined(*pieces)


def _halo(label: str, x: float, y: float) -> Svg:
    """Write a limit's label so that it can be read over a line."""
    return element(
        "text", label, class_="limitt", fill=LIMIT, x=x, y=y, paint_order="stroke", stroke="#fff", stroke_width="3",
        stroke_linejoin="round",
    )  # fmt: skip


def draw_over(over: Over, axis: TimeAxis, top: float, height: float, name: str = "") -> Svg:
    """Draw a strip: red where the objective was surely over its limit, pale where too few requests say so."""
    per_pixel = (axis.to_ms - axis.from_ms) / (WIDTH - LEFT - RIGHT)
    pieces: list[str] = []
    for spans, opacity, said in ((over.perhaps, "0.3", "perhaps over its limit"), (over.sure, None, "over its limit")):
        for begin, end in merged(spans, COLUMN * per_pixel):
            left = axis.x(begin)
            title = (
                (element("title", f"{name}: {said} from {words.clock(begin)} to {words.clock(end)}"),) if name else ()
            )
            width = max(2.0, axis.x(end) - left)
            pieces.append(_rect(left, top, width, height, *title, class_="breach", fill=LIMIT, fill_opacity=opacity))
    return joined(*pieces)


def _heading(panel: Panel, scale: Scale) -> Svg:
    note = " (logarithmic)" if scale.log else ""
    heading = _text(panel.title + note, LEFT, 14.0, INK, kind="title", bold=True)
    if len(panel.lines) < 2:  # noqa: PLR2004 - one line needs no key
        return heading
    pieces: list[str] = [heading]
    x = WIDTH - RIGHT
    for line in reversed(panel.lines):
        x -= 7.0 * len(line.label)
        pieces.append(_text(line.label, x, 14.0, MUTED))
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


def _hover(panel: Panel, axis: TimeAxis, scale: Scale) -> Svg:
    """Lay at most HOVER_BANDS transparent bands over the plot; each says in its title what was least and greatest there."""
    seconds = max(1, math.ceil((axis.to_ms - axis.from_ms) / 1000))
    step = math.ceil(seconds / HOVER_BANDS)
    found = [dict(line.series.pairs()) for line in panel.lines]
    pieces: list[str] = []
    for begin in range(axis.from_ms // 1000, math.ceil(axis.to_ms / 1000), step):
        said = [
            _extremes(line, values, begin, step, panel.unit) for line, values in zip(panel.lines, found, strict=True)
        ]
        if any(said):
            left, right = axis.x(begin * 1000), axis.x((begin + step) * 1000)
            label = "\n".join([_when(axis, begin), *(text for text in said if text)])
            pieces.append(_rect(left, scale.top, right - left, scale.bottom - scale.top, element("title", label)))
    return (
        element("g", *(Svg(piece) for piece in pieces), class_="hit", fill="#000", fill_opacity="0")
        if pieces
        else Svg("")
    )


def _extremes(line: Line, values: dict[int, float | None], begin: int, step: int, unit: Unit) -> str:
    seen = [
        value
        for second in range(begin, begin + step)
        if (value := values.get(second)) is not None and math.isfinite(value)
    ]
    if not seen:
        return ""
    least, greatest = shown(min(seen), unit), shown(max(seen), unit)
    return f"{line.label}: {least}" if least == greatest else f"{line.label}: {least} to {greatest}"


def _when(axis: TimeAxis, second: int) -> str:
    on = [band.name for band in axis.bands if band.on_ms < (second + 1) * 1000 and band.off_ms > second * 1000]
    day = "" if axis.epoch_wall is None else f" ({words.utc(axis.epoch_wall + second, '%H:%M:%S')} UTC)"
    return f"{words.clock(second * 1000)}{day}{', with ' + ', '.join(on[:3]) if on else ''}"


def _description(panel: Panel) -> str:
    seen = [value for line in panel.lines for value in line.series.values if value is not None and math.isfinite(value)]
    if not seen:
        return "No data."
    limits = sorted({shown(limit.value, panel.unit) for limit in panel.limits})
    limit = f" Limit {' and '.join(limits)}." if limits else ""
    return f"One value a second, from {shown(min(seen), panel.unit)} to {shown(max(seen), panel.unit)}.{limit} Faults are shaded."
