"""Lines of a panel: one path for all segments, a dot for a lone sample, and the key that says which line is which."""

from __future__ import annotations

from collections.abc import Sequence

from gameday_reports.charts.columns import COLUMN, columns
from gameday_reports.charts.geometry import RIGHT, WIDTH, Scale, TimeAxis
from gameday_reports.charts.hover import Line, LineKind
from gameday_reports.charts.ink import LINE, MUTED, SECOND, write
from gameday_reports.charts.svg import Svg, element, joined, short

_LOOKS: dict[LineKind, tuple[str, str, str | None, float]] = {
    "main": ("line", LINE, None, COLUMN),
    "second": ("line second", SECOND, "5 3", COLUMN),
    "previous": ("line prev", SECOND, "4 3", 2 * COLUMN),
}
"""Class, colour, dashes and width of a column; the run before this one is only for orientation, so its columns are wider."""


def draw_line(line: Line, axis: TimeAxis, scale: Scale) -> Svg:
    """Draw one line; a gap in it stays a gap, and a sample between two gaps is a dot."""
    kind, colour, dashes, width = _LOOKS[line.kind]
    segments = columns(line.series, axis, width=width)
    points = [[(axis.x(ms), scale.y(value)) for ms, value in segment] for segment in segments]
    dots = (
        element("circle", class_=kind.replace("line", "dot"), fill=colour, cx=x, cy=y, r="2")
        for (x, y), *rest in points
        if not rest
    )
    drawn = "".join(path_of(segment) for segment in points if len(segment) > 1)
    path = element(
        "path", class_=kind, fill="none", stroke=colour, stroke_width="1.4", stroke_linejoin="round", stroke_dasharray=dashes, d=drawn,
    )  # fmt: skip
    return joined(path if drawn else "", *dots)


def path_of(points: Sequence[tuple[float, float]]) -> str:
    """Write a line as moves from point to point, in tenths of a pixel: half the bytes of absolute places, and no drift."""
    tenths = [(round(x * 10), round(y * 10)) for x, y in points]
    (x, y), *rest = tenths
    moves: list[str] = []
    for to_x, to_y in rest:
        across, down = _tenth(to_x - x), _tenth(to_y - y)
        moves.append(f"{across}{down}" if down.startswith("-") else f"{across} {down}")
        x, y = to_x, to_y
    written = moves[0] if moves else ""
    for move in moves[1:]:
        written += move if move.startswith("-") else f" {move}"
    return f"M{_tenth(tenths[0][0])} {_tenth(tenths[0][1])}l{written}"


def _tenth(value: int) -> str:
    return short(value / 10)


def draw_key(lines: Sequence[Line]) -> Svg:
    """Name the lines at the top right; a single one needs no key."""
    if len(lines) < 2:  # noqa: PLR2004 - one line needs no key
        return Svg("")
    pieces: list[str] = []
    x = WIDTH - RIGHT
    for line in reversed(lines):
        kind, colour, dashes, _ = _LOOKS[line.kind]
        pieces.append(write(line.label, x, 14.0, MUTED, anchor="end"))
        x -= 6.6 * len(line.label) + 6
        pieces.append(
            element("line", class_=kind, stroke=colour, stroke_width="2", stroke_dasharray=dashes, x1=x - 20, x2=x, y1=10, y2=10)
        )  # fmt: skip
        x -= 34
    return joined(*pieces)
