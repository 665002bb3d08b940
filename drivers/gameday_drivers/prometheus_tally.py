"""How much was bad over weeks, added up by Prometheus itself: ``increase`` of counters, looks at a gauge once a step.

``increase`` extrapolates to the edges of its range (Prometheus's documentation of the function), which over weeks is nothing. How
much of the range is known is counted by a subquery of a hundred steps: a server that was there for a week only, or keeps no more,
does not know a month.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from gameday.spi import ProbeError
from gameday.spi.tally import Tally
from gameday_drivers.prometheus_api import Asking, items, member
from gameday_drivers.promql import counters

STEPS = 100
"""Looks at a range, to know how much of it is known."""


def tally_counters(asking: Asking, value: Mapping[str, str], seconds: int) -> Tally:
    """Add up two counters: bad, or good, and total; raise ProbeError when one has no series or the numbers cannot be."""
    selectors = {part: counters(expression) for part, expression in value.items()}
    if not {"bad", "good"} & selectors.keys():
        raise ProbeError("a ratio of sums has no bad requests")
    sums = {
        part: sum(_one(asking, f"sum(increase({selector}[{seconds}s]))") for selector in several)
        for part, several in selectors.items()
    }
    known = min(_known(asking, f"sum({selector})", seconds) for selector in selectors["total"])
    total = sums["total"]
    bad = sums["bad"] if "bad" in sums else total - sums["good"]
    if total <= 0:
        raise ProbeError("nothing was counted in that time")
    return Tally(bad=max(0.0, bad), total=total, known=known)


def tally_gauge(asking: Asking, expression: str, seconds: int, beyond: str) -> Tally:
    """Count at how many looks an expression was beyond its limit; raise ProbeError when there was none."""
    every = f"[{seconds}s:{_step(seconds)}s]"
    operator, _, limit = beyond.partition(" ")
    share = _one(asking, f"avg_over_time((({expression}) {operator} bool {limit}){every})")
    known = _known(asking, expression, seconds)
    looks = max(1.0, known * _looks(seconds))
    return Tally(bad=share * looks, total=looks, known=known)


def _known(asking: Asking, expression: str, seconds: int) -> float:
    looks = _one(asking, f"count_over_time(({expression})[{seconds}s:{_step(seconds)}s])")
    return min(1.0, looks / _looks(seconds))


def _step(seconds: int) -> int:
    return max(1, seconds // STEPS)


def _looks(seconds: int) -> int:
    return max(1, seconds // _step(seconds))


def _one(asking: Asking, expression: str) -> float:
    """Return the one number of an expression; raise ProbeError where there is none."""
    kind, result = asking.instant(expression)
    rows = items(result) if kind == "vector" else ()
    if len(rows) != 1:
        raise ProbeError(f"{expression} has {len(rows) or 'no'} series")
    try:
        number = float(items(member(rows[0], "value"))[1])
    except (TypeError, ValueError, IndexError):
        raise ProbeError(f"the answer about {expression} cannot be read") from None
    if not math.isfinite(number):
        raise ProbeError(f"{expression} is {number}, which is no number")
    return number
