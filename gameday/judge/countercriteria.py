"""How a criterion on two counters is judged: the exact binomial for counted requests, a plain comparison for sums.

Both need evidence first: at least four scrapes in the phase, the last of them not older than two scrapes at its end, and at most a
tenth of the phase of which it is not known what a target did.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor
from typing import Any

from gameday.judge.binomial import certain_fail, ratio_result
from gameday.judge.counters import Amounts, Ratio
from gameday.judge.gauges import keeps
from gameday.judge.result import FAIL, PASS, Result, unsure
from gameday.judge.windows import Window
from gameday.model import Reason, Verdict
from gameday.schema.grammar import Criterion

SCRAPES = 4
"""Fewer in a phase are too few: its edges cut two of the steps between them."""
_JITTER = 0.02
"""Share by which one scrape may come early or late; sixty seconds are long enough for one each 15.001 s."""
UNKNOWN = 0.1
FRESH = 2
"""Scrape intervals that the last scrape of a phase may be before its end."""
_WHOLE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What is known of one SLI: the counters, or why there are none."""

    ratio: Ratio | None = None
    lack: Reason = Reason.NO_DATA
    error: str = ""


def shortest_ms(interval_ms: int) -> float:
    """Return how long a phase must be to have the scrapes that a judgement needs."""
    return SCRAPES * interval_ms * (1 - _JITTER)


def lacking(heard: Heard, window: Window | None) -> Reason | None:
    """Say what is missing for a judgement of a window; None when nothing is."""
    ratio = heard.ratio
    if ratio is None:
        return heard.lack
    if ratio.missing or window is None:
        return Reason.NO_DATA
    length, last = window.to_ms - window.from_ms, ratio.last_ms(window.to_ms)
    if last is None:
        return Reason.NO_DATA
    if window.to_ms - last > FRESH * ratio.interval_ms:
        return Reason.STALE if last >= window.from_ms else Reason.NO_DATA
    if ratio.scrapes_in(window) < SCRAPES:
        return Reason.TOO_SHORT if ratio.scrapes_due(window) <= SCRAPES else Reason.NO_DATA
    return Reason.NO_DATA if ratio.unknown_ms(window.from_ms, window.to_ms) > UNKNOWN * length else None


def judge_amounts(criterion: Criterion, amounts: Amounts) -> Result:
    """Judge what was counted; amounts that are no whole numbers must come to the same rounded either way."""
    if criterion.kind == "sums":
        value = amounts.value
        return unsure(Reason.NO_DATA) if value is None else PASS if keeps(criterion, value) else FAIL
    n, k = rounded(amounts)
    result = ratio_result(k, n, criterion.budget)
    if result == FAIL and ratio_result(*other_way(amounts), criterion.budget) != FAIL:
        return unsure(Reason.NEAR_LIMIT)
    return result


def rounded(amounts: Amounts) -> tuple[int, int]:
    """Return (requests, bad ones), rounded so that it never helps: few requests, many of them bad."""
    n, k = floor(amounts.whole + _WHOLE), ceil(amounts.part - _WHOLE)
    return max(n, k), k


def other_way(amounts: Amounts) -> tuple[int, int]:
    """Return (bad requests, all of them), rounded so that it never harms."""
    return floor(amounts.part + _WHOLE), max(ceil(amounts.whole - _WHOLE), floor(amounts.part + _WHOLE))


def holds(criterion: Criterion, amounts: Amounts) -> bool:
    """Whether the amounts as they are keep the criterion, without a confidence bound; nothing counted keeps nothing."""
    value = amounts.value
    if value is None:
        return False
    return keeps(criterion, value) if criterion.kind == "sums" else value <= criterion.budget


def judge_counters(criterion: Criterion, heard: Heard, window: Window | None) -> Result:
    """Judge a whole phase."""
    lack = lacking(heard, window)
    if lack is not None or heard.ratio is None:
        return unsure(lack or Reason.NO_DATA)
    return judge_amounts(criterion, heard.ratio.of(window))


def judge_counters_fault(criterion: Criterion, heard: Heard, fault: Window | None, onset: Window | None) -> Result:
    """Judge the fault phase; what was counted before it was proven is added only where that makes it fail."""
    alone = judge_counters(criterion, heard, fault)
    if heard.ratio is None or (alone.verdict is Verdict.INCONCLUSIVE and lacking(heard, fault) is not None):
        return alone
    pooled = heard.ratio.of(fault) + heard.ratio.onset(onset, fault)
    return FAIL if judge_amounts(criterion, pooled) == FAIL else alone


def judge_counters_cut_short(
    criterion: Criterion, heard: Heard, fault: Window | None, onset: Window | None, planned_ms: int
) -> Result:
    """Judge a phase that an abort ended: broken only if it would be however the rest had gone at the rate so far, else unknown."""
    if heard.ratio is None or fault is None or heard.ratio.missing or criterion.kind == "sums":
        return unsure(Reason.TOO_SHORT)
    n, k = rounded(heard.ratio.of(fault) + heard.ratio.onset(onset, fault))
    lasted = max(1, fault.to_ms - (onset.from_ms if onset is not None else fault.from_ms))
    most = ceil(max(n, n * 1.1 * planned_ms / lasted))
    return FAIL if n and certain_fail(k, most, criterion.budget) else unsure(Reason.TOO_SHORT)


def counted_phase(
    criterion: Criterion, heard: Heard, window: Window | None, amounts: Amounts, result: Result | None
) -> dict[str, Any]:
    """As verdict.json has one phase of a criterion on two counters: sums as gauges have it, requests as the load has it."""
    judged = {
        "result": result.verdict.word if result else None,
        "reason": str(result.reason) if result else None,
    }
    ratio = heard.ratio
    readings = ratio.scrapes_in(window) if ratio is not None else 0
    due = max(readings, ratio.scrapes_due(window)) if ratio is not None else 0
    error = heard.error or None
    if criterion.kind == "sums":
        return {
            "criterion": criterion.text,
            "sli": criterion.sli,
            "value": amounts.value,
            "limit": criterion.limit,
            "coverage": min(1.0, readings / due) if due else None,
            "readings": readings,
            "due": due,
            "error": error,
            **judged,
        }
    n, k = rounded(amounts)
    return {
        "criterion": criterion.text,
        "n": n,
        "k": k,
        "budget": criterion.budget,
        "share": k / n if n else None,
        **judged,
        "counters": {
            "sli": criterion.sli,
            "scrapes": readings,
            "due": due,
            "edge_ms": ratio.interval_ms if ratio is not None else 0,
            "resets": ratio.resets_in(window) if ratio is not None and window is not None else 0,
            "error": error,
        },
    }
