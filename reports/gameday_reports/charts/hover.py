"""Bands that tell their least and greatest value under the pointer, without a script: at most 120 for each chart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gameday_reports import words
from gameday_reports.charts.geometry import Scale, TimeAxis
from gameday_reports.charts.ink import Unit, box, shown
from gameday_reports.charts.svg import Svg, element
from gameday_reports.series import Series

HOVER_BANDS = 120
"""Most hover bands in one panel: a band for every sample made a prototype's report 1.3 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a panel."""

    label: str
    series: Series
    dashed: bool = False


def draw_hover(lines: Sequence[Line], unit: Unit, axis: TimeAxis, scale: Scale) -> Svg:
    """Lay at most HOVER_BANDS transparent bands over the plot; each says in its title what was least and greatest there."""
    first, end = axis.from_ms // 1000, math.ceil(axis.to_ms / 1000)
    step = max(1, math.ceil((end - first) / HOVER_BANDS))
    pieces: list[Svg] = []
    for begin in range(first, end, step):
        said = [_extremes(line, begin, step, unit) for line in lines]
        if any(said):
            left, right = axis.x(begin * 1000), axis.x((begin + step) * 1000)
            label = "\n".join([_when(axis, begin), *(text for text in said if text)])
            pieces.append(box(left, scale.top, right - left, scale.bottom - scale.top, element("title", label)))
    return element("g", *pieces, class_="hit", fill="#000", fill_opacity="0") if pieces else Svg("")


def _extremes(line: Line, begin: int, step: int, unit: Unit) -> str:
    at = begin - line.series.start
    found = line.series.values[max(0, at) : max(0, at + step)]
    seen = [value for value in found if value is not None and math.isfinite(value)]
    if not seen:
        return ""
    least, greatest = shown(min(seen), unit), shown(max(seen), unit)
    return f"{line.label}: {least}" if least == greatest else f"{line.label}: {least} to {greatest}"


def _when(axis: TimeAxis, second: int) -> str:
    on = [band.name for band in axis.bands if band.on_ms < (second + 1) * 1000 and band.off_ms > second * 1000]
    day = "" if axis.epoch_wall is None else f" ({words.utc(axis.epoch_wall + second, '%H:%M:%S')} UTC)"
    return f"{words.clock(second * 1000)}{day}{', with ' + ', '.join(on[:3]) if on else ''}"
