"""Time to recover of a gauge: the first reading that opens a hold which keeps the limit, and whether it stayed.

The hold is the objective's, and at least two of the gauge's intervals (three for a slope), so that it holds readings. What is
read in it is aggregated as in any phase: the greatest of a ``max``, the mean of a ``mean``. After it, what is left of the recovery
phase is aggregated once more: a limit that is broken there is a relapse, and only what comes back for good in the time that is
allowed has recovered.
"""

from __future__ import annotations

from gameday.judge.gaugecriteria import judge_span, lacking
from gameday.judge.gauges import Series, aggregate, keeps
from gameday.judge.recovery import Recovery
from gameday.judge.result import FAIL, PASS, Result, unsure
from gameday.judge.windows import Window
from gameday.model import Reason
from gameday.schema.grammar import Criterion

_SECOND_MS = 1000


def judge_gauge_recovery(
    criterion: Criterion, series: Series, window: Window | None, *, within_ms: int, hold_ms: int
) -> Recovery:
    """Judge the return to steady state against ``within``; a phase that is too short for the question is inconclusive."""
    hold = max(hold_ms, (3 if criterion.aggregate == "slope" else 2) * series.every_ms)
    if window is None or window.to_ms <= window.from_ms:
        return Recovery(within_ms=within_ms, hold_ms=hold, result=unsure(Reason.TOO_SHORT))
    openings = _openings(criterion, series, window, hold)
    deadline = window.from_ms + max(within_ms, 0)
    stay = (at for at in openings if at <= deadline and not _relapsed(criterion, series, at + hold, window.to_ms))
    settled = next(stay, None)
    found = next(iter(openings), None) if settled is None else settled
    relapsed = bool(openings) and _relapsed(criterion, series, openings[0] + hold, window.to_ms)
    return Recovery(
        within_ms=within_ms,
        hold_ms=hold,
        from_ms=window.from_ms,
        after_ms=None if found is None else found - window.from_ms,
        relapses=int(relapsed),
        result=_judge(criterion, series, window, settled=settled is not None, within_ms=within_ms, hold_ms=hold_ms),
    )


def _openings(criterion: Criterion, series: Series, window: Window, hold: int) -> list[int]:
    """Return when holds open: at once, or with a reading."""
    starts = [window.from_ms, *(at for at, _ in series.of(window).values)]
    fitting = (start for start in starts if start + hold <= window.to_ms)
    return [at for at in fitting if judge_span(criterion, series, at, at + hold) == PASS]


def _relapsed(criterion: Criterion, series: Series, from_ms: int, to_ms: int) -> bool:
    value = aggregate(criterion, series.over(from_ms, to_ms).values) if to_ms > from_ms else None
    return value is not None and not keeps(criterion, value)


def _judge(
    criterion: Criterion, series: Series, window: Window, *, settled: bool, within_ms: int, hold_ms: int
) -> Result:
    deadline = window.from_ms + max(within_ms, 0)
    if criterion.aggregate == "max" and _relapsed(criterion, series, deadline, window.to_ms):
        return FAIL  # whatever was not read: it is over the limit when it should be back for good
    lack = lacking(series, series.of(window), window.to_ms)
    if lack is not None:
        return unsure(lack)
    if settled:
        return PASS
    # One second is the resolution of the question, and what the edges of the phase may lack.
    enough = window.to_ms - window.from_ms + _SECOND_MS >= max(within_ms, 0) + hold_ms
    return FAIL if enough else unsure(Reason.TOO_SHORT)
