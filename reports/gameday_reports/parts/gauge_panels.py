"""A chart for each gauge."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gameday.model import Json
from gameday_reports.charts.geometry import Span
from gameday_reports.charts.hover import MEASURED, Line
from gameday_reports.charts.limits import LimitLine, Over
from gameday_reports.charts.panel import Panel
from gameday_reports.facts import Facts
from gameday_reports.gauges import GaugeLimit, base_line, chart_unit, gauge_criteria, gauges_of, over_line
from gameday_reports.parts.objectives import gauge_limits
from gameday_reports.reading import bounded, text

MOST_GAUGES = 12


def gauge_panels(facts: Facts) -> list[Panel]:
    """Draw one panel for each SLI, with the limits of the objectives that speak of it."""
    criteria = gauge_criteria(facts.objectives)
    names = list(gauges_of(facts.experiment))[:MOST_GAUGES]
    return [_gauge(facts, sli, criteria, f"g{index}") for index, sli in enumerate(names, 1)]


def _gauge(facts: Facts, sli: str, criteria: Sequence[tuple[Json, Json]], key: str) -> Panel:
    unit, scale = chart_unit((criterion for _, criterion in criteria), sli)
    series = facts.gauge(sli, scale)
    lines: list[LimitLine] = []
    spans: set[Span] = set()
    for objective, criterion in criteria:
        limits = [found for found in gauge_limits(facts, criterion) if found[2].sli == sli]
        lines += _gauge_lines(text(objective, "name", 60), limits, scale)
        spans |= set(over_line(series, limits, scale))
    return Panel(
        key=key,
        title=f"Gauge {bounded(sli, 60)}" + (f", in {unit}" if unit else ""),
        unit="count",
        lines=(Line(label=MEASURED, series=series), *_before(facts, sli, scale)),
        limits=distinct(lines),
        over=Over(sure=tuple(sorted(spans))),
    )


def _before(facts: Facts, sli: str, scale: float) -> tuple[Line, ...]:
    if facts.previous is None or not facts.previous.comparable or facts.zero_ms is None:
        return ()
    every_ms = gauges_of(facts.experiment).get(sli, 1_000.0)
    series = facts.previous.gauge(sli, facts.zero_ms, every_ms, scale)
    return (Line(label="last run", series=series, kind="previous"),) if series.values else ()


def _gauge_lines(name: str, limits: Iterable[tuple[int, int, GaugeLimit]], scale: float) -> list[LimitLine]:
    lines: list[LimitLine] = []
    for begin, end, limit in limits:
        line = base_line(limit)
        if line is None or end <= begin:
            continue
        if lines and lines[-1].value == line / scale:
            lines[-1] = replace(lines[-1], to_ms=end)
        else:
            known = any(found.value == line / scale for found in lines)
            label = "" if known else f"{name}: {limit.metric} {limit.allowed}"
            lines.append(LimitLine(from_ms=begin, to_ms=end, value=line / scale, label=label))
    return lines


def distinct(lines: Iterable[LimitLine]) -> tuple[LimitLine, ...]:
    """Drop lines that would cover another one; the first keeps its label."""
    found: dict[tuple[int, int, float], LimitLine] = {}
    for line in lines:
        found.setdefault((line.from_ms, line.to_ms, line.value), line)
    return tuple(found.values())
