"""``schedule:`` when a game day runs by itself, and when it never does.

Times are of the wall clock of ``timezone``. A cron expression has five fields: minute, hour, day of the month, month, day of the week
(0 or 7 is Sunday); each a ``*``, a number, a name, a range, a list, with ``/STEP``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Annotated, Any, Literal

from cronsim import CronSim, CronSimError

from gameday.schema.day.words import FileName
from gameday.schema.fields import Line
from gameday.schema.marks import Check, Form, Read, Write
from gameday.schema.quantities import format_duration, parse_duration
from gameday.schema.section import Section, key
from gameday.schema.units import Duration
from gameday.schema.windows import check_clock, check_days, check_moment, check_zone

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))
_LEAP_YEAR = datetime(2024, 1, 1)  # noqa: DTZ001 - of the wall clock
_MANY = 2_000
"""Of daily times: five years; of rarer ones all that CronSim looks for, which is 50 years."""
_PART = re.compile(r"(?:\*|([a-z0-9]+)(?:-([a-z0-9]+))?)(?:/([0-9]{1,2}))?")


def _number(text: str, name: str, least: int, most: int) -> int:
    names = {"month": ("", *_MONTHS), "weekday": _WEEKDAYS}.get(name, ())
    found = names.index(text) if text in names else int(text) if text.isascii() and text.isdigit() else -1
    if not least <= found <= most:
        raise ValueError(f"not a {name} of cron: {text!r}; write a number from {least} to {most}")
    return found


def _check_field(text: str, name: str, least: int, most: int) -> None:
    for part in text.split(","):
        match = _PART.fullmatch(part)
        if match is None or match[3] == "0" * len(match[3] or "-"):
            raise ValueError(f"not a {name} of cron: {part!r}; write *, 5, 1-5, 1,3 or */15")
        first, last = (None if word is None else _number(word, name, least, most) for word in match.group(1, 2))
        if first is not None and last is not None and last < first:
            raise ValueError(f"{name} of cron runs backwards: {part!r}; write the smaller first")


def check_cron(text: str) -> str:
    """Return a cron expression with single spaces; raise ValueError when it is none of five fields."""
    fields = text.lower().split()
    if len(fields) != len(_FIELDS):
        raise ValueError(f"not a cron expression: {text!r}; write minute hour day month weekday, like 0 10 * * TUE")
    for field, (name, least, most) in zip(fields, _FIELDS, strict=True):
        _check_field(field, name, least, most)
    if next(wall_times(text), None) is None:
        raise ValueError(f"never comes: {text!r}; write a day that its months have")
    return " ".join(text.split())


def wall_times(cron: str) -> Iterator[datetime]:
    """Yield the times of a cron expression after the beginning of a leap year, by a clock that is never changed."""
    try:
        yield from islice(CronSim(cron, _LEAP_YEAR), _MANY)
    except CronSimError:  # it sees by the fields alone that no month has such a day
        return


def _zone(text: str) -> str:
    check_zone(text)
    return text


def _if_missed(value: Any) -> int:
    if value == "skip":
        return 0
    before, _, within = str(value).partition(" within ")
    if before.strip() != "run" or not within:
        raise ValueError(f"not a rule for missed times: {value!r}; write skip, or run within 15m")
    found = parse_duration(within.strip())
    if not found:
        raise ValueError("must be longer than 0s; write skip, or run within 15m")
    return found


def _if_missed_text(ms: int) -> str:
    return f"run within {format_duration(ms)}" if ms else "skip"


Cron = Annotated[str, Check(check_cron)]
Zone = Annotated[Line, Check(_zone)]
IfMissed = Annotated[
    int,
    Read(_if_missed),
    Write(_if_missed_text),
    Form({"type": "string", "pattern": r"^(skip|run within \S+)$", "examples": ["skip", "run within 15m"]}),
]
"""Milliseconds after its time within which a missed day is still begun; 0 is ``skip``."""


class DayWindow(Section):
    """When days may begin and be on: from one time of day to another, in the schedule's time zone."""

    days: Line = key(default="mon-sun", description="mon-thu, or mon,wed,fri", examples=["mon-thu"])
    from_: Line = key(default="00:00", alias="from", description="time of day", examples=["09:30"])
    to: Line = key(default="24:00", description="time of day, not included", examples=["16:00"])

    def agree(self) -> None:
        """Raise ValueError when it can never be open."""
        check_days(self.days)
        if check_clock(self.from_) >= check_clock(self.to):
            raise ValueError(f"{self.to} is not after {self.from_}; write the earlier first")

    def meets(self, cron: str) -> bool:
        """Whether any time of a cron expression is inside: its days and its times of day hang on each other nowhere."""
        open_, close = check_clock(self.from_), check_clock(self.to)
        read, days = CronSim(cron, _LEAP_YEAR), check_days(self.days)
        return any(open_ <= hour * 60 + minute < close for hour in read.hours for minute in read.minutes) and any(
            day.weekday() in days for day in wall_times(" ".join(("0 0", *cron.split()[2:])))
        )


class DayBlackout(Section):
    """When no day is on, whatever the window says: a calendar file, or from one moment to another."""

    file: FileName | None = key(
        default=None, description="an iCalendar file; each of its events is a blackout", examples=["holidays.ics"]
    )
    from_: Line | None = key(default=None, alias="from", description="a day or a moment", examples=["2026-12-15"])
    to: Line | None = key(default=None, description="not included", examples=["2027-01-05"])

    def agree(self) -> None:
        """Raise ValueError when it is not exactly one of both, or is never."""
        if (self.file is None) == (self.from_ is None) or (self.from_ is None) != (self.to is None):
            raise ValueError("needs either file, or both from and to")
        if self.from_ and self.to and check_moment(self.from_, "UTC") >= check_moment(self.to, "UTC"):
            raise ValueError(f"{self.to} is not after {self.from_}")


class Schedule(Section):
    """When the day runs by itself."""

    cron: Cron = key(description="minute hour day month weekday", examples=["0 10 * * TUE"])
    timezone: Zone = key(default="UTC", description="a name of the time zone database", examples=["Europe/London"])
    window: DayWindow | None = key(default=None, description="when it may be on; default: always")
    blackout: tuple[DayBlackout, ...] = key(default=(), description="when it may not; a blackout that begins stops it")
    if_missed: IfMissed = key(default=0, description="what becomes of a time at which nothing could begin")
    overlap: Literal["forbid"] = key(default="forbid", description="one day at a time")
    jitter: Duration = key(default=0, description="the most that a begin is put off, at random")

    def agree(self) -> None:
        """Raise ValueError when no time is inside the window."""
        window = self.window
        if window is not None and not window.meets(self.cron):
            raise ValueError(f"no time of {self.cron!r} is in its window; write one that is open then")
