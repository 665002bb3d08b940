"""Marks: what happened at one moment. A shape for each kind, so that colour is never the only sign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gameday_reports import words
from gameday_reports.charts.geometry import RIGHT, WIDTH, Scale, TimeAxis
from gameday_reports.charts.ink import CHARACTER, LIMIT, LINE, MUTED, WARN, write
from gameday_reports.charts.svg import Svg, element, joined, short

MarkKind = Literal["stop", "fired", "resolved", "note", "moment"]
MOST_MARKS = 60
"""Most marks in one drawing; the timeline and the journal hold all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that happened at one moment."""

    at_ms: int
    text: str
    kind: MarkKind = "stop"
    """``stop``: an abort or a loss; ``fired``, ``resolved``: of an alert; ``moment``: a step of a fault's life."""


_COLOURS = {"stop": LIMIT, "fired": WARN, "resolved": WARN, "note": LINE, "moment": MUTED}
_SHAPES = {
    "stop": "M{l} {t}h10v10h-10z",
    "fired": "M{x} {t}l6 10h-12z",
    "resolved": "M{x} {b}l6 -10h-12z",
    "note": "M{x} {t}l5 5l-5 5l-5 -5z",
    "moment": "M{x} {t}l3 5l-3 5l-3 -5z",
}


MARKS: dict[MarkKind, str] = {
    "stop": "the run was stopped", "fired": "an alert fired", "resolved": "it resolved", "note": "a note",
}  # fmt: skip


def shape(kind: MarkKind, x: float, y: float) -> Svg:
    """Draw the shape of a kind around a middle: square, triangle up, triangle down (hollow), diamond."""
    path = _SHAPES[kind].format(x=short(x), l=short(x - 5), t=short(y - 5), b=short(y + 5))
    hollow = kind == "resolved"
    return element(
        "path", class_=f"m-{kind}", fill="none" if hollow else _COLOURS[kind], stroke=_COLOURS[kind] if hollow else None,
        stroke_width="1.6" if hollow else None, d=path,
    )  # fmt: skip


def draw_shapes(marks: Sequence[Mark], axis: TimeAxis, y: float) -> Svg:
    """Draw each mark as its shape on a lane whose middle is ``y``, with its time and text as a tooltip."""
    return joined(
        *(
            element(
                "g",
                element("title", f"{words.clock(mark.at_ms, precise=True)} {mark.text}"),
                shape(mark.kind, axis.x(mark.at_ms), y),
            )
            for mark in _inside(marks, axis)
        )
    )


def draw_lines(marks: Sequence[Mark], axis: TimeAxis, scale: Scale) -> Svg:
    """Draw each mark as a thin line through a panel; a stop is a solid one."""
    return joined(
        *(
            element(
                "line", class_=f"at m-{mark.kind}", stroke=_COLOURS[mark.kind], stroke_width="1.6" if mark.kind == "stop" else "1",
                stroke_dasharray=None if mark.kind == "stop" else "1 3", x1=axis.x(mark.at_ms), x2=axis.x(mark.at_ms),
                y1=scale.top, y2=scale.bottom,
            )
            for mark in _inside(marks, axis)
        )
    )  # fmt: skip


def draw_labels(marks: Sequence[Mark], axis: TimeAxis, y: float) -> Svg:
    """Write the text of each moment at its line, where the labels before it leave room; from the right edge leftwards."""
    pieces: list[Svg] = []
    free = 0.0
    for mark in sorted((mark for mark in _inside(marks, axis) if mark.kind == "moment"), key=lambda found: found.at_ms):
        x, width = axis.x(mark.at_ms), CHARACTER * 0.85 * len(mark.text)
        left = x + width > WIDTH - RIGHT
        if (x - width if left else x) >= free:
            pieces.append(write(mark.text, x - 3 if left else x + 3, y, MUTED, anchor="end" if left else None))
            free = x + 6 if left else x + width + 6
    return joined(*pieces)


def said_between(marks: Sequence[Mark], from_ms: int, to_ms: int) -> tuple[str, ...]:
    """Return what happened in [from, to), at most three texts."""
    return tuple(mark.text for mark in marks if from_ms <= mark.at_ms < to_ms)[:3]


def _inside(marks: Sequence[Mark], axis: TimeAxis) -> list[Mark]:
    return [mark for mark in marks if axis.from_ms <= mark.at_ms <= axis.to_ms][:MOST_MARKS]
