"""How one criterion is judged on its counts."""

from __future__ import annotations

import operator
from fractions import Fraction

from gameday.judge.binomial import certain_fail, ratio_result
from gameday.judge.counts import Tally
from gameday.judge.result import FAIL, PASS, Result, unsure
from gameday.model import Reason
from gameday.schema.grammar import Criterion

_COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


def holds(criterion: Criterion, tally: Tally) -> bool:
    """Whether the counts as they are keep the criterion, without a confidence bound; nothing counted keeps nothing."""
    if tally.n <= 0:
        return False
    if criterion.exact:
        share = Fraction(tally.k if criterion.kind == "bad_seconds" else tally.n - tally.k, tally.n)
        return bool(_COMPARE[criterion.op](share, _exactly(criterion.limit)))
    return Fraction(tally.k, tally.n) <= _exactly(criterion.budget)


def _exactly(share: float) -> Fraction:
    """Return the decimal number that was written: 0.95, not the double nearest to it."""
    return Fraction(repr(share))


def judge_tally(criterion: Criterion, tally: Tally) -> Result:
    """Judge a whole phase: the exact binomial for ratios, a plain comparison for ``throughput`` and ``bad_seconds``."""
    if tally.n <= 0:
        return unsure(Reason.NO_DATA)
    if criterion.exact:
        return PASS if holds(criterion, tally) else FAIL
    return ratio_result(tally.k, tally.n, criterion.budget)


def judge_with_onset(criterion: Criterion, fault: Tally, onset: Tally) -> Result:
    """Judge the fault phase; what happened before it was proven is added only where that makes it fail."""
    alone = judge_tally(criterion, fault)
    return FAIL if judge_tally(criterion, fault + onset) == FAIL else alone


def judge_cut_short(criterion: Criterion, tally: Tally, most: int) -> Result:
    """Judge a phase that an abort ended: broken only if it would be however the rest had gone, else unknown."""
    whole = Tally(max(most, tally.n), tally.k)
    broken = not holds(criterion, whole) if criterion.exact else certain_fail(whole.k, whole.n, criterion.budget)
    return FAIL if broken and tally.n > 0 else unsure(Reason.TOO_SHORT)
