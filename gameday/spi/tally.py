"""What a probe may provide beside its reading: how much was bad over a long time back, as its source adds it up itself.

An error budget is of weeks. No reading of a run can say it, and fetching weeks of samples is too much; a monitoring system knows the sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from gameday.spi.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a source says of a stretch of time that ends now."""

    bad: float
    total: float
    """Requests, or looks at a gauge."""
    known: float
    """The share of the stretch, from 0 to 1, of which the source knows anything."""


@runtime_checkable
class Tallies(Protocol):
    """Can add up; it changes nothing and keeps nothing."""

    def tally(self, world: World, seconds: int, beyond: str) -> Tally:
        """Return what was counted over the last ``seconds``; of a gauge what was ``beyond``, like ``> 0.5``.

        Raises ProbeError when it cannot be had, or when there is nothing that could be counted: never zero for that.
        """
        ...
