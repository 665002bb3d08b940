"""The objectives: before, during and after the fault, with counts, budget and reason, worst first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

from gameday.model import Json, Reason
from gameday_reports import gauges, words
from gameday_reports.charts import Span
from gameday_reports.criteria import Limit, read_limit
from gameday_reports.facts import Facts
from gameday_reports.reading import number, part, parts, text, texts
from gameday_reports.series import EMPTY, Series, latency_between

TONES = {"pass": "pass", "fail": "fail", "dirty": "fail", "aborted": "warn", "inconclusive": "warn"}
_WORST_FIRST = {"dirty": 0, "fail": 1, "aborted": 2, "inconclusive": 3, "pass": 4}
WARNINGS = {
    "closed-model": "Measured by users who wait for each answer: a slow system is asked less, and looks better than it is."
}
_BAD_WORDS = {
    "errors": "failed", "availability": "failed", "throughput": "not completed", "bad_seconds": "seconds over the budget"
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One criterion in one phase."""

    value: str
    """The measure in the objective's own terms: ``p95 ≈ 212 ms``, ``0.2% failed``."""
    counted: str = ""
    """What it was judged by: ``12 of 6,000 failed or slower than 300 ms (0.2%, allowed 5%)``."""
    result: str = ""
    tone: str = "none"
    note: str = ""


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


def limit_of(criterion: Json, phase: str) -> Limit | None:
    """Return what a criterion allows in a phase: ``during`` while the fault is on, ``expect`` otherwise."""
    during = text(criterion, "during") if phase == "fault" else ""
    return read_limit(during or text(criterion, "expect"))


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
    budget = part(raw, "budget")
    used = number(budget, "used")
    return ObjectiveView(
        anchor=f"objective-{index}",
        name=text(raw, "name"),
        scope=_scope(endpoints, criteria),
        line="" if line is None else f"line {line:.0f}",
        warning=" ".join(WARNINGS.get(word, word) for word in texts(raw, "warnings")),
        verdict=words.RESULTS.get(word, word),
        tone=TONES.get(word, "warn"),
        reason="proven" if text(raw, "reason") == Reason.BROKEN else words.reason(text(raw, "reason")),
        criteria=tuple(_criterion(facts, criterion, endpoints, measure) for criterion in criteria),
        after=_after(part(raw, "recovery"), criteria[0] if criteria else {}),
        budget="not counted" if used is None else words.budget(used),
        budget_tone="fail" if used is not None and used > 1 else "none",
        budget_note=budget_note(budget),
        trend=_trend(facts, endpoints, criteria[0]) if criteria else EMPTY,
        allowed=_allowed(facts, criteria[0]) if criteria else (),
    )


def _scope(endpoints: tuple[str, ...], criteria: tuple[Json, ...]) -> str:
    """Name what it speaks of: requests, gauges, or both."""
    read = dict.fromkeys(text(phase, "sli") for _, phase in _gauge_phases(criteria))
    counted = any(not gauges.is_gauge(criterion) for criterion in criteria)
    named = [", ".join(endpoints) or "all requests"] if counted or not read else []
    return ", ".join([*named, *(f"gauge {sli}" for sli in read)])


def _gauge_phases(criteria: tuple[Json, ...]) -> list[tuple[Json, Json]]:
    phases = [(c, part(part(c, "phases"), name)) for c in criteria for name in ("baseline", "fault")]
    return [(criterion, phase) for criterion, phase in phases if "coverage" in phase]


def _trend(facts: Facts, endpoints: tuple[str, ...], criterion: Json) -> Series:
    if gauges.is_gauge(criterion):
        return facts.gauge(_sli(criterion))
    counts = facts.ledger
    total = counts.total(endpoints)
    bad = [0] * len(total)
    for begin, end, phase in facts.regions():
        limit = limit_of(criterion, phase)
        found = counts.bad(endpoints, None if limit is None else limit.slower_us)
        first, last = counts.between(begin, end)
        bad[first:last] = found[first:last]
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
    return f"{words.count(bad)} of {words.count(total)} bad{rate}"


def _gauge_cell(phase: Json, note: str = "") -> Cell:
    word = text(phase, "result")
    limit = gauges.read_gauge_limit(text(phase, "criterion"))
    allowed = f", allowed {limit.allowed}" if limit is not None else ""
    return Cell(
        value=gauges.read(phase),
        counted=gauges.coverage(phase) + allowed,
        result=words.outcome(word, text(phase, "reason")) if word else "",
        tone=TONES.get(word, "none"),
        note=" · ".join(item for item in (note, text(phase, "error", 120)) if item),
    )


def _gauge_criterion(criterion: Json) -> CriterionView:
    phases = part(criterion, "phases")
    expect, during, onset = text(criterion, "expect"), text(criterion, "during"), part(phases, "onset")
    note = f"onset: {gauges.read(onset)}" if number(onset, "readings") else ""
    before, fault = part(phases, "baseline"), part(phases, "fault")
    return CriterionView(
        expect=expect,
        during="" if during == expect else during,
        before_cell=_gauge_cell(before) if before else Cell(value="not measured"),
        during_cell=_gauge_cell(fault, note) if fault else Cell(value="not measured"),
    )


def _criterion(facts: Facts, criterion: Json, endpoints: tuple[str, ...], measure: _Measure) -> CriterionView:
    if gauges.is_gauge(criterion):
        return _gauge_criterion(criterion)
    phases = part(criterion, "phases")
    expect, during = text(criterion, "expect"), text(criterion, "during")
    onset = part(phases, "onset")
    onset_n, onset_k = number(onset, "n"), number(onset, "k")
    note = f"onset: {words.count(onset_k)} of {words.count(onset_n)} bad" if onset_n else ""
    before, fault = (limit_of(criterion, phase) for phase in ("baseline", "fault"))
    return CriterionView(
        expect=expect,
        during="" if during == expect else during,
        before_cell=_cell(part(phases, "baseline"), before, _measured(facts, before, endpoints, "baseline", measure)),
        during_cell=_cell(part(phases, "fault"), fault, _measured(facts, fault, endpoints, "fault", measure), note),
    )


def _measured(
    facts: Facts, limit: Limit | None, endpoints: tuple[str, ...], phase: str, measure: _Measure
) -> float | None:
    span = facts.window(phase)
    return None if limit is None or limit.quantile is None or span is None else measure(endpoints, limit.quantile, span)


def _cell(phase: Json, limit: Limit | None, measured: float | None, note: str = "") -> Cell:
    n, k = number(phase, "n"), number(phase, "k")
    word = text(phase, "result")
    if not word and n is None:
        return Cell(value="not measured", note=note)
    if not n:
        return Cell(value="no data", result=words.RESULTS.get(word, word), tone=TONES.get(word, "none"), note=note)
    return Cell(
        value=_value(limit, measured, (n, k)),
        counted=_counted(limit, (n, k), number(phase, "share"), number(phase, "budget")),
        result=words.outcome(word, text(phase, "reason")) if word else "",
        tone=TONES.get(word, "none"),
        note=note,
    )


def _value(limit: Limit | None, measured: float | None, counts: tuple[float, float | None]) -> str:
    n, k = counts
    if k is None:
        return words.UNKNOWN
    if limit is None:
        return f"{words.percent(k / n)} bad"
    if limit.quantile is not None:
        return (
            f"{limit.metric} ≈ {words.latency(measured)}"
            if measured is not None
            else f"{words.percent(k / n)} too slow"
        )
    if limit.metric in ("availability", "throughput"):
        return f"{words.percent((n - k) / n)} {'available' if limit.metric == 'availability' else 'completed'}"
    return f"{words.percent(k / n)} {'failed' if limit.kind == 'errors' else 'bad seconds'}"


def _counted(limit: Limit | None, counts: tuple[float, float | None], share: float | None, budget: float | None) -> str:
    n, k = counts
    allowed = "" if budget is None else f", allowed {words.percent(budget)}"
    if limit is None or limit.limit_ms is None:
        return f"{words.count(k)} of {words.count(n)} {_BAD_WORDS.get(limit.metric, 'bad') if limit is not None else 'bad'}{allowed}"
    slow = f"failed or not faster than {words.latency(limit.limit_ms)}"
    return f"{words.count(k)} of {words.count(n)} {slow}: {words.percent(share if share is not None or k is None else k / n)}{allowed}"


def _after(recovery: Json, criterion: Json) -> Cell:
    if number(recovery, "from_ms") is None:
        return Cell(value="not judged")
    seconds, within, word = number(recovery, "seconds"), number(recovery, "within_ms"), text(recovery, "result")
    value = (
        "not reached" if seconds is None else "at once" if not seconds else f"after {words.duration(seconds * 1000)}"
    )
    relapses, bad = number(recovery, "relapses"), number(recovery, "bad_seconds")
    counts = part(part(criterion, "phases"), "recovery")
    n, k = number(counts, "n"), number(counts, "k")
    said = ["" if within is None or within <= 0 else f"limit {words.duration(within)}"]
    said += ["" if not relapses else words.plural(round(relapses), "relapse")]
    said += ["" if bad is None else words.plural(round(bad), "bad second")]
    return Cell(
        value=value,
        counted=", ".join(item for item in said if item),
        note="" if not n else f"{words.count(k)} of {words.count(n)} bad after the fault",
        result=words.outcome(word, text(recovery, "reason")) if word else "",
        tone=TONES.get(word, "none"),
    )
