"""One objective over the phases of a run: its result in each, and what they merge to.

What the load measured and what the probes read are judged side by side: a starved generator says nothing about a queue's depth,
and a probe that could not be read says nothing about requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from gameday.judge.counts import Ledger, Meter, Tally, meters, seconds_meter, tally
from gameday.judge.criteria import judge_cut_short, judge_tally, judge_with_onset
from gameday.judge.gaugecriteria import gauge_phase, judge_gauge, judge_gauge_cut_short, judge_gauge_fault
from gameday.judge.gaugerecovery import judge_gauge_recovery
from gameday.judge.gauges import Gauges, bad_seconds
from gameday.judge.recovery import Recovery, judge_recovery, merge_recoveries
from gameday.judge.result import Result, unsure, worst
from gameday.judge.windows import Windows
from gameday.model import Reason, Verdict
from gameday.schema.experiment import Experiment, Objective
from gameday.schema.grammar import Criterion
from gameday.schema.recovery import offered_rate, recover_window

NOTHING = unsure(Reason.NO_DATA)
CLOSED_MODEL = "closed-model"
"""The counts come from users that wait: a system that answers slowly is asked less, and looks better than it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What every objective of a run is judged with."""

    experiment: Experiment
    ledger: Ledger
    gauges: Gauges
    windows: Windows
    stopped: Result | None = None
    """What stands for every result, whatever was measured: nothing was injected."""
    unhealthy: Result | None = None
    """What stands for every result of the load: the generator was not healthy."""
    doubt: Result | None = None
    """What keeps every result of the load from passing without excusing a broken one: evidence is incomplete."""
    cut_short: bool = False
    """The fault phase ended before its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveResult:
    """One objective, judged."""

    name: str
    result: Result
    parts: tuple[Result, ...]
    """All that merged into it: each may have a reason of its own."""
    json: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Pair:
    """One criterion of ``expect`` with that of ``during`` on the same metric; either may be missing."""

    expect: Criterion | None
    during: Criterion | None


def judge_objective(name: str, objective: Objective, context: Context, line: int | None) -> ObjectiveResult:
    """Judge one objective: the worst of its criteria while the fault was on and of its return to steady state."""
    judged = [(pair, *_phases(pair, objective, context)) for pair in _pairs(objective)]
    recovery = _recovery(objective, context)
    results = [result for _, result, _ in judged if result is not None]
    of_load = any(criterion.kind != "gauge" for criterion in (*objective.expect, *objective.during_criteria))
    results.append(recovery.result)
    if context.doubt is not None and of_load:
        results.append(context.doubt)
    parts = (context.stopped,) if context.stopped else tuple(results)
    merged = worst(parts)
    document = {
        "name": name,
        "verdict": merged.verdict.word,
        "reason": str(merged.reason),
        "line": line,
        "endpoints": list(objective.endpoints),
        "criteria": [
            {
                "expect": pair.expect.text if pair.expect else None,
                "during": pair.during.text if pair.during else None,
                "phases": phases,
            }
            for pair, _, phases in judged
        ],
        "recovery": recovery.to_json(),
        "budget": _budget(objective, context),
        "warnings": _warnings(context.experiment, of_load=of_load),
    }
    return ObjectiveResult(name=name, result=merged, parts=parts, json=document)


def _warnings(experiment: Experiment, *, of_load: bool) -> list[str]:
    load = experiment.load
    return [CLOSED_MODEL] if of_load and load is not None and not load.open_model else []


def _pairs(objective: Objective) -> list[_Pair]:
    left = list(objective.during_criteria)
    pairs: list[_Pair] = []
    for criterion in objective.expect:
        match = next((other for other in left if other.metric == criterion.metric), None)
        if match is not None:
            left.remove(match)
        pairs.append(_Pair(criterion, match))
    return pairs + [_Pair(None, criterion) for criterion in left]


def _phases(pair: _Pair, objective: Objective, context: Context) -> tuple[Result | None, dict[str, Any]]:
    criterion = pair.expect or pair.during
    if criterion is not None and criterion.kind == "gauge":
        return _gauge_phases(pair, context)
    return _counted_phases(pair, objective, context)


def _counted_phases(pair: _Pair, objective: Objective, context: Context) -> tuple[Result | None, dict[str, Any]]:
    windows = context.windows
    phases: dict[str, Any] = {}
    result = None
    if pair.expect is not None:
        counts = tally(_meter(objective, pair.expect, objective.expect, context), windows.baseline)
        phases["baseline"] = _phase(pair.expect, counts, judge_tally(pair.expect, counts))
    if pair.during is not None:
        meter = _meter(objective, pair.during, objective.during_criteria, context)
        fault, onset = tally(meter, windows.fault), tally(meter, windows.onset)
        result = context.stopped or context.unhealthy or _during(pair.during, (fault, onset), objective, context)
        phases["onset"] = _phase(pair.during, onset, None)
        phases["fault"] = _phase(pair.during, fault, result)
    if pair.expect is not None:
        meter = _meter(objective, pair.expect, objective.expect, context)
        phases["recovery"] = _phase(pair.expect, tally(meter, windows.recovery), None)
    return result, phases


def _meter(objective: Objective, criterion: Criterion, among: Sequence[Criterion], context: Context) -> Meter:
    return next(meter for found, meter in meters(context.ledger, objective, among) if found is criterion)


def _gauge_phases(pair: _Pair, context: Context) -> tuple[Result | None, dict[str, Any]]:
    windows, gauges = context.windows, context.gauges
    phases: dict[str, Any] = {}
    result = None
    if pair.expect is not None:
        series = gauges.series(pair.expect)
        baseline = judge_gauge(pair.expect, series, windows.baseline)
        phases["baseline"] = gauge_phase(pair.expect, series.of(windows.baseline), baseline)
    if pair.during is not None:
        series, spans = gauges.series(pair.during), (windows.fault, windows.onset)
        planned = context.experiment.fault_ms
        result = context.stopped or (
            judge_gauge_cut_short(pair.during, series, *spans, planned)
            if context.cut_short
            else judge_gauge_fault(pair.during, series, *spans)
        )
        phases["onset"] = gauge_phase(pair.during, series.onset(windows.onset, windows.fault), None)
        phases["fault"] = gauge_phase(pair.during, series.of(windows.fault), result)
    if pair.expect is not None:
        phases["recovery"] = gauge_phase(pair.expect, gauges.series(pair.expect).of(windows.recovery), None)
    return result, phases


def _during(criterion: Criterion, counts: tuple[Tally, Tally], objective: Objective, context: Context) -> Result:
    fault, onset = counts
    if context.cut_short:
        return judge_cut_short(criterion, fault + onset, _most(objective, criterion, context, fault + onset))
    return judge_with_onset(criterion, fault, onset)


def _most(objective: Objective, criterion: Criterion, context: Context, seen: Tally) -> int:
    """Return the most requests (or seconds) the whole planned fault phase can have, a tenth more for chance and delays.

    How much users of the closed model ask for is not planned: what they did ask for is taken on to the end of the phase.
    """
    experiment, load = context.experiment, context.experiment.load
    seconds = 1.1 * experiment.fault_ms / 1000
    if criterion.kind == "bad_seconds":
        return ceil(seconds)
    if load is None or load.open_model:
        return ceil(seconds * offered_rate(objective, load))
    lasted = sum(w.to_ms - w.from_ms for w in (context.windows.onset, context.windows.fault) if w is not None) / 1000
    return ceil(seen.n * max(1.0, seconds / lasted)) if lasted > 0 else seen.n


def _phase(criterion: Criterion, counts: Tally, result: Result | None) -> dict[str, Any]:
    return {
        "criterion": criterion.text,
        "n": counts.n,
        "k": counts.k,
        "budget": criterion.budget,
        "share": counts.share,
        "result": result.verdict.word if result else None,
        "reason": str(result.reason) if result else None,
    }


def _recovery(objective: Objective, context: Context) -> Recovery:
    """Judge the return to steady state: that of the counts together, that of each gauge by itself, the latest counts."""
    within, hold = recover_window(objective, context.experiment)
    recovery, judged = context.windows.recovery, context.windows.judged()
    found: list[Recovery] = []
    counted = [c for c in objective.expect if c.kind != "gauge"]
    if counted:
        steady = meters(context.ledger, objective, counted)
        seconds = seconds_meter(context.ledger, objective, counted)
        bad = sum(tally(seconds, window).k for window in judged)
        one = judge_recovery(steady, recovery, within_ms=within, hold_ms=hold)
        found.append(one.with_result(context.unhealthy or one.result, bad_seconds=bad))
    for criterion in objective.expect:
        if criterion.kind == "gauge":
            series = context.gauges.series(criterion)
            one = judge_gauge_recovery(criterion, series, recovery, within_ms=within, hold_ms=hold)
            found.append(one.with_result(one.result, bad_seconds=bad_seconds(criterion, series, judged)))
    merged = merge_recoveries(found)
    return merged.with_result(context.stopped or merged.result, bad_seconds=merged.bad_seconds)


def _budget(objective: Objective, context: Context) -> dict[str, Any]:
    """Account for the error budget of the first ratio in ``expect``.

    ``used`` is bad / (budget · requests) over baseline, onset, fault and recovery, so that a slow recovery costs;
    ``burn_rate`` is (bad / n) / budget from "inject called" to the last revert.
    """
    criterion = next((criterion for criterion in objective.expect if not criterion.exact), None)
    if criterion is None:
        return {"bad": None, "total": None, "used": None, "burn_rate": None}
    windows, meter = context.windows, _meter(objective, criterion, objective.expect, context)
    whole = sum((tally(meter, window) for window in windows.present()), Tally())
    fault = tally(meter, windows.onset) + tally(meter, windows.fault)
    return {"bad": whole.k, "total": whole.n, "used": _burn(whole, criterion), "burn_rate": _burn(fault, criterion)}


def _burn(counts: Tally, criterion: Criterion) -> float | None:
    return counts.k / (criterion.budget * counts.n) if counts.n and criterion.budget else None


def broken(results: Sequence[ObjectiveResult]) -> list[str]:
    """Name the objectives that are proven broken."""
    return [result.name for result in results if result.result.verdict is Verdict.FAIL]
