"""Time to recover: when steady state held again after the last fault, and whether it stayed.

A second opens recovery when the pooled counts of the ``hold`` that starts with it keep every criterion of ``expect`` and it is
not itself confidently bad (P(X ≥ k | n, budget) < 0.01): entering "bad" needs evidence, leaving it needs the hold. Simulated
against "first good second", "after the last bad second" and "N good seconds in a row", this has the smallest error. A slow
decay is called a few seconds early: below the budget it cannot be seen.

It must stay: the requests after the hold must not prove it broken again. What was lost once more and came back for good within the
time that is allowed has recovered, so that one bad request more can never turn a relapse into a pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gameday.judge.binomial import upper_tail
from gameday.judge.counts import SECOND, Meter, Tally
from gameday.judge.criteria import holds, judge_tally
from gameday.judge.result import FAIL, PASS, Result, unsure, worst
from gameday.judge.windows import SLOT_MS, Window
from gameday.model import Reason
from gameday.schema.grammar import Criterion

CONFIDENTLY_BAD = 0.01
Meters = Sequence[tuple[Criterion, Meter]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """How an objective came back after the faults."""

    within_ms: int
    hold_ms: int
    result: Result
    from_ms: int | None = None
    after_ms: int | None = None
    """When it held again, counted from ``from_ms``; None when it did not within the phase."""
    relapses: int = 0
    bad_seconds: int = 0

    def with_result(self, result: Result, *, bad_seconds: int) -> Recovery:
        """Return the same recovery with what only its objective knows."""
        return replace(self, result=result, bad_seconds=bad_seconds)

    def to_json(self) -> dict[str, Any]:
        """As verdict.json has it."""
        return {
            "within_ms": self.within_ms,
            "hold_ms": self.hold_ms,
            "seconds": None if self.after_ms is None else self.after_ms / 1000,
            "result": self.result.verdict.word,
            "reason": str(self.result.reason),
            "relapses": self.relapses,
            "bad_seconds": self.bad_seconds,
            "from_ms": self.from_ms,
        }


def judge_recovery(meters: Meters, window: Window | None, *, within_ms: int, hold_ms: int) -> Recovery:
    """Judge the return to steady state against ``within``; a phase that is too short for the question is inconclusive."""
    if window is None or not window.spans:
        return Recovery(within_ms=within_ms, hold_ms=hold_ms, result=unsure(Reason.TOO_SHORT))
    first, end = window.spans[0]
    hold = max(SECOND, -(-hold_ms // SLOT_MS))
    deadline = first + max(within_ms, 0) // SLOT_MS
    opened = next(_openings(meters, first, end, hold), None)
    stays = (at for at in _openings(meters, first, end, hold, last=deadline) if not _lost(meters, at + hold, end))
    settled = next(stays, None)
    found = opened if settled is None else settled
    # Whole slots start up to 100 ms after the revert; a hold at the very first second is "at once".
    after = None if found is None else 0 if found == first else found * SLOT_MS - window.from_ms
    return Recovery(
        within_ms=within_ms,
        hold_ms=hold_ms,
        from_ms=window.from_ms,
        after_ms=after,
        relapses=_relapses(meters, opened, end, hold) if opened is not None else 0,
        result=_judge(meters, window, None if settled is None else after, within_ms=within_ms, hold_ms=hold_ms),
    )


def merge_recoveries(several: Sequence[Recovery]) -> Recovery:
    """Merge what each criterion of one objective needed: the worst result, the latest return, the longest hold.

    Of their bad seconds the most count: the same second may be bad for two of them.
    """
    after = [one.after_ms for one in several]
    known = [at for at in after if at is not None]
    return Recovery(
        within_ms=several[0].within_ms,
        hold_ms=max(one.hold_ms for one in several),
        result=worst(one.result for one in several),
        from_ms=several[0].from_ms,
        after_ms=max(known) if len(known) == len(after) else None,
        relapses=sum(one.relapses for one in several),
        bad_seconds=max(one.bad_seconds for one in several),
    )


def _judge(meters: Meters, window: Window, settled: int | None, *, within_ms: int, hold_ms: int) -> Result:
    """Judge when it was back for good; None is not within the time that is allowed."""
    first, end = window.spans[0]
    if any(meter.over(first, end).n == 0 for _, meter in meters):
        return unsure(Reason.NO_DATA)
    if settled is None:
        # One second is the resolution of the question, and what the edges of the phase may lack.
        enough = window.to_ms - window.from_ms + 1000 >= max(within_ms, 0) + hold_ms
        return FAIL if enough else unsure(Reason.TOO_SHORT)
    return FAIL if settled > max(within_ms, 0) else PASS


def _lost(meters: Meters, rest: int, end: int) -> bool:
    """Whether what came after the hold proves it broken again."""
    return any(judge_tally(criterion, meter.over(rest, end)) == FAIL for criterion, meter in meters)


def _openings(meters: Meters, first: int, end: int, hold: int, *, last: int | None = None) -> Iterator[int]:
    """Yield the first slot of each second that opens a hold, up to ``last``."""
    stop = end - hold if last is None else min(end - hold, last)
    for start in range(first, stop + 1, SECOND):
        if all(_opens(criterion, meter, start, hold) for criterion, meter in meters):
            yield start


def _opens(criterion: Criterion, meter: Meter, start: int, hold: int) -> bool:
    return holds(criterion, meter.over(start, start + hold)) and not _confidently_bad(
        criterion, meter.over(start, start + SECOND)
    )


def _confidently_bad(criterion: Criterion, second: Tally) -> bool:
    """Whether one second alone shows more than the budget; what is compared exactly is judged on the hold only."""
    if criterion.exact or second.n == 0 or criterion.budget >= 1:
        return False
    return upper_tail(second.k, second.n, criterion.budget) < CONFIDENTLY_BAD


def _relapses(meters: Meters, found: int, end: int, hold: int) -> int:
    """Count how often it was lost again: by a confidently bad second, until the next hold opens."""
    relapses, start = 0, found + SECOND
    while start < end:
        seconds = ((criterion, meter.over(start, min(start + SECOND, end))) for criterion, meter in meters)
        if any(_confidently_bad(criterion, second) for criterion, second in seconds):
            relapses += 1
            back = next(_openings(meters, start, end, hold), None)
            if back is None:
                break
            start = back
        start += SECOND
    return relapses
