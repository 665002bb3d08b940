"""The baseline gate: whether steady state holds well enough to inject anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gameday.judge.counts import Ledger, meters, tally
from gameday.judge.criteria import holds, judge_tally
from gameday.judge.health import check_windows
from gameday.judge.result import Result, unsure, worst
from gameday.judge.windows import Window, find_windows
from gameday.model import Reason, Run, Verdict
from gameday.schema.experiment import Experiment, Objective


@dataclass(frozen=True, slots=True, kw_only=True)
class GateDecision:
    """Whether to go on, and why."""

    passed: bool
    objectives: tuple[dict[str, Any], ...]
    """``{name, result, reason, n, k}`` of each objective's worst criterion, as the journal's ``gate`` record has them."""
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
    ledger = Ledger(run.load.rows, experiment.latency_limits_us)
    judged = [_objective(name, objective, ledger, window) for name, objective in experiment.objectives.items()]
    windows = () if window is None else (window,)
    problems = check_windows(run.load, windows, experiment.profile.peak_rate).problems
    if run.of_kind("load-lost"):
        problems = (*problems, "the load generator was lost")
    kept = window is not None and all(ok for ok, _ in judged)
    reason = Reason.LOAD_GENERATOR if problems else Reason.PROVEN if kept else Reason.BASELINE
    return GateDecision(
        passed=kept and not problems, objectives=tuple(row for _, row in judged), reason=reason, problems=problems
    )


def _objective(name: str, objective: Objective, ledger: Ledger, window: Window | None) -> tuple[bool, dict[str, Any]]:
    judged: list[tuple[Result, int, int]] = []
    kept = True
    for criterion, meter in meters(ledger, objective, objective.expect):
        counts = tally(meter, window)
        result = judge_tally(criterion, counts)
        kept = kept and result.verdict is not Verdict.FAIL and holds(criterion, counts)
        judged.append((result, counts.n, counts.k))
    merged = worst(result for result, _, _ in judged)
    _, n, k = next((entry for entry in judged if entry[0] == merged), (unsure(Reason.NO_DATA), 0, 0))
    return kept, {"name": name, "result": merged.verdict.word, "reason": str(merged.reason), "n": n, "k": k}
