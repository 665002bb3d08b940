"""Which charts a run gets: one for each measure its objectives limit, then throughput; all on one time axis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gameday.model import Json, Tick
from gameday_reports import words
from gameday_reports.charts import Span
from gameday_reports.charts_hover import Line
from gameday_reports.charts_lanes import MOST_ROWS, Lane, Mark
from gameday_reports.charts_limits import LimitLine, Over
from gameday_reports.charts_panel import Panel
from gameday_reports.criteria import Limit, surely_over
from gameday_reports.facts import Facts
from gameday_reports.gauges import GaugeLimit, base_line, chart_unit, gauge_criteria, gauges_of, is_gauge, over_line
from gameday_reports.objectives import gauge_limits, limit_of
from gameday_reports.reading import bounded, parts, text, texts
from gameday_reports.series import Series, latencies

MOST_PANELS = 12
LATE_MS = 50.0
"""A request that leaves later than this after its intended start is the generator's fault (docs/run-folder.md, ``late``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One criterion of one objective, which requests it speaks of, and when it was over its limit."""

    objective: str
    endpoints: tuple[str, ...]
    criterion: Json
    over: Over

    def limit(self, phase: str) -> Limit | None:
        """Return what is allowed in a phase."""
        return limit_of(self.criterion, phase)


def watched(facts: Facts) -> tuple[Watched, ...]:
    """Return all criteria of all objectives, in the order of the file."""
    return tuple(
        Watched(
            objective=text(raw, "name", 60),
            endpoints=texts(raw, "endpoints"),
            criterion=criterion,
            over=_over(facts, texts(raw, "endpoints"), criterion),
        )
        for raw in facts.objectives
        for criterion in parts(raw, "criteria")
    )


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
        drawn.append(_throughput(facts))
    drawn[0] = replace(drawn[0], name_bands=True)
    drawn[-1] = replace(drawn[-1], utc=True)
    return tuple(drawn)


def _measured(facts: Facts, key: tuple[str, tuple[str, ...]], items: list[Watched], name: str) -> Panel:
    measure, endpoints = key
    of = bounded(", ".join(endpoints), 60) if endpoints else "all requests"
    if measure == "errors":
        counts = facts.ledger
        series = counts.share(counts.failed(endpoints), counts.total(endpoints))
        title, label = f"Share of requests that failed, each second: {of}", "failed"
    else:
        series = latencies(facts.run.load.histograms, endpoints, float(measure[1:]) / 100)
        title, label = f"Latency {measure}, each second: {of}", measure
    return Panel(
        key=name,
        title=title,
        unit="share" if measure == "errors" else "ms",
        lines=(Line(label=label, series=series),),
        limits=_distinct(line for item in items for line in _limit_lines(facts, item)),
        over=_together(item.over for item in items),
    )


def gauge_panels(facts: Facts) -> list[Panel]:
    """Draw one panel for each SLI, with the limits of the objectives that speak of it."""
    criteria = gauge_criteria(facts.objectives)
    names = list(gauges_of(facts.experiment))[:MOST_PANELS]
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
        lines=(Line(label=bounded(sli, 60), series=series),),
        limits=_distinct(lines),
        over=Over(sure=tuple(sorted(spans))),
    )


def _gauge_lines(name: str, limits: Iterable[tuple[int, int, GaugeLimit]], scale: float) -> list[LimitLine]:
    lines: list[LimitLine] = []
    for begin, end, limit in limits:
        line = base_line(limit)
        if line is None or end <= begin:
            continue
        if lines and lines[-1].value == line / scale:
            lines[-1] = replace(lines[-1], to_ms=end)
        else:
            label = f"{name}: {limit.metric} {limit.allowed}"
            lines.append(LimitLine(from_ms=begin, to_ms=end, value=line / scale, label=label))
    return lines


def _distinct(lines: Iterable[LimitLine]) -> tuple[LimitLine, ...]:
    """Drop lines that would cover another one; the first keeps its label."""
    found: dict[tuple[int, int, float], LimitLine] = {}
    for line in lines:
        found.setdefault((line.from_ms, line.to_ms, line.value), line)
    return tuple(found.values())


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


def _over(facts: Facts, endpoints: tuple[str, ...], criterion: Json) -> Over:
    """Find the seconds whose middle lies in a phase and whose share of bad requests was over what that phase allowed."""
    if is_gauge(criterion):
        limits = gauge_limits(facts, criterion)
        seen = {limit.sli for _, _, limit in limits}
        return Over(sure=tuple(span for sli in sorted(seen) for span in over_line(facts.gauge(sli), limits)))
    sure: list[Span] = []
    perhaps: list[Span] = []
    start = facts.ledger.start
    for begin, end, phase in facts.regions():
        limit = limit_of(criterion, phase)
        if limit is None or limit.kind not in ("errors", "slow"):
            continue
        first, last = facts.ledger.between(begin, end)
        bad, total = facts.ledger.bad(endpoints, limit.slower_us)[first:last], facts.ledger.total(endpoints)[first:last]
        for second, (k, n) in enumerate(zip(bad, total, strict=True), start + first):
            if k > limit.budget * n:
                (sure if surely_over(k, n, limit.budget) else perhaps).append((second * 1000, second * 1000 + 1000))
    return Over(sure=tuple(sure), perhaps=tuple(perhaps))


def _together(overs: Iterable[Over]) -> Over:
    every = tuple(overs)
    sure = {span for over in every for span in over.sure}
    perhaps = {span for over in every for span in over.perhaps} - sure
    return Over(sure=tuple(sorted(sure)), perhaps=tuple(sorted(perhaps)))


def lanes(criteria: Sequence[Watched]) -> tuple[Lane, ...]:
    """Return when each objective was over its limit, second by second, merged over its criteria."""
    by_name: dict[str, list[Over]] = {}
    for item in criteria:
        by_name.setdefault(item.objective, []).append(item.over)
    return tuple(Lane(name=name, over=_together(overs)) for name, overs in list(by_name.items())[:MOST_ROWS])


def marks(facts: Facts) -> tuple[Mark, ...]:
    """Return what stopped the run, or should have been noticed."""
    kinds = {"abort": "the run was stopped", "load-lost": "the load was lost", "watchdog-lost": "the watchdog was lost"}
    events = facts.run.of_kind(*kinds)
    return tuple(
        Mark(at_ms=event.at_ms, text=f"{kinds[event.kind]}: {text(event.data, 'detail') or text(event.data, 'error')}")
        for event in events
    )


def _throughput(facts: Facts) -> Panel:
    counts = facts.ledger
    total, failed = counts.total(), counts.failed()
    offered = counts.per_second(total)
    served = counts.per_second([n - k for n, k in zip(total, failed, strict=True)])
    lines = (Line(label="offered", series=offered, dashed=True), Line(label="answered without error", series=served))
    return Panel(key="throughput", title="Requests offered and answered, each second", unit="rate", lines=lines)


def generator_panels(facts: Facts) -> tuple[Panel, ...]:
    """Draw the load generator's account of itself: how late it was, and how much was in flight."""
    ticks = facts.run.load.ticks
    if not ticks:
        return ()
    late = LimitLine(
        from_ms=facts.axis.from_ms,
        to_ms=facts.axis.to_ms,
        value=LATE_MS,
        label=f"late from {words.latency(LATE_MS)} on",
    )
    lag = Line(label="lag p99", series=_ticked(ticks, "lag_p99_ms"))
    flying = Line(label="in flight", series=_ticked(ticks, "in_flight"))
    return (
        Panel(
            key="lag",
            title="How late requests left, p99 of each second",
            unit="ms",
            lines=(lag,),
            limits=(late,),
            height=140.0,
            linear=True,
        ),
        Panel(key="flight", title="Requests in flight", unit="count", lines=(flying,), height=140.0),
    )


def _ticked(ticks: tuple[Tick, ...], name: str) -> Series:
    by_second = {tick.at_ms // 1000: float(getattr(tick, name)) for tick in ticks}
    first, last = min(by_second), max(by_second)
    return Series(start=first, values=tuple(by_second.get(second) for second in range(first, last + 1)))
