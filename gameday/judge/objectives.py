"""One objective over the phases of a run: its result in each, and what they merge to.

What the load measured and what the probes read are judged side by side: a starved generator says nothing about a queue's depth,
and a probe that could not be read says nothing about requests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gameday.judge.measures import Context, Judged, Measure
from gameday.judge.measures.budget import NO_BUDGET
from gameday.judge.ratchet import compare
from gameday.judge.recovery import Recovery, merge_recoveries
from gameday.judge.result import Result, worst
from gameday.model import Verdict
from gameday.schema.experiment import Objective


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveResult:
    """One objective, judged."""

    name: str
    result: Result
    parts: tuple[Result, ...]
    """All that merged into it: each may have a reason of its own."""
    json: dict[str, Any]


def judge_objective(
    name: str, objective: Objective, measures: Sequence[Measure], context: Context, line: int | None
) -> ObjectiveResult:
    """Judge one objective: the worst of its criteria while the fault was on and of its return to steady state."""
    judged = [measure.judge(objective, context) for measure in measures]
    rows = sorted((row for one in judged for row in one.rows), key=lambda row: row.pair.place)
    recovery = _recovery(judged, context)
    criteria = [row.to_json() for row in rows]
    results = [row.result for row in rows if row.result is not None]
    results += compare(context.experiment.baseline, name, criteria)
    results += [recovery.result] if recovery else []
    results += [result for one in judged for result in one.results]
    parts = (context.stopped,) if context.stopped else tuple(results)
    merged = worst(parts)
    document = {
        "name": name,
        "verdict": merged.verdict.word,
        "reason": str(merged.reason),
        "line": line,
        "endpoints": list(objective.endpoints),
        "criteria": criteria,
        "recovery": recovery.to_json() if recovery else None,
        "alert": None,
        "budget": next((dict(one.budget) for one in judged if one.budget is not None), NO_BUDGET),
        "warnings": [warning for one in judged for warning in one.warnings],
    }
    for one in judged:
        document |= one.members
    return ObjectiveResult(name=name, result=merged, parts=parts, json=document)


def _recovery(judged: Sequence[Judged], context: Context) -> Recovery | None:
    """Merge the return to steady state of all that was measured; None where the objective has none to return to."""
    found = [recovery for one in judged for recovery in one.recoveries]
    if not found:
        return None
    merged = merge_recoveries(found)
    return merged.with_result(context.stopped or merged.result, bad_seconds=merged.bad_seconds)


def broken(results: Sequence[ObjectiveResult]) -> list[str]:
    """Name the objectives that are proven broken."""
    return [result.name for result in results if result.result.verdict is Verdict.FAIL]
