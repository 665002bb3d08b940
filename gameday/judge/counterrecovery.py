"""Time to recover by two counters: the first scrape that opens a hold which keeps the criterion, and whether it stayed.

As by the load's seconds, with a scrape in the place of a second: the pooled amounts of the hold keep it, and its first step is not
confidently bad by itself. The hold spans at least four scrapes. After it, what is left of the phase is judged once more.
"""

from __future__ import annotations

from gameday.judge.binomial import upper_tail
from gameday.judge.countercriteria import SCRAPES, Heard, holds, judge_amounts, lacking, rounded
from gameday.judge.counters import Amounts, Ratio
from gameday.judge.recovery import CONFIDENTLY_BAD, Recovery
from gameday.judge.result import FAIL, PASS, Result, unsure
from gameday.judge.windows import Window
from gameday.model import Reason
from gameday.schema.grammar import Criterion

_SECOND_MS = 1000


def judge_counter_recovery(
    criterion: Criterion, heard: Heard, window: Window | None, *, within_ms: int, hold_ms: int
) -> Recovery:
    """Judge the return to steady state against ``within``; a phase that is too short for the question is inconclusive."""
    ratio = heard.ratio
    hold = max(hold_ms, SCRAPES * ratio.interval_ms) if ratio is not None else hold_ms
    if window is None or window.to_ms <= window.from_ms:
        return Recovery(within_ms=within_ms, hold_ms=hold, result=unsure(Reason.TOO_SHORT))
    lack = lacking(heard, window)
    if lack is None and ratio is not None and ratio.of(window).whole <= 0:
        lack = Reason.NO_DATA
    if lack is not None or ratio is None:
        result = unsure(lack or Reason.NO_DATA)
        return Recovery(within_ms=within_ms, hold_ms=hold, from_ms=window.from_ms, result=result)
    found = _opening(criterion, ratio, window, hold)
    after = None if found is None else found - window.from_ms
    relapsed = found is not None and _broken(criterion, ratio.inside(found + hold, window.to_ms))
    return Recovery(
        within_ms=within_ms,
        hold_ms=hold,
        from_ms=window.from_ms,
        after_ms=after,
        relapses=int(relapsed),
        result=_judge(window, after, relapsed=relapsed, within_ms=within_ms, hold_ms=hold, edge_ms=ratio.interval_ms),
    )


def _opening(criterion: Criterion, ratio: Ratio, window: Window, hold: int) -> int | None:
    """Return when the first hold opens: at once, or with a scrape."""
    edges = ratio.edges(window.from_ms, window.to_ms)
    starts = [window.from_ms, *edges]
    return next((at for at in starts if at + hold <= window.to_ms and _opens(criterion, ratio, at, hold, edges)), None)


def _opens(criterion: Criterion, ratio: Ratio, at: int, hold: int, edges: list[int]) -> bool:
    if not holds(criterion, ratio.inside(at, at + hold)):
        return False
    ends = [edge for edge in edges if at < edge <= at + hold]
    first = next((amounts for end in ends if (amounts := ratio.inside(at, end)).whole > 0), None)
    return first is not None and not _confidently_bad(criterion, first)


def _confidently_bad(criterion: Criterion, amounts: Amounts) -> bool:
    """Whether one step alone shows more than the budget; sums are judged on the hold only."""
    if criterion.kind == "sums" or criterion.budget >= 1:
        return False
    n, k = rounded(amounts)
    return upper_tail(k, n, criterion.budget) < CONFIDENTLY_BAD


def _broken(criterion: Criterion, amounts: Amounts) -> bool:
    return amounts.whole > 0 and judge_amounts(criterion, amounts) == FAIL


def _judge(window: Window, after: int | None, *, relapsed: bool, within_ms: int, hold_ms: int, edge_ms: int) -> Result:
    if relapsed:
        return FAIL
    if after is None:
        # A second is the resolution of the question, and one scrape what the edge of the phase may lack.
        enough = window.to_ms - window.from_ms + _SECOND_MS + edge_ms >= max(within_ms, 0) + hold_ms
        return FAIL if enough else unsure(Reason.TOO_SHORT)
    # Where it opened is known to one scrape: the one before may have been good already.
    return (
        FAIL
        if after - edge_ms > max(within_ms, 0)
        else PASS
        if after <= max(within_ms, 0)
        else unsure(Reason.NEAR_LIMIT)
    )
