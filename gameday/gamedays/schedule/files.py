"""The game-day files that a server keeps to: each read again when it changes, and left alone while it is broken."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from gameday.gamedays.schedule.gate import Gate, open_gate, stamp
from gameday.gamedays.schedule.spans import CalendarError
from gameday.schema.day.loader import load_day
from gameday.schema.day.schedule import Schedule
from gameday.schema.errors import ExperimentErrors
from gameday.spi.errors import GamedayError

_AGAIN_S = 60
"""What could not be read is tried again this often: the machine may have been short of memory."""
_GATE_AGE_S = 12 * 3600
"""A calendar that does not change is read again this often: it is known for so many days ahead only."""


def read_schedule(path: Path) -> Schedule:
    """Return the schedule of a game-day file; raise ExperimentErrors, or GamedayError when it has none."""
    loaded = load_day(path, environ=os.environ, require_values=False)
    if loaded.day.schedule is None:
        raise GamedayError(
            f"{path} has no schedule:", hint="write one: schedule: {cron: 0 10 * * TUE, timezone: Europe/London}"
        )
    return loaded.day.schedule


def digest_of(schedule: Schedule) -> str:
    """Return what tells a schedule's times from another's."""
    return hashlib.sha256(json.dumps(schedule.to_json(), sort_keys=True).encode()).hexdigest()


@dataclass(slots=True, kw_only=True)
class Watched:
    """One file, as it was last read."""

    path: Path
    schedule: Schedule | None = None
    broken: str = ""
    """Why nothing of it can run; empty while it can."""
    _seen: tuple[int, int, int] | None = None
    _gate: Gate | str = ""
    _gate_for: tuple[object, ...] = field(default=())

    @property
    def key(self) -> str:
        """Return its name in the state folder."""
        return str(self.path.absolute())

    def refresh(self) -> str:
        """Read it again if it has changed; return what there is to say of that, or nothing."""
        try:
            state = self.path.stat()
            seen = state.st_mtime_ns, state.st_size, state.st_ino
        except OSError as error:
            seen, said = (0, -1, 0), f"cannot be read: {error.strerror}"
        else:
            said = ""
        if seen == self._seen:
            return ""
        first, self._seen = self._seen is None, seen
        return self._read(said, first=first)

    def _read(self, said: str, *, first: bool) -> str:
        before, was_broken = self.schedule, self.broken
        self.schedule, self.broken = None, said
        if not said:
            try:
                self.schedule = read_schedule(self.path)
            except ExperimentErrors as error:
                self.broken = f"is broken: {error.errors[0].message}"
            except GamedayError as error:
                self.broken = str(error)
        if self.broken:
            return f"{self.broken}; nothing of it runs until it is mended"
        if first:
            return ""
        if was_broken:
            return "can be read again"
        return "has changed" + ("" if before == self.schedule else ", and so has its schedule")

    def gate(self, now: datetime) -> Gate | str:
        """Return its gate, or why it has none: what is not known is closed."""
        if self.schedule is None:
            return self.broken
        folder = self.path.absolute().parent
        age = _AGAIN_S if isinstance(self._gate, str) else _GATE_AGE_S
        wanted = (self.schedule.to_json(), stamp(self.schedule, folder), age, now.timestamp() // age)
        if wanted != self._gate_for:
            try:
                self._gate = open_gate(self.schedule, folder, now)
            except CalendarError as error:
                self._gate = str(error)
            self._gate_for = wanted
        return self._gate
