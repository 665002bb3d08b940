"""What an objective's criterion limits, read from its text, so that a chart can draw the line it was judged by.

The judge has already validated the text; what does not match is simply drawn without a line.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

Kind = Literal["errors", "slow", "throughput", "bad_seconds"]
_CRITERION = re.compile(r"\s*(p\d{2}(?:\.\d+)?|errors|availability|throughput|bad_seconds)\s*(<=|>=|<|>)\s*(\S+)\s*")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_EXACT = 1_000
"""Most requests in a second for which the tail is summed exactly; beyond, the normal approximation decides a pixel."""
_MS = {"h": 3_600_000.0, "m": 60_000.0, "s": 1_000.0, "ms": 1.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One criterion as a line in a chart."""

    text: str
    metric: str
    """As written: ``p95``, ``errors``, ``availability``, ``throughput``, ``bad_seconds``."""
    kind: Kind
    budget: float
    """Largest share of bad requests that keeps it."""
    limit_ms: float | None = None
    slower_us: int | None = None
    """A request that took this long or longer is bad: the key of ``LoadRow.slower``."""
    quantile: float | None = None


def read_limit(text: str) -> Limit | None:
    """Read ``p95 < 300ms`` or ``errors < 0.5%``; None when it is neither."""
    match = _CRITERION.fullmatch(text)
    if match is None:
        return None
    metric, operator, limit = match.groups()
    if metric.startswith("p"):
        return _latency(text, metric, operator, limit)
    share = re.fullmatch(r"(\d+(?:\.\d+)?)%", limit)
    if share is None:
        return None
    value = float(share[1]) / 100
    kinds: dict[str, Kind] = {"availability": "errors", "throughput": "throughput", "bad_seconds": "bad_seconds"}
    budget = value if operator.startswith("<") else 1 - value
    return Limit(text=text, metric=metric, kind=kinds.get(metric, "errors"), budget=round(budget, 12))


def _latency(text: str, metric: str, operator: str, limit: str) -> Limit | None:
    if not re.fullmatch(rf"(?:{_SPAN.pattern})+", limit):
        return None
    ms = sum(float(number) * _MS[unit] for number, unit in _SPAN.findall(limit))
    quantile = round(float(metric[1:]) / 100, 12)
    slower_us = round(ms * 1000) + (operator == "<=")
    return Limit(
        text=text,
        metric=metric,
        kind="slow",
        budget=round(1 - quantile, 12),
        limit_ms=ms,
        slower_us=slower_us,
        quantile=quantile,
    )


ALPHA = 0.05
"""The judge's level: a second is surely over its limit when so many bad requests had at most this chance within it."""


@lru_cache(maxsize=4096)
def surely_over(bad: int, total: int, budget: float) -> bool:
    """Whether ``bad`` of ``total`` requests prove by themselves that the share is over ``budget``: P(X ≥ bad | total, budget) < 0.05."""
    if bad <= budget * total or not 0 < budget < 1:
        return bad > budget * total
    spread = math.sqrt(total * budget * (1 - budget))
    if bad > total * budget + 6 * spread + 6:
        return True  # far beyond any doubt, and the exact sum would be long
    below = (
        sum(math.comb(total, k) * budget**k * (1 - budget) ** (total - k) for k in range(bad))
        if total <= _EXACT
        else 1.0
    )
    return 1 - below < ALPHA if total <= _EXACT else bad > total * budget + 1.645 * spread
