"""Where a run says itself that the machine was too busy to measure, it is run again, twice at most: that is no finding about anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

T = TypeVar("T")
TRIES = 3


def until_measured(attempt: Callable[[int], T], too_busy: Callable[[T], bool]) -> T:
    """Return what the first attempt came to that was measured, or the last; each gets its number, from 0."""
    found = attempt(0)
    for number in range(1, TRIES):
        if not too_busy(found):
            break
        found = attempt(number)
    return found


def unmeasured(verdict: Mapping[str, Any]) -> bool:
    """Whether a run is inconclusive for its load generator alone."""
    return bool(verdict["verdict"] == "inconclusive" and verdict["reasons"] == ["load-generator"])
