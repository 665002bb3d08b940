"""A stretch of time in which no game day is on, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gameday.spi.errors import GamedayError


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """From ``begin`` to before ``end``, both with a zone."""

    begin: datetime
    end: datetime
    says: str
    """What it is: ``holidays.ics: Christmas Day``."""

    def holds(self, when: datetime) -> bool:
        """Whether a moment is inside."""
        return self.begin <= when < self.end


class CalendarError(GamedayError):
    """A calendar says nothing that could be relied on, so that nothing may run."""
