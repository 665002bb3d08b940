"""The baseline gate: whether steady state holds well enough to inject anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gameday.judge.health import check_windows
from gameday.judge.measures import Measure, measures_of
from gameday.judge.result import worst
from gameday.judge.windows import Window, find_windows
from gameday.model import Reason, Run
from gameday.schema.experiment import Experiment, Objective


@dataclass(frozen=True, slots=True, kw_only=True)
class GateDecision:
    """Whether to go on, and why."""

    passed: bool
    objectives: tuple[dict[str, Any], ...]
    """``{name, result, reason, n, k}`` of each objective's worst criterion, as the journal's ``gate`` record has them.

    Of a gauge ``n`` are readings and ``k`` those over the line; it has ``criterion``, ``value`` and ``due``, too.
    """
    reason: Reason
    """``proven`` when passed, else ``baseline``, ``load-generator`` or ``alert-before``."""
    problems: tuple[str, ...] = ()
    """What was wrong with the load generator."""


def judge_gate(run: Run) -> GateDecision:
    """Judge the baseline of a run that has come to its ``phase`` record named ``gate``, every baseline arrival decided.

    Broken or no data stops the run before anything is injected, and so does a generator that did not keep up. Too few
    requests to prove an objective is tolerated when the counts as they are keep it.
    """
    experiment = Experiment.model_validate(run.experiment)
    window = find_windows(run).baseline
    measures = measures_of(run, experiment)
    judged = [_objective(name, objective, measures, window) for name, objective in experiment.objectives.items()]
    problems = _problems(run, experiment, window)
    kept = window is not None and all(ok for ok, _ in judged)
    reason = Reason.LOAD_GENERATOR if problems else Reason.PROVEN if kept else _why(judged)
    return GateDecision(
        passed=kept and not problems, objectives=tuple(row for _, row in judged), reason=reason, problems=problems
    )


def _why(judged: Sequence[tuple[bool, dict[str, Any]]]) -> Reason:
    """Say why the gate stays shut: steady state, unless nothing but an alert that fires already keeps it shut."""
    shut = {row["reason"] for ok, row in judged if not ok}
    return Reason.ALERT_BEFORE if shut == {str(Reason.ALERT_BEFORE)} else Reason.BASELINE


def _problems(run: Run, experiment: Experiment, window: Window | None) -> tuple[str, ...]:
    if experiment.load is None:
        return ()
    problems = check_windows(run, () if window is None else (window,), experiment.load).problems
    return (*problems, "the load generator was lost") if run.of_kind("load-lost") else problems


def _objective(
    name: str, objective: Objective, measures: Sequence[Measure], window: Window | None
) -> tuple[bool, dict[str, Any]]:
    judged = [one for measure in measures for one in measure.gate(objective, window)]
    merged = worst(one.result for one in judged)
    row = next((one.row for one in judged if one.result == merged), {"n": 0, "k": 0})
    said = {"name": name, "result": merged.verdict.word, "reason": str(merged.reason), **row}
    return bool(judged) and all(one.opens for one in judged), said
