"""Bands that tell their least and greatest value under the pointer, without a script: at most 60 for each chart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gameday_reports import words
from gameday_reports.charts.geometry import Scale, TimeAxis
from gameday_reports.charts.ink import Unit, box, shown
from gameday_reports.charts.marks import Mark, said_between
from gameday_reports.charts.svg import Svg, element
from gameday_reports.series import Series, finite

LineKind = Literal["main", "second", "previous"]
"""``previous`` is the run before this one, dashed and grey; ``second`` a line to compare with."""
MEASURED = "this run"
"""The label of a line that needs none under the pointer."""
HOVER_BANDS = 60
"""Most hover bands in one panel: a band for every sample made a prototype's report 1.3 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a panel."""

    label: str
    series: Series
    kind: LineKind = "main"


def draw_hover(lines: Sequence[Line], unit: Unit, axis: TimeAxis, scale: Scale, marks: Sequence[Mark] = ()) -> Svg:
    """Lay at most HOVER_BANDS transparent bands over the plot; each says in its title what was least and greatest there."""
    first, end = axis.from_ms // 1000, math.ceil(axis.to_ms / 1000)
    step = max(1, math.ceil((end - first) / HOVER_BANDS))
    pieces: list[Svg] = []
    for begin in range(first, end, step):
        said = [_extremes(line, begin, step, unit) for line in lines]
        happened = said_between(marks, begin * 1000, (begin + step) * 1000)
        if any(said) or happened:
            left, right = axis.x(begin * 1000), axis.x((begin + step) * 1000)
            label = "\n".join([_when(axis, begin), *(text for text in said if text), *(text[:90] for text in happened)])
            pieces.append(box(left, scale.top, right - left, scale.bottom - scale.top, element("title", label)))
    return element("g", *pieces, class_="hit", fill="#000", fill_opacity="0") if pieces else Svg("")


def _extremes(line: Line, begin: int, step: int, unit: Unit) -> str:
    at = begin - line.series.start
    seen = finite(line.series.values[max(0, at) : max(0, at + step)])
    if not seen:
        return ""
    least, greatest = shown(min(seen), unit), shown(max(seen), unit)
    said = least if least == greatest else f"{least} to {greatest}"
    return said if line.label == MEASURED else f"{line.label}: {said}"


def _when(axis: TimeAxis, second: int) -> str:
    on = [band.label for band in axis.bands if band.on_ms < (second + 1) * 1000 and band.off_ms > second * 1000]
    return f"{words.clock(second * 1000)}{', fault ' + ' and '.join(on[:3]) + ' on' if on else ''}"
