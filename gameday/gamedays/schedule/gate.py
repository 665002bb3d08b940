"""Whether a game day may be on at a moment: the window and the blackouts of one schedule.

Nothing is open by having been forgotten: a moment before or after what the calendars were read for is closed, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from gameday.gamedays.schedule.calendars import read_calendar
from gameday.gamedays.schedule.spans import Span
from gameday.schema.day.schedule import DayWindow, Schedule
from gameday.schema.windows import check_moment, inside

BEFORE = timedelta(days=2)
AHEAD = timedelta(days=400)
"""How far calendars are read, from the moment of reading: a year and a month."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """When days of one schedule may be on."""

    window: DayWindow | None
    zone: str
    blackouts: tuple[Span, ...] = ()
    """By their begin."""
    known: Span | None = None
    """What the calendars were read for; None without any."""

    def closed(self, when: datetime) -> str:
        """Return why no day may be on at a moment; empty when one may."""
        for blackout in self.blackouts:
            if blackout.holds(when):
                until = blackout.end.astimezone(check_moment("2000-01-01", self.zone).tzinfo)
                return f"blackout until {until:%Y-%m-%d %H:%M} ({blackout.says})"
        window = self.window
        if window is not None and not inside(window.days, window.from_, window.to, self.zone, when):
            return f"outside the window {window.days} {window.from_} to {window.to} {self.zone}"
        if self.known is not None and not self.known.holds(when):
            return f"too far ahead: {self.known.says}"
        return ""


def open_gate(schedule: Schedule, folder: Path, now: datetime) -> Gate:
    """Return the gate of a schedule whose files are relative to a folder; raise CalendarError for one that cannot be read."""
    zone = schedule.timezone
    begin, end = now - BEFORE, now + AHEAD
    spans: list[Span] = []
    names: list[str] = []
    for blackout in schedule.blackout:
        if blackout.file is not None:
            spans += read_calendar(folder / blackout.file, zone, begin, end)
            names.append(blackout.file)
        else:
            first, last = (check_moment(text or "", zone) for text in (blackout.from_, blackout.to))
            spans.append(Span(begin=first, end=last, says=f"{blackout.from_} to {blackout.to}"))
    known = (
        Span(begin=begin, end=end, says=f"{', '.join(names)} was read for the next {AHEAD.days} days")
        if names
        else None
    )
    return Gate(
        window=schedule.window,
        zone=zone,
        blackouts=tuple(sorted(spans, key=lambda span: span.begin)),
        known=known,
    )


def stamp(schedule: Schedule, folder: Path) -> tuple[tuple[str, int, int, int], ...]:
    """Return what changes when a calendar file does: names, times, sizes and inodes; a file that is not there is one, too."""
    return tuple(_stamp(folder / one.file) for one in schedule.blackout if one.file is not None)


def _stamp(path: Path) -> tuple[str, int, int, int]:
    try:
        state = path.stat()
    except OSError:
        return str(path), 0, -1, 0
    return str(path), state.st_mtime_ns, state.st_size, state.st_ino
