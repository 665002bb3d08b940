"""What every export needs of a game-day file: its name, its command, and a cron expression that every engine reads alike."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

from cronsim import CronSim

from gameday.gamedays.schedule.attend import ENGINE_DELAY
from gameday.schema.day.schedule import Schedule
from gameday.schema.units import format_duration
from gameday.spi.errors import GamedayError

_ANY_DAY = datetime(2024, 1, 1)  # noqa: DTZ001 - of the wall clock
_RANGES = {"minutes": range(60), "hours": range(24), "days": range(1, 32), "months": range(1, 13), "weekdays": range(7)}
_LONGEST_NAME = 40
WHAT_THE_COMMAND_KEEPS = (
    "The window, the blackouts and the jitter of the file are kept by the command itself: it ends with exit code 6,",
    "nothing touched, when the day may not be on, and stops a day that is on when a blackout begins.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """One game-day file to be exported."""

    path: Path
    """As the engine's command names it."""
    schedule: Schedule
    title: str

    @property
    def name(self) -> str:
        """Return a name that files, units and Kubernetes objects may have."""
        slug = re.sub(r"[^a-z0-9]+", "-", self.path.stem.lower()).strip("-")[:_LONGEST_NAME].strip("-")
        return f"gameday-{slug or 'day'}"

    @property
    def header(self) -> tuple[str, ...]:
        """Return the lines at the top of what is written, without the comment sign."""
        return (f"{self.title} (from {self.path.name}; written by gameday day export)", *WHAT_THE_COMMAND_KEEPS)

    def late(self, delay: timedelta = ENGINE_DELAY) -> str:
        """Return how late after its time the command may begin: the file's own bound and the engine's own delay."""
        allowed = timedelta(milliseconds=self.schedule.if_missed) + delay
        return format_duration(int(allowed.total_seconds()) * 1000)

    def arguments(self, delay: timedelta = ENGINE_DELAY) -> tuple[str, ...]:
        """Return the command without its program."""
        return ("day", "run", str(self.path), "--unattended", "--scheduled", "--late", self.late(delay))


def fields(cron: str) -> dict[str, tuple[int, ...]]:
    """Return the numbers of each field; a field that allows everything is empty. Sunday is 0."""
    read = CronSim(cron, _ANY_DAY)
    found: dict[str, tuple[int, ...]] = {}
    for name, everything in _RANGES.items():
        numbers = {number % 7 if name == "weekdays" else number for number in cast("set[int]", getattr(read, name))}
        found[name] = () if numbers >= set(everything) else tuple(sorted(numbers))
    return found


def asks_both(cron: str) -> bool:
    """Whether a day of the month and a day of the week must both match: Debian's rule, where one of them begins with a star."""
    return CronSim(cron, _ANY_DAY).day_and


def plain_cron(cron: str) -> str:
    """Return an expression of numbers, lists and ``*`` that means the same everywhere; raise GamedayError where none does."""
    found = fields(cron)
    if found["days"] and found["weekdays"] and asks_both(cron):
        raise GamedayError(
            f"{cron!r} asks for a day of the month and of the week at once, which this engine reads as either",
            hint="use gameday day serve or --systemd, or let one of both be *",
        )
    return " ".join(",".join(map(str, found[name])) or "*" for name in _RANGES)


def is_rarer(cron: str, length: timedelta) -> bool:
    """Whether two times are never nearer to each other than so, by the wall clock, in a year of them."""
    times = CronSim(cron, _ANY_DAY)
    last = next(times)
    for _ in range(2_000):
        this = next(times, None)
        if this is None or this - last < length:
            return this is None
        if this.year > _ANY_DAY.year + 1:
            break
        last = this
    return True
