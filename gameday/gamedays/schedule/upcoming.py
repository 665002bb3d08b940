"""The next times of a schedule, each with what will become of it as far as that is known today."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gameday.gamedays.schedule.decide import put_off
from gameday.gamedays.schedule.gate import Gate
from gameday.gamedays.schedule.occurrences import upcoming
from gameday.schema.day.schedule import Schedule
from gameday.schema.windows import check_zone


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """One time that will come."""

    due: datetime
    begin: datetime
    """With the jitter."""
    skipped: str
    """Why nothing will run then; empty when it will."""


def next_times(schedule: Schedule, gate: Gate | str, seed: str, now: datetime, count: int) -> tuple[Upcoming, ...]:
    """Return the next ``count`` times after ``now``, those that are skipped included."""
    found: list[Upcoming] = []
    for due in upcoming(schedule.cron, check_zone(schedule.timezone), now, count):
        begin = put_off(schedule, seed, due)
        found.append(Upcoming(due=due, begin=begin, skipped=gate if isinstance(gate, str) else gate.closed(begin)))
    return tuple(found)
