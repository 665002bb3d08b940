"""Which charts a run gets: one for each measure its objectives limit, then throughput; all on one time axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gameday_reports.charts.hover import MEASURED, Line
from gameday_reports.charts.limits import LimitLine
from gameday_reports.charts.panel import Panel
from gameday_reports.facts import Facts
from gameday_reports.parts.gauge_panels import distinct, gauge_panels
from gameday_reports.parts.load_panels import throughput
from gameday_reports.parts.watched import Watched, together
from gameday_reports.reading import bounded
from gameday_reports.series import EMPTY, latencies

MOST_PANELS = 12


def panels(facts: Facts, criteria: Sequence[Watched]) -> tuple[Panel, ...]:
    """Choose and fill the panels: criteria with the same measure and requests share one."""
    groups: dict[tuple[str, tuple[str, ...]], list[Watched]] = {}
    for item in criteria:
        limit = item.limit("baseline")
        if limit is not None and limit.kind in ("errors", "slow"):
            measure = limit.metric if limit.kind == "slow" else "errors"
            groups.setdefault((measure, item.endpoints), []).append(item)
    for measure in ("errors", "p95") if facts.has_load else ():
        if not any((key[0] == "errors") == (measure == "errors") for key in groups):
            groups[(measure, ())] = []
    chosen = sorted(groups.items(), key=lambda item: item[0][0] != "errors")[:MOST_PANELS]
    drawn = [_measured(facts, key, items, f"m{index}") for index, (key, items) in enumerate(chosen, 1)]
    drawn += gauge_panels(facts)
    if facts.has_load or not drawn:
        drawn.append(throughput(facts))
    drawn[0] = replace(drawn[0], name_bands=True)
    drawn[-1] = replace(drawn[-1], utc=True)
    return tuple(drawn)


def _measured(facts: Facts, key: tuple[str, tuple[str, ...]], items: list[Watched], name: str) -> Panel:
    measure, endpoints = key
    of = bounded(", ".join(endpoints), 60) if endpoints else "all requests"
    if measure == "errors":
        counts = facts.ledger
        series = counts.share(counts.failed(endpoints), counts.total(endpoints))
        title = f"{of}: share of requests that failed"
    else:
        series = latencies(facts.run.load.histograms, endpoints, float(measure[1:]) / 100)
        title = f"{of}: latency {measure}"
    return Panel(
        key=name,
        title=title,
        unit="share" if measure == "errors" else "ms",
        lines=(Line(label=MEASURED, series=series), *_before(facts, measure, endpoints)),
        limits=distinct(line for item in items for line in _limit_lines(facts, item)),
        over=together(item.over for item in items),
    )


def _before(facts: Facts, measure: str, endpoints: tuple[str, ...]) -> tuple[Line, ...]:
    """Draw the run before this one, where its numbers mean the same and its figures were kept."""
    if facts.previous is None or not facts.previous.comparable or facts.zero_ms is None:
        return ()
    named = endpoints or (facts.ledger.endpoints if len(facts.ledger.endpoints) == 1 else ())
    series = EMPTY
    if measure == "errors":
        series = facts.previous.failed(endpoints or facts.ledger.endpoints, facts.zero_ms)
    elif measure == "p95" and len(named) == 1:
        series = facts.previous.p95(named[0], facts.zero_ms)
    return (Line(label="last run", series=series, kind="previous"),) if series.values else ()


def _limit_lines(facts: Facts, item: Watched) -> list[LimitLine]:
    lines: list[LimitLine] = []
    for begin, end, phase in facts.regions():
        limit = item.limit(phase)
        value = None if limit is None else limit.limit_ms if limit.kind == "slow" else limit.budget
        if limit is None or value is None or end <= begin:
            continue
        if lines and lines[-1].value == value:
            lines[-1] = replace(lines[-1], to_ms=end)
        else:
            label = f"{item.objective}: {limit.text}" if phase != "recovery" else ""
            lines.append(LimitLine(from_ms=begin, to_ms=end, value=value, label=label))
    return lines
