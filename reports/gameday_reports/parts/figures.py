"""The table under each figure: whatever a line shows can be read as numbers, without a pointer and without eyes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gameday_reports import words
from gameday_reports.charts.geometry import Span, TimeAxis
from gameday_reports.charts.hover import Line
from gameday_reports.charts.ink import Unit, shown
from gameday_reports.charts.limits import Over
from gameday_reports.charts.panel import Panel
from gameday_reports.facts import Facts
from gameday_reports.series import Series, finite

MOST_ROWS = 40
_PHASES = {"baseline": "before the fault", "fault": "while it was on", "recovery": "after it"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FigureTable:
    """The figures of a chart."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A chart and its table."""

    panel: Panel
    table: FigureTable


def figure(facts: Facts, panel: Panel) -> Figure:
    """Give a panel its table: a row for each phase and line."""
    rows = (_row(line, panel, name, span) for name, span in _spans(facts) for line in panel.lines)
    head = ("Phase", "Line", "Lowest", "Median", "Highest", "Highest at", *(("Seconds over",) if panel.limits else ()))
    return Figure(panel=panel, table=FigureTable(caption=panel.title, head=head, rows=tuple(filter(None, rows))))


def _spans(facts: Facts) -> Iterator[tuple[str, Span]]:
    regions = facts.regions()
    for begin, end, phase in regions:
        yield _PHASES[phase] if len(regions) > 1 else "whole run", (begin, end)


def _row(line: Line, panel: Panel, name: str, span: Span) -> tuple[str, ...]:
    """Return the row of a line in a phase; empty where it has no value."""
    first, found = _inside(line.series, span)
    values = sorted(finite(found))
    if not values:
        return ()
    cells = (
        name, line.label, shown(values[0], panel.unit), shown(values[(len(values) - 1) // 2], panel.unit),
        shown(values[-1], panel.unit), words.clock((first + found.index(values[-1])) * 1000),
    )  # fmt: skip
    if not panel.limits:
        return cells
    return (*cells, _over(panel.over, span) if line.kind == "main" else "")


def _inside(series: Series, span: Span) -> tuple[int, tuple[float | None, ...]]:
    """Return the first second whose middle lies in a span, and the values from there on."""
    first = max(0, math.ceil((span[0] - 500) / 1000) - series.start)
    last = max(0, math.ceil((span[1] - 500) / 1000) - series.start)
    return series.start + first, series.values[first:last]


def _over(over: Over, span: Span) -> str:
    sure, perhaps = (
        sum(span[0] <= (begin + end) / 2 < span[1] for begin, end in spans) for spans in (over.sure, over.perhaps)
    )
    return f"{sure:,}" + (f" and {perhaps:,} perhaps" if perhaps else "")


def time_table(axis: TimeAxis, panels: Sequence[Panel], caption: str) -> FigureTable:
    """Tell several panels on one axis row by row: what was lowest and highest in each stretch of time."""
    first, end = axis.from_ms // 1000, math.ceil(axis.to_ms / 1000)
    step = next(
        (step for step in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800) if (end - first) / step <= MOST_ROWS), 3600
    )
    begin = first - first % step
    rows: list[tuple[str, ...]] = []
    for second in range(begin, end, max(step, math.ceil((end - begin) / MOST_ROWS))):
        span = (second * 1000, (second + step) * 1000)
        cells = tuple(
            _range(line.series, span, panel.unit) for panel in panels for line in panel.lines if line.kind == "main"
        )
        on = " ".join(band.label for band in axis.bands if band.on_ms < span[1] and band.off_ms > span[0])
        rows.append((words.clock(second * 1000), on, *cells))
    titles = tuple(panel.title for panel in panels)
    return FigureTable(caption=caption, head=("From", "Fault on", *titles), rows=tuple(rows))


def _range(series: Series, span: Span, unit: Unit) -> str:
    values = finite(_inside(series, span)[1])
    if not values:
        return "no data"
    least, greatest = shown(min(values), unit), shown(max(values), unit)
    return least if least == greatest else f"{least} to {greatest}"
