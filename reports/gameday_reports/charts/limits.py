"""Limits of objectives as lines, and the strip that says when they were not kept: colour is not the only sign."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gameday_reports import words
from gameday_reports.charts.columns import COLUMN
from gameday_reports.charts.geometry import LEFT, RIGHT, WIDTH, Scale, Span, TimeAxis, merged
from gameday_reports.charts.ink import CHARACTER, LIMIT, box, write_over_lines
from gameday_reports.charts.svg import Svg, element, joined


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


NEVER = Over()


def draw_limits(limits: Sequence[LimitLine], axis: TimeAxis, scale: Scale) -> Svg:
    """Draw each limit where it was in force, with its label where there is room that no other label has taken."""
    pieces: list[str] = []
    taken: list[tuple[float, float]] = []
    for limit in limits:
        left, right, y = axis.x(limit.from_ms), axis.x(limit.to_ms), scale.y(limit.value)
        line = element("line", class_="limit", stroke=LIMIT, stroke_dasharray="6 4", x1=left, x2=right, y1=y, y2=y)
        pieces.append(line)
        base = y - 5 if y - 16 > scale.top else y + 14
        at = max([left + 5, *(end + 12 for end, other in taken if abs(other - base) < 13 and end > left)])  # noqa: PLR2004 - a line of text
        width = CHARACTER * 0.8 * len(limit.label)
        if limit.label and at + width < right:
            taken.append((at + width, base))
            pieces.append(write_over_lines(limit.label, at, base))
    return joined(*pieces)


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
            pieces.append(box(left, top, width, height, *title, class_="breach", fill=LIMIT, fill_opacity=opacity))
    return joined(*pieces)
