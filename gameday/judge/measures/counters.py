"""Criteria on two counters of a source: what it knew of them after the phases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from math import ceil, floor
from typing import Any

from gameday.judge.countercriteria import (
    SCRAPES,
    Heard,
    counted_phase,
    holds,
    judge_counters,
    judge_counters_cut_short,
    judge_counters_fault,
    lacking,
    rounded,
    shortest_ms,
)
from gameday.judge.counterrecovery import judge_counter_recovery
from gameday.judge.counters import Amounts, Ratio
from gameday.judge.counts import Tally
from gameday.judge.measures.budget import account
from gameday.judge.measures.shape import Context, Gated, Judged, Pair, Row, pairs_of
from gameday.judge.recovery import Recovery
from gameday.judge.result import FAIL, PASS, Result, unsure
from gameday.judge.windows import Window, Windows
from gameday.model import Reason, Run, Testimony, Verdict
from gameday.schema.experiment import Experiment, Objective, Sli
from gameday.schema.grammar import Criterion
from gameday.schema.recovery import recover_window

_SECOND_MS = 1000
_SELDOM = f"the fault phase cannot have {SCRAPES} scrapes"


class CountersMeasure:
    """The ratios of one run, each from the last that its source said of it."""

    def __init__(self, run: Run, experiment: Experiment) -> None:
        self._heard = {
            name: _hear(sli, [said for said in run.testimonies if said.name == name and said.of != "objective"])
            for name, sli in experiment.slis.items()
            if sli.is_ratio
        }
        self._fault_ms = experiment.fault_ms

    def _of(self, criterion: Criterion) -> Heard:
        return self._heard.get(criterion.sli) or Heard()

    def gate(self, objective: Objective, window: Window | None) -> Sequence[Gated]:
        """Judge the baseline: too few requests to prove it are tolerated when the counts as they are keep it, too few scrapes not."""
        found: list[Gated] = []
        for criterion in objective.expect:
            if not objective.on_counters(criterion):
                continue
            heard = self._base(criterion, objective)
            amounts = _of(heard, window)
            result = self._judged(criterion, objective, window)
            if heard.ratio is not None and shortest_ms(heard.ratio.interval_ms) > self._fault_ms:
                result = unsure(Reason.TOO_SHORT) if result.verdict is not Verdict.FAIL else result
                heard = replace(heard, ratio=None, lack=Reason.TOO_SHORT, error=_SELDOM)
            opens = result.verdict is not Verdict.FAIL and lacking(heard, window) is None
            opens = opens and (criterion.kind == "bad_seconds" or holds(criterion, amounts))
            n, k = rounded(amounts)
            row: dict[str, Any] = {"n": n, "k": k, "criterion": criterion.text}
            if criterion.kind == "sums":
                row |= {"n": heard.ratio.scrapes_in(window) if heard.ratio else 0, "k": 0, "value": amounts.value}
            found.append(Gated(opens=opens, result=result, row=row | ({"error": heard.error} if heard.error else {})))
        return found

    def judge(self, objective: Objective, context: Context) -> Judged:
        """Judge each ratio that the objective speaks of, by itself."""
        pairs = [pair for pair in pairs_of(objective) if objective.on_counters(pair.criterion)]
        steady = [criterion for criterion in objective.expect if criterion.of_counters]
        return Judged(
            rows=[self._row(pair, objective, context) for pair in pairs],
            recoveries=[self._recovery(criterion, objective, context) for criterion in steady],
            budget=self._budget(steady, objective, context),
        )

    def _base(self, criterion: Criterion, objective: Objective) -> Heard:
        """Return what a criterion is counted by: of ``bad_seconds`` the first ratio beside it."""
        if criterion.kind != "bad_seconds":
            return self._of(criterion)
        return self._of(next(one for one in objective.expect if one.kind == "ratio"))

    def _judged(self, criterion: Criterion, objective: Objective, window: Window | None) -> Result:
        heard = self._base(criterion, objective)
        if criterion.kind != "bad_seconds":
            return judge_counters(criterion, heard, window)
        lack = lacking(heard, window)
        return unsure(lack) if lack is not None else _compared(criterion, self._seconds(objective, heard, (window,)))

    def _seconds(self, objective: Objective, heard: Heard, windows: Sequence[Window | None]) -> Amounts:
        """Count the seconds of the steps inside some windows, and those of steps whose bad share is over the budget."""
        budget = next(one.budget for one in objective.expect if one.kind == "ratio")
        bad = whole = 0
        for window in windows:
            if window is None or heard.ratio is None:
                continue
            edges = heard.ratio.edges(window.from_ms, window.to_ms)
            for earlier, later in pairwise(edges):
                amounts = heard.ratio.inside(earlier, later)
                whole += later - earlier if amounts.whole else 0
                bad += later - earlier if amounts.part > budget * amounts.whole else 0
        return Amounts(part=ceil(bad / _SECOND_MS), whole=floor(max(bad, whole) / _SECOND_MS))

    def _row(self, pair: Pair, objective: Objective, context: Context) -> Row:
        windows = context.windows
        phases: dict[str, Any] = {}
        result = None
        if pair.expect is not None:
            judged = self._judged(pair.expect, objective, windows.baseline)
            phases["baseline"] = self._phase(pair.expect, objective, windows.baseline, judged)
        if pair.during is not None:
            result = context.stopped or self._during(pair.during, objective, context)
            heard = self._base(pair.during, objective)
            onset = _onset(heard, windows)
            if pair.during.kind == "bad_seconds":
                onset = self._seconds(objective, heard, (windows.onset,))
            phases["onset"] = counted_phase(pair.during, heard, windows.onset, onset, None)
            phases["fault"] = self._phase(pair.during, objective, windows.fault, result)
        if pair.expect is not None:
            phases["recovery"] = self._phase(pair.expect, objective, windows.recovery, None)
        return Row(pair=pair, result=result, phases=phases)

    def _phase(
        self, criterion: Criterion, objective: Objective, window: Window | None, result: Result | None
    ) -> dict[str, Any]:
        heard = self._base(criterion, objective)
        amounts = _of(heard, window)
        if criterion.kind == "bad_seconds":
            amounts = self._seconds(objective, heard, (window,))
        return counted_phase(criterion, heard, window, amounts, result)

    def _during(self, criterion: Criterion, objective: Objective, context: Context) -> Result:
        windows, heard = context.windows, self._base(criterion, objective)
        if criterion.kind == "bad_seconds":
            alone = self._judged(criterion, objective, windows.fault)
            if context.cut_short:
                return unsure(Reason.TOO_SHORT)
            pooled = _compared(criterion, self._seconds(objective, heard, (windows.onset, windows.fault)))
            return FAIL if alone == PASS and pooled == FAIL else alone
        if context.cut_short:
            planned = context.experiment.fault_ms
            return judge_counters_cut_short(criterion, heard, windows.fault, windows.onset, planned)
        return judge_counters_fault(criterion, heard, windows.fault, windows.onset)

    def _recovery(self, criterion: Criterion, objective: Objective, context: Context) -> Recovery:
        within, hold = recover_window(objective, context.experiment)
        heard, windows = self._of(criterion), context.windows
        one = judge_counter_recovery(criterion, heard, windows.recovery, within_ms=within, hold_ms=hold)
        bad = 0
        if criterion.kind == "ratio":
            bad = int(self._seconds(objective, heard, windows.judged()).part)
        return one.with_result(one.result, bad_seconds=bad)

    def _budget(self, steady: Sequence[Criterion], objective: Objective, context: Context) -> dict[str, Any] | None:
        """Account for the error budget of the first ratio in ``expect``."""
        criterion = next((one for one in steady if one.kind == "ratio"), None)
        if criterion is None:
            return None
        heard, windows = self._of(criterion), context.windows
        counts = [
            (window, _tally(_onset(heard, windows) if window is windows.onset else _of(heard, window)))
            for window in windows.present()
        ]
        return account(criterion, counts, objective.slo)


def _hear(sli: Sli, said: Sequence[Testimony]) -> Heard:
    """Take the last testimony: an error at the end is not made good by what was said at the gate."""
    if not said:
        return Heard(error="its source was not asked")
    last = said[-1]
    if last.error:
        return Heard(lack=Reason.QUERY_ERROR if last.wrong else Reason.NO_DATA, error=last.error)
    ratio = Ratio(last, absent_is_zero=sli.params.get("absent") == "zero")
    error = f"{ratio.missing} has no series" if ratio.missing else ""
    if ratio.taken_as_zero:
        error = f"{ratio.taken_as_zero} has no series: taken as zero"
    return Heard(ratio=ratio, error=error)


def _of(heard: Heard, window: Window | None) -> Amounts:
    return heard.ratio.of(window) if heard.ratio is not None else Amounts()


def _compared(criterion: Criterion, seconds: Amounts) -> Result:
    """Compare the share of bad seconds, as it is."""
    value = seconds.value
    if value is None:
        return unsure(Reason.NO_DATA)
    kept = value < criterion.limit if criterion.op == "<" else value <= criterion.limit
    return PASS if kept else FAIL


def _onset(heard: Heard, windows: Windows) -> Amounts:
    return heard.ratio.onset(windows.onset, windows.fault) if heard.ratio is not None else Amounts()


def _tally(amounts: Amounts) -> Tally:
    return Tally(*rounded(amounts))
