"""The objectives: before, during and after the fault, with counts, budget and reason, worst first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

from gameday.model import Json, Reason
from gameday_reports import gauges, words
from gameday_reports.charts.geometry import Span
from gameday_reports.criteria import Limit
from gameday_reports.facts import Facts
from gameday_reports.parts import alerts
from gameday_reports.parts.cells import TONES, Cell, after_cell, cell, gauge_cell, limit_of
from gameday_reports.reading import number, part, parts, text, texts
from gameday_reports.series import EMPTY, Series, latency_between

_WORST_FIRST = {"dirty": 0, "fail": 1, "aborted": 2, "inconclusive": 3, "pass": 4}
WARNINGS = {
    "closed-model": "Measured by users who wait for each answer: a slow system is asked less, and looks better than it is."
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionView:
    """One line of an objective."""

    expect: str
    during: str
    """Empty when the same holds during the fault."""
    before_cell: Cell
    during_cell: Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveView:
    """One objective as the table shows it."""

    anchor: str
    name: str
    scope: str
    line: str
    warning: str
    """What a reader must know of how it was measured; usually empty."""
    verdict: str
    tone: str
    reason: str
    criteria: tuple[CriterionView, ...]
    after: Cell
    budget: str
    budget_tone: str
    budget_note: str
    trend: Series
    """Share of bad requests, each second judged by the limit of its phase."""
    allowed: tuple[tuple[int, int, float], ...]
    """(from, to, share): what was allowed when, in ms of the run."""
    last: Cell | None
    """What the last run came to; None without one."""


def objective_views(facts: Facts) -> tuple[ObjectiveView, ...]:
    """Describe all objectives, worst first, in the order of the file among equals."""
    numbered = enumerate(facts.objectives, 1)
    ordered = sorted(numbered, key=lambda pair: (_WORST_FIRST.get(text(pair[1], "verdict"), 3), pair[0]))
    measure = cache(partial(latency_between, facts.run.load.histograms))
    return tuple(_objective(facts, raw, index, measure) for index, raw in ordered)


_Measure = Callable[[tuple[str, ...], float, Span], float | None]
"""(endpoints, quantile, span) → milliseconds; objectives that ask the same are answered once."""


def _objective(facts: Facts, raw: Json, index: int, measure: _Measure) -> ObjectiveView:
    word = text(raw, "verdict")
    endpoints, line = texts(raw, "endpoints"), number(raw, "line")
    criteria = parts(raw, "criteria")
    budget, alert = part(raw, "budget"), part(raw, "alert")
    used = number(budget, "used")
    return ObjectiveView(
        anchor=f"objective-{index}",
        name=text(raw, "name"),
        scope=f"alert {text(alert, 'name', 80)}" if alert else _scope(endpoints, criteria),
        line="" if line is None else f"line {line:.0f}",
        warning=" ".join(WARNINGS.get(word, word) for word in texts(raw, "warnings")),
        verdict=words.RESULTS.get(word, word),
        tone=TONES.get(word, "warn"),
        reason="proven" if text(raw, "reason") == Reason.BROKEN else words.reason(text(raw, "reason")),
        criteria=tuple(_criterion(facts, criterion, endpoints, measure) for criterion in criteria) or _alerted(alert),
        after=alerts.after_cell(alert) if alert else after_cell(part(raw, "recovery"), criteria[0] if criteria else {}),
        budget="not counted" if used is None else words.budget(used),
        budget_tone="fail" if used is not None and used > 1 else "none",
        budget_note=budget_note(budget),
        trend=_trend(facts, endpoints, criteria[0]) if criteria else EMPTY,
        allowed=_allowed(facts, criteria[0]) if criteria else (),
        last=_last(facts, text(raw, "name")),
    )


def _alerted(alert: Json) -> tuple[CriterionView, ...]:
    if not alert:
        return ()
    before, during = alerts.before_cell(alert), alerts.during_cell(alert)
    return (CriterionView(expect=alerts.asked(alert), during="", before_cell=before, during_cell=during),)


def _last(facts: Facts, name: str) -> Cell | None:
    if facts.previous is None:
        return None
    before = facts.previous.objective(name)
    if not before:
        return Cell(value="not there", note="it was not an objective then")
    if not facts.previous.comparable:
        return Cell(value="not comparable", note="the experiment was changed since")
    word, used = text(before, "verdict"), number(part(before, "budget"), "used")
    budget = "" if used is None else f"error budget {words.budget(used)}"
    return Cell(value=words.RESULTS.get(word, word), note=budget, tone=TONES.get(word, "warn"))


def _scope(endpoints: tuple[str, ...], criteria: tuple[Json, ...]) -> str:
    """Name what it speaks of: requests, gauges, or both."""
    read = dict.fromkeys(text(phase, "sli") for _, phase in _gauge_phases(criteria))
    scraped = dict.fromkeys(told for told in map(_scraped, criteria) if told)
    counted = any(not gauges.is_gauge(criterion) and not _scraped(criterion) for criterion in criteria)
    named = [", ".join(endpoints) or "all requests"] if counted or not (read or scraped) else []
    return ", ".join([*named, *(f"gauge {sli}" for sli in read), *scraped])


def _scraped(criterion: Json) -> str:
    """Name the counters that a criterion was counted by, and how well its edges are known; empty for requests of the load."""
    found = (part(part(part(criterion, "phases"), phase), "counters") for phase in ("baseline", "fault"))
    counters = next((one for one in found if one), None)
    return f"counters {text(counters, 'sli')}, edges known to {counters['edge_ms'] / 1000:g} s" if counters else ""


def _gauge_phases(criteria: tuple[Json, ...]) -> list[tuple[Json, Json]]:
    phases = [(c, part(part(c, "phases"), name)) for c in criteria for name in ("baseline", "fault")]
    return [(criterion, phase) for criterion, phase in phases if "coverage" in phase]


def _trend(facts: Facts, endpoints: tuple[str, ...], criterion: Json) -> Series:
    if gauges.is_gauge(criterion):
        return facts.gauge(_sli(criterion))
    if _scraped(criterion):
        return facts.gauge("")  # the load's requests are not those that were counted
    counts = facts.ledger
    total = counts.total(endpoints)
    bad = [0] * len(total)
    for begin, end, phase in facts.regions():
        limit = limit_of(criterion, phase)
        at = counts.between(begin, end)
        bad[at] = counts.bad(endpoints, None if limit is None else limit.slower_us, at)
    return counts.share(bad, total)


def _sli(criterion: Json) -> str:
    return next((text(phase, "sli") for _, phase in _gauge_phases((criterion,))), "")


def gauge_limits(facts: Facts, criterion: Json) -> tuple[tuple[int, int, gauges.GaugeLimit], ...]:
    """Return (from, to, limit): what was allowed of a gauge when, in ms of the run."""
    spans = ((begin, end, _gauge_limit(criterion, phase)) for begin, end, phase in facts.regions())
    return tuple((begin, end, limit) for begin, end, limit in spans if limit is not None)


def _gauge_limit(criterion: Json, phase: str) -> gauges.GaugeLimit | None:
    during = text(criterion, "during") if phase == "fault" else ""
    return gauges.read_gauge_limit(during or text(criterion, "expect"))


def _allowed(facts: Facts, criterion: Json) -> tuple[tuple[int, int, float], ...]:
    if gauges.is_gauge(criterion):
        lines = ((begin, end, gauges.base_line(limit)) for begin, end, limit in gauge_limits(facts, criterion))
        return tuple((begin, end, line) for begin, end, line in lines if line is not None)
    limits = ((begin, end, limit_of(criterion, phase)) for begin, end, phase in facts.regions())
    return tuple((begin, end, limit.budget) for begin, end, limit in limits if limit is not None)


def budget_note(budget: Json) -> str:
    """Say how much of an error budget is gone, in requests."""
    bad, total, burn = number(budget, "bad"), number(budget, "total"), number(budget, "burn_rate")
    if bad is None or total is None:
        return ""
    rate = "" if burn is None else f", burn rate {burn:,.3g}{words.TIMES}"
    outage, slo = number(budget, "outage_ms"), part(budget, "slo")
    lost = f", as much as {words.duration(outage)} of full outage" if outage else ""
    share = number(slo, "share")
    of_slo = "" if share is None else f", {words.percent(share)} of what SLO {text(slo, 'name', 60)} allows"
    return f"{words.count(bad)} of {words.count(total)} bad{rate}{lost}{of_slo}"


def _gauge_criterion(criterion: Json) -> CriterionView:
    phases = part(criterion, "phases")
    expect, during, onset = text(criterion, "expect"), text(criterion, "during"), part(phases, "onset")
    note = f"onset: {gauges.read(onset)}" if number(onset, "readings") else ""
    before, fault = part(phases, "baseline"), part(phases, "fault")
    return CriterionView(
        expect=expect,
        during="" if during == expect else during,
        before_cell=gauge_cell(before) if before else Cell(value="not measured"),
        during_cell=gauge_cell(fault, note) if fault else Cell(value="not measured"),
    )


def _criterion(facts: Facts, criterion: Json, endpoints: tuple[str, ...], measure: _Measure) -> CriterionView:
    if gauges.is_gauge(criterion):
        return _gauge_criterion(criterion)
    phases = part(criterion, "phases")
    expect, during = text(criterion, "expect"), text(criterion, "during")
    onset = part(phases, "onset")
    onset_n, onset_k = number(onset, "n"), number(onset, "k")
    note = f"onset: {words.count(onset_k)} of {words.count(onset_n)} bad" if onset_n else ""
    held = {phase: _held(part(part(criterion, "baseline"), phase)) for phase in ("baseline", "fault")}
    before, fault = (limit_of(criterion, phase) for phase in ("baseline", "fault"))
    return CriterionView(
        expect=expect,
        during="" if during == expect else during,
        before_cell=cell(
            part(phases, "baseline"), before, _measured(facts, before, endpoints, "baseline", measure), held["baseline"]
        ),
        during_cell=cell(
            part(phases, "fault"),
            fault,
            _measured(facts, fault, endpoints, "fault", measure),
            _and(note, held["fault"]),
        ),
    )


def _held(raw: Json) -> str:
    """Say what the committed baseline file allowed, and whether it was kept."""
    budget = number(raw, "budget")
    outcome = words.outcome(text(raw, "result"), text(raw, "reason"))
    return "" if budget is None else f"baseline file allows {words.percent(budget)}: {outcome}"


def _and(*notes: str) -> str:
    return " · ".join(note for note in notes if note)


def _measured(
    facts: Facts, limit: Limit | None, endpoints: tuple[str, ...], phase: str, measure: _Measure
) -> float | None:
    span = facts.window(phase)
    return None if limit is None or limit.quantile is None or span is None else measure(endpoints, limit.quantile, span)
