"""One deadline for everything that a read does; a socket's own time-out would begin again with every drop of a slow answer."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """When a read must be over, by the monotonic clock."""

    seconds: float
    end: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Begin now."""
        return cls(seconds=seconds, end=time.monotonic() + seconds)

    @property
    def over(self) -> bool:
        """Whether there is no time left."""
        return time.monotonic() >= self.end

    def left(self) -> float:
        """Return the seconds that are left, more than 0; raise TimeoutError when there are none."""
        left = self.end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left
