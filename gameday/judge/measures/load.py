"""Criteria on what the load measured: requests of its rows, counted."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

from gameday.judge.counts import Ledger, Meter, Tally, meters, seconds_meter, tally
from gameday.judge.criteria import holds, judge_cut_short, judge_tally, judge_with_onset
from gameday.judge.curtailed import SLACK, most_planned
from gameday.judge.measures.budget import account
from gameday.judge.measures.shape import Context, Gated, Judged, Pair, Row, pairs_of
from gameday.judge.recovery import Recovery, judge_recovery
from gameday.judge.result import Result
from gameday.judge.windows import Window
from gameday.model import Run, Verdict
from gameday.schema.experiment import Experiment, Objective
from gameday.schema.grammar import Criterion
from gameday.schema.recovery import recover_window

CLOSED_MODEL = "closed-model"
"""The counts come from users that wait: a system that answers slowly is asked less, and looks better than it is."""


class LoadMeasure:
    """The load's counts of one run."""

    def __init__(self, run: Run, experiment: Experiment) -> None:
        self._ledger = Ledger(run.load.rows, experiment.latency_limits_us)
        self._told = [float(event.data.get("rate") or 0) for event in run.of_kind("load-changed")]

    def gate(self, objective: Objective, window: Window | None) -> Sequence[Gated]:
        """Judge the baseline: too few requests to prove it are tolerated when the counts as they are keep it."""
        return [
            _gated(criterion, tally(meter, window))
            for criterion, meter in meters(self._ledger, objective, objective.expect)
        ]

    def judge(self, objective: Objective, context: Context) -> Judged:
        """Judge the objective's counts."""
        pairs = [pair for pair in pairs_of(objective) if _of_load(pair.criterion, objective)]
        if not pairs:
            return Judged()
        load = context.experiment.load
        return Judged(
            rows=[self._row(pair, objective, context) for pair in pairs],
            results=[context.doubt] if context.doubt is not None else [],
            recoveries=self._recovery(objective, context),
            budget=self._budget(objective, context),
            warnings=[CLOSED_MODEL] if load is not None and not load.open_model else [],
        )

    def _row(self, pair: Pair, objective: Objective, context: Context) -> Row:
        windows = context.windows
        phases: dict[str, Any] = {}
        result = None
        if pair.expect is not None:
            counts = tally(self._meter(objective, pair.expect, objective.expect), windows.baseline)
            phases["baseline"] = _phase(pair.expect, counts, judge_tally(pair.expect, counts))
        if pair.during is not None:
            meter = self._meter(objective, pair.during, objective.during_criteria)
            fault, onset = tally(meter, windows.fault), tally(meter, windows.onset)
            result = (
                context.stopped or context.unhealthy or self._during(pair.during, (fault, onset), objective, context)
            )
            phases["onset"] = _phase(pair.during, onset, None)
            phases["fault"] = _phase(pair.during, fault, result)
        if pair.expect is not None:
            meter = self._meter(objective, pair.expect, objective.expect)
            phases["recovery"] = _phase(pair.expect, tally(meter, windows.recovery), None)
        return Row(pair=pair, result=result, phases=phases)

    def _meter(self, objective: Objective, criterion: Criterion, among: Sequence[Criterion]) -> Meter:
        return next(meter for found, meter in meters(self._ledger, objective, among) if found is criterion)

    def _recovery(self, objective: Objective, context: Context) -> list[Recovery]:
        """Judge the return to steady state of all counts together."""
        counted = [criterion for criterion in objective.expect if _of_load(criterion, objective)]
        if not counted:
            return []
        within, hold = recover_window(objective, context.experiment)
        seconds = seconds_meter(self._ledger, objective, counted)
        bad = sum(tally(seconds, window).k for window in context.windows.judged())
        steady = meters(self._ledger, objective, counted)
        one = judge_recovery(steady, context.windows.recovery, within_ms=within, hold_ms=hold)
        return [one.with_result(context.unhealthy or one.result, bad_seconds=bad)]

    def _budget(self, objective: Objective, context: Context) -> dict[str, Any] | None:
        """Account for the error budget of the first ratio in ``expect``."""
        criterion = next((c for c in objective.expect if c.of_load and not c.exact), None)
        if criterion is None:
            return None
        meter = self._meter(objective, criterion, objective.expect)
        return account(criterion, [(window, tally(meter, window)) for window in context.windows.present()])

    def _during(
        self, criterion: Criterion, counts: tuple[Tally, Tally], objective: Objective, context: Context
    ) -> Result:
        fault, onset = counts
        if context.cut_short:
            return judge_cut_short(criterion, fault + onset, self._most(objective, criterion, context, fault + onset))
        return judge_with_onset(criterion, fault, onset)

    def _most(self, objective: Objective, criterion: Criterion, context: Context, seen: Tally) -> int:
        """Return the most requests (or seconds) the whole planned fault phase can have.

        How much users of the closed model ask for is not planned: what they did ask for is taken on to the end of the phase.
        """
        seconds = SLACK * context.experiment.fault_ms / 1000
        if criterion.kind == "bad_seconds":
            return ceil(seconds)
        planned = most_planned(objective, context.experiment, self._told)
        if planned is not None:
            return planned
        spans = (context.windows.onset, context.windows.fault)
        lasted = sum(window.to_ms - window.from_ms for window in spans if window is not None) / 1000
        return ceil(seen.n * max(1.0, seconds / lasted)) if lasted > 0 else seen.n


def _of_load(criterion: Criterion, objective: Objective) -> bool:
    return criterion.of_load and not objective.on_counters(criterion)


def _gated(criterion: Criterion, counts: Tally) -> Gated:
    result = judge_tally(criterion, counts)
    kept = result.verdict is not Verdict.FAIL and holds(criterion, counts)
    return Gated(opens=kept, result=result, row={"n": counts.n, "k": counts.k})


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
