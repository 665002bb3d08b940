"""How far another machine's monotonic clock is from ours, and how well that is known; pure."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

TRUSTED_NS = 50_000_000
"""A clock that is known worse than this is not known: half a slot of the rows."""
ENOUGH = 5
_KEPT = 10


class Reading(NamedTuple):
    """One question and its answer."""

    error_ns: int
    """Half of the round trip: the offset is wrong by this much at most."""
    offset_ns: int
    """Our clock minus theirs."""


class Clock:
    """Another clock, as the best of the last readings shows it (Cristian's algorithm: the shortest round trip is the best)."""

    def __init__(self) -> None:
        self._readings: deque[Reading] = deque(maxlen=_KEPT)

    def read(self, sent_ns: int, theirs_ns: int, now_ns: int) -> None:
        """Take the answer ``theirs_ns`` to a question that left at ``sent_ns`` and came back at ``now_ns`` of our clock."""
        if sent_ns <= now_ns:
            self._readings.append(Reading((now_ns - sent_ns) // 2, (sent_ns + now_ns) // 2 - theirs_ns))

    @property
    def readings(self) -> int:
        """How many readings there are."""
        return len(self._readings)

    @property
    def known(self) -> bool:
        """Whether there are enough readings, and one that is good enough."""
        return len(self._readings) >= ENOUGH and min(self._readings).error_ns <= TRUSTED_NS

    def theirs(self, ours_ns: int) -> int:
        """Return a time of our clock in theirs; needs a reading."""
        return ours_ns - min(self._readings).offset_ns
