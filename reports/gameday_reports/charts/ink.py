"""Ink for the charts: colours, short texts and boxes. Colours are the light ones; the style sheet's classes override them in the dark."""

from __future__ import annotations

from typing import Literal

from gameday_reports import words
from gameday_reports.charts.svg import Svg, element

Unit = Literal["share", "ms", "rate", "count"]
INK, MUTED, GRID, LINE, FAULT, LIMIT = "#1b2430", "#566372", "#e3e8ee", "#1864ab", "#e8590c", "#c92a2a"
WARN, SECOND = "#8a5300", "#76808a"
CHARACTER = 8.0
"""Pixels that one character takes at most."""


def shown(value: float, unit: Unit) -> str:
    """Write a value of this unit in words."""
    if unit == "share":
        return words.percent(value)
    if unit == "ms":
        return words.latency(value)
    return words.rate(value) if unit == "rate" else f"{value:,.4g}"


def write(
    text: str, x: float, y: float, fill: str, *, anchor: str | None = None, kind: str = "tick", bold: bool = False
) -> Svg:
    """Write a short text; ``anchor`` is as in SVG."""
    return element(
        "text", text, class_=kind, fill=fill, x=x, y=y, text_anchor=anchor, font_weight=600 if bold else None
    )


def box(x: float, y: float, width: float, height: float, *children: str, **attributes: object) -> Svg:
    """Draw a rectangle; a negative width is none."""
    return element("rect", *children, x=x, y=y, width=max(0.0, width), height=height, **attributes)


def write_over_lines(label: str, x: float, y: float) -> Svg:
    """Write a limit's label so that it can be read over a line."""
    return element(
        "text", label, class_="limitt", fill=LIMIT, x=x, y=y, paint_order="stroke", stroke="#fff", stroke_width="4",
        stroke_linejoin="round",
    )  # fmt: skip
