"""Criteria on gauges: what the probes read, aggregated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gameday.judge.gaugecriteria import (
    gauge_phase,
    judge_gauge,
    judge_gauge_baseline,
    judge_gauge_cut_short,
    judge_gauge_fault,
)
from gameday.judge.gaugerecovery import judge_gauge_recovery
from gameday.judge.gauges import Gauges, aggregate, bad_seconds, is_bad
from gameday.judge.measures.shape import Context, Gated, Judged, Pair, Row, pairs_of
from gameday.judge.recovery import Recovery
from gameday.judge.windows import Window
from gameday.model import Run
from gameday.schema.experiment import Experiment, Objective
from gameday.schema.grammar import Criterion
from gameday.schema.recovery import recover_window


class GaugeMeasure:
    """The gauges of one run."""

    def __init__(self, run: Run, experiment: Experiment) -> None:
        self._gauges = Gauges(run, experiment)

    def gate(self, objective: Objective, window: Window | None) -> Sequence[Gated]:
        """Judge the baseline of each gauge."""
        return [self._gated(criterion, window) for criterion in objective.expect if criterion.kind == "gauge"]

    def judge(self, objective: Objective, context: Context) -> Judged:
        """Judge each gauge that the objective speaks of, by itself."""
        steady = [criterion for criterion in objective.expect if criterion.kind == "gauge"]
        return Judged(
            rows=[self._row(pair, context) for pair in pairs_of(objective) if pair.criterion.kind == "gauge"],
            recoveries=[self._recovery(criterion, objective, context) for criterion in steady],
        )

    def _gated(self, criterion: Criterion, window: Window | None) -> Gated:
        series = self._gauges.series(criterion)
        result, kept = judge_gauge_baseline(criterion, series, window)
        found = series.of(window)
        bad = sum(is_bad(criterion, value) for _, value in found.values)
        value = aggregate(criterion, found.values)
        row = {"n": found.present, "k": bad, "criterion": criterion.text, "value": value, "due": found.due}
        return Gated(opens=kept, result=result, row=row)

    def _row(self, pair: Pair, context: Context) -> Row:
        windows, gauges = context.windows, self._gauges
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
        return Row(pair=pair, result=result, phases=phases)

    def _recovery(self, criterion: Criterion, objective: Objective, context: Context) -> Recovery:
        within, hold = recover_window(objective, context.experiment)
        series, windows = self._gauges.series(criterion), context.windows
        one = judge_gauge_recovery(criterion, series, windows.recovery, within_ms=within, hold_ms=hold)
        return one.with_result(one.result, bad_seconds=bad_seconds(criterion, series, windows.judged()))
