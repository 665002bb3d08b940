"""The baseline gate: whether steady state holds well enough to inject anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gameday.judge.counts import Ledger, Meter, meters, tally
from gameday.judge.criteria import holds, judge_tally
from gameday.judge.gaugecriteria import judge_gauge_baseline
from gameday.judge.gauges import Gauges, Series, aggregate, is_bad
from gameday.judge.health import check_windows
from gameday.judge.result import Result, worst
from gameday.judge.windows import Window, find_windows
from gameday.model import Reason, Run, Verdict
from gameday.schema.experiment import Experiment, Objective
from gameday.schema.grammar import Criterion


@dataclass(frozen=True, slots=True, kw_only=True)
class GateDecision:
    """Whether to go on, and why."""

    passed: bool
    objectives: tuple[dict[str, Any], ...]
    """``{name, result, reason, n, k}`` of each objective's worst criterion, as the journal's ``gate`` record has them.

    Of a gauge ``n`` are readings and ``k`` those over the line; it has ``criterion``, ``value`` and ``due``, too.
    """
    reason: Reason
    """``proven`` when passed, else ``baseline`` or ``load-generator``."""
    problems: tuple[str, ...] = ()
    """What was wrong with the load generator."""


def judge_gate(run: Run) -> GateDecision:
    """Judge the baseline of a run that has come to its ``phase`` record named ``gate``, every baseline arrival decided.

    Broken or no data stops the run before anything is injected, and so does a generator that did not keep up. Too few
    requests to prove an objective is tolerated when the counts as they are keep it.
    """
    experiment = Experiment.model_validate(run.experiment)
    window = find_windows(run).baseline
    ledger, gauges = Ledger(run.load.rows, experiment.latency_limits_us), Gauges(run, experiment)
    judged = [
        _objective(name, objective, (ledger, gauges), window) for name, objective in experiment.objectives.items()
    ]
    problems = _problems(run, experiment, window)
    kept = window is not None and all(ok for ok, _ in judged)
    reason = Reason.LOAD_GENERATOR if problems else Reason.PROVEN if kept else Reason.BASELINE
    return GateDecision(
        passed=kept and not problems, objectives=tuple(row for _, row in judged), reason=reason, problems=problems
    )


def _problems(run: Run, experiment: Experiment, window: Window | None) -> tuple[str, ...]:
    if experiment.load is None:
        return ()
    problems = check_windows(run, () if window is None else (window,), experiment.load).problems
    return (*problems, "the load generator was lost") if run.of_kind("load-lost") else problems


def _objective(
    name: str, objective: Objective, measured: tuple[Ledger, Gauges], window: Window | None
) -> tuple[bool, dict[str, Any]]:
    ledger, gauges = measured
    judged = [_counted(c, meter, window) for c, meter in meters(ledger, objective, objective.expect)]
    judged += [_gauge(c, gauges.series(c), window) for c in objective.expect if c.kind == "gauge"]
    merged = worst(result for _, result, _ in judged)
    row = next((row for _, result, row in judged if result == merged), {"n": 0, "k": 0})
    said = {"name": name, "result": merged.verdict.word, "reason": str(merged.reason), **row}
    return all(ok for ok, _, _ in judged), said


_Judged = tuple[bool, Result, dict[str, Any]]
"""Whether the gate may open, what was judged, and its numbers."""


def _counted(criterion: Criterion, meter: Meter, window: Window | None) -> _Judged:
    counts = tally(meter, window)
    result = judge_tally(criterion, counts)
    kept = result.verdict is not Verdict.FAIL and holds(criterion, counts)
    return kept, result, {"n": counts.n, "k": counts.k}


def _gauge(criterion: Criterion, series: Series, window: Window | None) -> _Judged:
    result, kept = judge_gauge_baseline(criterion, series, window)
    found = series.of(window)
    bad = sum(is_bad(criterion, value) for _, value in found.values)
    value = aggregate(criterion, found.values)
    return kept, result, {"n": found.present, "k": bad, "criterion": criterion.text, "value": value, "due": found.due}
