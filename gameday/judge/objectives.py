"""One objective over the phases of a run: its counts, its result in each, and what they merge to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from gameday.judge.counts import Ledger, Meter, Tally, meters, seconds_meter, tally
from gameday.judge.criteria import judge_cut_short, judge_tally, judge_with_onset
from gameday.judge.recovery import Recovery, judge_recovery
from gameday.judge.result import Result, unsure, worst
from gameday.judge.windows import Windows
from gameday.model import Reason, Verdict
from gameday.schema.experiment import Experiment, Objective
from gameday.schema.grammar import Criterion
from gameday.schema.recovery import offered_rate, recover_window

NOTHING = unsure(Reason.NO_DATA)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What every objective of a run is judged with."""

    experiment: Experiment
    ledger: Ledger
    windows: Windows
    override: Result | None = None
    """What stands for every result, whatever was counted: the generator was not healthy, or nothing was injected."""
    doubt: Result | None = None
    """What keeps every objective from passing without excusing a broken one: evidence is incomplete."""
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

    expect: tuple[Criterion, Meter] | None
    during: tuple[Criterion, Meter] | None


def judge_objective(name: str, objective: Objective, context: Context, line: int | None) -> ObjectiveResult:
    """Judge one objective: the worst of its criteria while the fault was on and of its return to steady state."""
    expect = meters(context.ledger, objective, objective.expect)
    during = meters(context.ledger, objective, objective.during_criteria)
    results, criteria = list[Result](), list[dict[str, Any]]()
    for pair in _pairs(expect, during):
        result, phases = _phases(pair, objective, context)
        if result is not None:
            results.append(result)
        criteria.append(
            {
                "expect": pair.expect[0].text if pair.expect else None,
                "during": pair.during[0].text if pair.during else None,
                "phases": phases,
            }
        )
    recovery = _recovery(objective, expect, context)
    results.append(recovery.result)
    if context.doubt is not None:
        results.append(context.doubt)
    parts = (context.override,) if context.override else tuple(results)
    merged = worst(parts)
    document = {
        "name": name,
        "verdict": merged.verdict.word,
        "reason": str(merged.reason),
        "line": line,
        "endpoints": list(objective.endpoints),
        "criteria": criteria,
        "recovery": recovery.to_json(),
        "budget": _budget(expect, context.windows),
    }
    return ObjectiveResult(name=name, result=merged, parts=parts, json=document)


def _pairs(expect: Sequence[tuple[Criterion, Meter]], during: Sequence[tuple[Criterion, Meter]]) -> list[_Pair]:
    left = list(during)
    pairs: list[_Pair] = []
    for entry in expect:
        match = next((other for other in left if other[0].metric == entry[0].metric), None)
        if match is not None:
            left.remove(match)
        pairs.append(_Pair(entry, match))
    return pairs + [_Pair(None, entry) for entry in left]


def _phases(pair: _Pair, objective: Objective, context: Context) -> tuple[Result | None, dict[str, Any]]:
    windows = context.windows
    phases: dict[str, Any] = {}
    result = None
    if pair.expect is not None:
        criterion, meter = pair.expect
        counts = tally(meter, windows.baseline)
        phases["baseline"] = _phase(criterion, counts, judge_tally(criterion, counts))
    if pair.during is not None:
        criterion, meter = pair.during
        fault, onset = tally(meter, windows.fault), tally(meter, windows.onset)
        result = context.override or _during(criterion, fault, onset, _most(objective, criterion, context), context)
        phases["onset"] = _phase(criterion, onset, None)
        phases["fault"] = _phase(criterion, fault, result)
    if pair.expect is not None:
        criterion, meter = pair.expect
        phases["recovery"] = _phase(criterion, tally(meter, windows.recovery), None)
    return result, phases


def _during(criterion: Criterion, fault: Tally, onset: Tally, most: int, context: Context) -> Result:
    if context.cut_short:
        return judge_cut_short(criterion, fault + onset, most)
    return judge_with_onset(criterion, fault, onset)


def _most(objective: Objective, criterion: Criterion, context: Context) -> int:
    """Return the most requests (or seconds) the whole planned fault phase can have, a tenth more for chance and delays."""
    experiment = context.experiment
    seconds = 1.1 * experiment.fault_ms / 1000
    if criterion.kind == "bad_seconds":
        return ceil(seconds)
    return ceil(seconds * offered_rate(objective, experiment.load))


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


def _recovery(objective: Objective, expect: Sequence[tuple[Criterion, Meter]], context: Context) -> Recovery:
    within, hold = recover_window(objective, context.experiment)
    found = judge_recovery(expect, context.windows.recovery, within_ms=within, hold_ms=hold)
    seconds = seconds_meter(context.ledger, objective, objective.expect)
    bad = sum(tally(seconds, window).k for window in context.windows.judged())
    return Recovery(
        within_ms=within,
        hold_ms=hold,
        from_ms=found.from_ms,
        after_ms=found.after_ms,
        relapses=found.relapses,
        bad_seconds=bad,
        result=context.override or found.result,
    )


def _budget(expect: Sequence[tuple[Criterion, Meter]], windows: Windows) -> dict[str, Any]:
    """Account for the error budget of the first ratio in ``expect``.

    ``used`` is bad / (budget · requests) over baseline, onset, fault and recovery, so that a slow recovery costs;
    ``burn_rate`` is (bad / n) / budget from "inject called" to the last revert.
    """
    entry = next(((criterion, meter) for criterion, meter in expect if not criterion.exact), None)
    if entry is None:
        return {"bad": None, "total": None, "used": None, "burn_rate": None}
    criterion, meter = entry
    whole = sum((tally(meter, window) for window in windows.present()), Tally())
    fault = tally(meter, windows.onset) + tally(meter, windows.fault)
    return {"bad": whole.k, "total": whole.n, "used": _burn(whole, criterion), "burn_rate": _burn(fault, criterion)}


def _burn(counts: Tally, criterion: Criterion) -> float | None:
    return counts.k / (criterion.budget * counts.n) if counts.n and criterion.budget else None


def broken(results: Sequence[ObjectiveResult]) -> list[str]:
    """Name the objectives that are proven broken."""
    return [result.name for result in results if result.result.verdict is Verdict.FAIL]
