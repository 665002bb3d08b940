"""One pulse of the load, read.

A pulse carries running totals, so that one that is lost or late changes nothing but the moment of a decision. For one limit
``bad`` (decided, failed), ``slower`` (ok, but too slow), ``over`` (still in flight for longer) and ``capped`` (could not be sent) are
together the bad requests so far, none counted twice. What has no latency limit sees a request that hangs when its timeout ends it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gameday.model import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """One pulse, read."""

    at_ms: int
    intended: int
    completed: int
    in_flight: int
    failed: int
    """Decided and not ok, or could not be sent."""
    slow: Mapping[int, int]
    """Limit in µs → requests so far that were ok but took longer, and those in flight for longer."""

    @classmethod
    def read(cls, pulse: Json, limits_us: Sequence[int]) -> Totals:
        """Read a pulse of docs/run-folder.md; raise KeyError when a total is missing."""
        over, slower = pulse["over"], pulse["slower"]
        return cls(
            at_ms=int(pulse["at_ms"]),
            intended=int(pulse["intended"]),
            completed=int(pulse["completed"]),
            in_flight=int(pulse["in_flight"]),
            failed=int(pulse["bad"]) + int(pulse["capped"]),
            slow={limit: int(over.get(str(limit), 0)) + int(slower.get(str(limit), 0)) for limit in limits_us},
        )
