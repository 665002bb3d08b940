"""The lanes above the charts: phases, each fault from its injection to its proven end, stops, and objectives while broken."""

from __future__ import annotations

from dataclasses import dataclass

from gameday_reports import words
from gameday_reports.charts.axis import time_labels
from gameday_reports.charts.geometry import LEFT, RIGHT, WIDTH, Band, Scale, TimeAxis
from gameday_reports.charts.ink import FAULT, GRID, INK, LIMIT, MUTED
from gameday_reports.charts.limits import Over, draw_over
from gameday_reports.charts.marks import Mark, draw_lines, draw_shapes
from gameday_reports.charts.svg import Svg, element, joined, short

ROW = 22.0
MOST_ROWS = 12
"""Most faults and most objectives with a lane of their own; the tables hold all of them."""
NAME = 17
"""Characters of a name that fit left of the plot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One objective and when it was broken, second by second."""

    name: str
    over: Over


def draw_lanes(axis: TimeAxis, lanes: tuple[Lane, ...], marks: tuple[Mark, ...]) -> Svg:
    """Draw the lanes as a complete SVG element on the charts' time axis."""
    rows: list[Svg] = [_row("Phases", 0, _phases(axis, 0.0))]
    for band in axis.bands[:MOST_ROWS]:
        rows.append(_row(f"{band.label} {band.name}", len(rows), _fault(axis, band, len(rows) * ROW)))
    for lane in lanes[:MOST_ROWS]:
        rows.append(_row(lane.name, len(rows), draw_over(lane.over, axis, len(rows) * ROW + 7, ROW - 13, lane.name)))
    stops = draw_lines(
        [mark for mark in marks if mark.kind == "stop"], axis, Scale(low=0, high=1, top=0, bottom=len(rows) * ROW)
    )
    if marks:
        rows.append(_row("Events", len(rows), draw_shapes(marks, axis, len(rows) * ROW + ROW / 2)))
    bottom = len(rows) * ROW
    label = "Phases, faults and broken objectives over the run; the timeline below holds the same in words"
    return element(
        "svg", *rows, stops, time_labels(axis, bottom), class_="chart lanes", viewBox=f"0 0 {short(WIDTH)} {short(bottom + 26)}",
        role="img", aria_label=label, font_family="system-ui,sans-serif", font_size=12,
    )  # fmt: skip


def _row(name: str, index: int, content: Svg) -> Svg:
    y = index * ROW
    label = name if len(name) <= NAME else name[: NAME - 1] + "…"
    full = (element("title", name),) if label != name else ()
    text = element("text", *full, label, class_="tick", fill=MUTED, x=LEFT - 8, y=y + 15, text_anchor="end")
    line = element("line", class_="grid", stroke=GRID, x1=LEFT, x2=WIDTH - RIGHT, y1=y + ROW, y2=y + ROW)
    return joined(text, line, content)


def _phases(axis: TimeAxis, y: float) -> Svg:
    pieces: list[str] = []
    for phase in axis.phases:
        left, right = axis.x(phase.from_ms), axis.x(phase.to_ms)
        title = element(
            "title",
            f"{phase.name}: {words.clock(phase.from_ms, precise=True)} to {words.clock(phase.to_ms, precise=True)}",
        )
        pieces.append(
            element(
                "rect",
                title,
                class_="phase",
                fill="#eef1f5",
                stroke="#9aa5b1",
                x=left,
                y=y + 3,
                width=max(1.0, right - left),
                height=ROW - 6,
                rx="3",
            )
        )
        if right - left > 8 * len(phase.name):
            pieces.append(
                element(
                    "text", phase.name, class_="title", fill=INK, x=(left + right) / 2, y=y + 15, text_anchor="middle"
                )
            )
    return joined(*pieces)


def _fault(axis: TimeAxis, band: Band, y: float) -> Svg:
    left, right = axis.x(band.on_ms), axis.x(band.off_ms)
    proven = band.proven_ms
    said = "never proven on" if proven is None else f"proven on at {words.clock(proven, precise=True)}"
    until = "never proven gone" if band.open_ended else f"until {words.clock(band.off_ms, precise=True)}"
    title = element("title", f"{band.name}: from {words.clock(band.on_ms, precise=True)}, {said}, {until}")
    kind, opacity, dash = ("faultbar open", "0.25", "3 2") if proven is None else ("faultbar", "1", None)
    outline = element(
        "rect", title, class_=kind, fill=FAULT, fill_opacity=opacity, stroke=FAULT, stroke_dasharray=dash,
        x=left, y=y + 4, width=max(2.0, right - left), height=ROW - 8, rx="3",
    )  # fmt: skip
    if not band.open_ended:
        return outline
    warn = element(
        "text", "not proven gone", class_="limitt", fill=LIMIT, x=right - 4, y=y + 15, text_anchor="end", font_weight=600,
        paint_order="stroke", stroke="#fff", stroke_width="3",
    )  # fmt: skip
    return joined(outline, warn)
