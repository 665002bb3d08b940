"""How a criterion on a gauge is judged: compared as it is, once there is enough evidence that it was looked at.

A gauge has no confidence bound: what it needs instead is to have been read. At least COVERAGE of the readings that were due must
be there, and the last of them must be fresh; else the phase is inconclusive, whatever the readings say. One thing needs no
coverage: a limit that the readings there are have broken however the missing ones would have been.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import Any

from gameday.judge.gauges import SLOPE_READINGS, Series, Stretch, aggregate, counts, keeps
from gameday.judge.result import FAIL, PASS, Result, unsure
from gameday.judge.windows import Window
from gameday.model import Reason
from gameday.schema.grammar import Criterion

COVERAGE = 0.9
_UPPER = ("<", "<=")


def judge_gauge(criterion: Criterion, series: Series, window: Window | None) -> Result:
    """Judge a gauge over a whole phase."""
    return _judge(criterion, series, series.of(window), None if window is None else window.to_ms)


def judge_gauge_fault(criterion: Criterion, series: Series, fault: Window | None, onset: Window | None) -> Result:
    """Judge the fault phase; what was read before it was proven is added only where that makes it fail."""
    alone = judge_gauge(criterion, series, fault)
    begun = series.onset(onset, fault)
    pooled = _pooled(series.of(fault), begun)
    if alone == PASS and begun.values:
        value = aggregate(criterion, pooled.values)
        return alone if value is None or keeps(criterion, value) else FAIL
    return FAIL if broken_anyhow(criterion, pooled) else alone


def judge_gauge_cut_short(
    criterion: Criterion, series: Series, fault: Window | None, onset: Window | None, planned_ms: int
) -> Result:
    """Judge a phase that an abort ended: broken only if it would be however the rest had gone, else unknown."""
    pooled = _pooled(series.of(fault), series.onset(onset, fault))
    whole = replace(pooled, due=max(pooled.due, ceil(1.1 * planned_ms / series.every_ms)))
    return FAIL if broken_anyhow(criterion, whole) else unsure(Reason.TOO_SHORT)


def judge_gauge_baseline(criterion: Criterion, series: Series, window: Window | None) -> tuple[Result, bool]:
    """Judge the baseline and say whether the gate may open: too short to prove is tolerated when what was read keeps it."""
    result = judge_gauge(criterion, series, window)
    value = aggregate(criterion, series.of(window).values)
    small = result.reason in (Reason.TOO_SHORT, Reason.TOO_FEW)
    return result, result == PASS or (small and value is not None and keeps(criterion, value))


def judge_span(criterion: Criterion, series: Series, from_ms: int, to_ms: int) -> Result:
    """Judge a gauge over any stretch of the run."""
    return _judge(criterion, series, series.over(from_ms, to_ms), to_ms)


def _judge(criterion: Criterion, series: Series, found: Stretch, to_ms: int | None) -> Result:
    if broken_anyhow(criterion, found):
        return FAIL
    lack = lacking(series, found, to_ms)
    if lack is not None:
        return unsure(lack)
    value = aggregate(criterion, found.values)
    if value is None:
        few = criterion.aggregate == "slope" and len(found.values) < SLOPE_READINGS
        return unsure(Reason.TOO_FEW if few else Reason.NO_DATA)
    return PASS if keeps(criterion, value) else FAIL


def lacking(series: Series, found: Stretch, to_ms: int | None) -> Reason | None:
    """Say what is missing for a judgement, whatever was read; None when nothing is."""
    if to_ms is None:
        return Reason.NO_DATA
    if found.short or not found.due:
        return Reason.TOO_SHORT
    if found.present < COVERAGE * found.due:
        if found.errors and all(sample.stale for sample in found.errors):
            return Reason.STALE
        wrong = bool(found.errors) and all(sample.wrong for sample in found.errors)
        return Reason.QUERY_ERROR if wrong else Reason.NO_DATA
    if found.last_ms is None or found.last_ms < to_ms - 2 * series.every_ms - series.timeout_ms:
        return Reason.STALE
    return None


def broken_anyhow(criterion: Criterion, found: Stretch) -> bool:
    """Whether the limit is broken however the readings that are missing would have been."""
    if not found.values:
        return False
    if criterion.aggregate == "max" and criterion.op in _UPPER:
        value = aggregate(criterion, found.values)
        return value is not None and not keeps(criterion, value)
    if criterion.aggregate != "share":
        return False
    most = max(found.due, len(found.values))
    counted = sum(counts(criterion, value) for _, value in found.values)
    best = counted if criterion.op in _UPPER else counted + most - len(found.values)
    return not keeps(criterion, best / most)


def _pooled(fault: Stretch, onset: Stretch) -> Stretch:
    return replace(fault, values=tuple(sorted((*fault.values, *onset.values))), due=fault.due + onset.due)


def gauge_phase(criterion: Criterion, found: Stretch, result: Result | None) -> dict[str, Any]:
    """As verdict.json has one phase of a criterion on a gauge."""
    return {
        "criterion": criterion.text,
        "sli": criterion.sli,
        "value": aggregate(criterion, found.values),
        "limit": criterion.limit,
        "coverage": found.coverage,
        "readings": found.present,
        "due": found.due,
        "error": found.errors[-1].error if found.errors else None,
        "result": result.verdict.word if result else None,
        "reason": str(result.reason) if result else None,
    }
