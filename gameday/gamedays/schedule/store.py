"""What the schedule remembers on the disk: which times were begun, how they ended, and up to when the clock was looked at.

SQLite in one file of the state folder. A time is claimed by the process that runs it, in one transaction, before it does anything:
whoever is killed, wherever, nothing begins twice. What is only skipped may be decided again, where the clock was set back.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gameday.spi.errors import GamedayError

FILE = "schedule.sqlite3"
_WAIT_S = 20
_SCHEMA = """
CREATE TABLE IF NOT EXISTS looked (day TEXT PRIMARY KEY, upto TEXT NOT NULL, digest TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS times (
    day TEXT NOT NULL, due TEXT NOT NULL, state TEXT NOT NULL, at TEXT NOT NULL, pid INTEGER, ended TEXT, exit_code INTEGER,
    why TEXT NOT NULL DEFAULT '', PRIMARY KEY (day, due)
);
"""


class StateError(GamedayError):
    """The state folder cannot be used, so that nothing may begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A time whose day has begun."""

    day: str
    due: datetime
    pid: int
    exit_code: int | None
    """None while it is on, and where nobody saw the end."""
    state: str
    """``begun``, ``ended``, ``lost`` (its process ended without a word) or ``refused`` (it ended before it began)."""


class Store:
    """The memory of one state folder; days are named by the absolute paths of their files."""

    def __init__(self, folder: Path) -> None:
        """Make the folder for this user alone; raise StateError."""
        self.folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StateError(f"{folder} cannot be made: {error.strerror}", hint="name another by --state") from error
        with self._open() as db:
            db.executescript(_SCHEMA)

    @contextmanager
    def _open(self) -> Generator[sqlite3.Connection]:
        path = self.folder / FILE
        try:
            with closing(sqlite3.connect(path, timeout=_WAIT_S, isolation_level=None)) as db:
                yield db
        except sqlite3.Error as error:
            hint = "nothing begins without it; move it away to begin anew"
            raise StateError(f"{path} cannot be used: {error}", hint=hint) from error

    @contextmanager
    def _change(self) -> Generator[sqlite3.Connection]:
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def looked(self, day: str, digest: str) -> datetime | None:
        """Return up to when a day's times were looked at; None where they never were, or its schedule was another."""
        with self._open() as db:
            row = db.execute("SELECT upto FROM looked WHERE day = ? AND digest = ?", (day, digest)).fetchone()
        return datetime.fromisoformat(row[0]) if row else None

    def look(self, day: str, digest: str, upto: datetime) -> None:
        """Note up to when they were."""
        with self._change() as db:
            db.execute("INSERT OR REPLACE INTO looked VALUES (?, ?, ?)", (day, _text(upto), digest))

    def claim(self, day: str, due: datetime, pid: int, now: datetime) -> bool:
        """Take a time for this process; whether it was free."""
        with self._change() as db:
            db.execute("DELETE FROM times WHERE day = ? AND due = ? AND state = 'skipped'", (day, _text(due)))
            made = db.execute(
                "INSERT OR IGNORE INTO times (day, due, state, at, pid) VALUES (?, ?, 'begun', ?, ?)",
                (day, _text(due), _text(now), pid),
            )
            return made.rowcount == 1

    def skip(self, day: str, due: datetime, why: str, now: datetime) -> bool:
        """Note why a time was left out; whether that was not known."""
        with self._change() as db:
            made = db.execute(
                "INSERT OR IGNORE INTO times (day, due, state, at, why) VALUES (?, ?, 'skipped', ?, ?)",
                (day, _text(due), _text(now), why),
            )
            return made.rowcount == 1

    def refuse(self, day: str, due: datetime, exit_code: int, now: datetime) -> bool:
        """Note that what was started for a time ended before it claimed it, so that it is not started again; whether that was so."""
        with self._change() as db:
            db.execute("DELETE FROM times WHERE day = ? AND due = ? AND state = 'skipped'", (day, _text(due)))
            made = db.execute(
                "INSERT OR IGNORE INTO times (day, due, state, at, ended, exit_code) VALUES (?, ?, 'refused', ?, ?, ?)",
                (day, _text(due), _text(now), _text(now), exit_code),
            )
            return made.rowcount == 1

    def end(self, day: str, due: datetime, exit_code: int | None, now: datetime, *, pid: int) -> bool:
        """Note how a day that a process had begun ended; None where nobody saw it. Whether that was not known."""
        state = "lost" if exit_code is None else "ended"
        with self._change() as db:
            made = db.execute(
                "UPDATE times SET state = ?, ended = ?, exit_code = ? WHERE day = ? AND due = ? AND pid = ? AND state = 'begun'",
                (state, _text(now), exit_code, day, _text(due), pid),
            )
            return made.rowcount == 1

    def done(self, day: str, since: datetime) -> frozenset[datetime]:
        """Return the times after a moment that began, or were refused."""
        return frozenset(one.due for one in self._rows("day = ? AND due > ?", day, _text(since)))

    def was_begun_by(self, day: str, due: datetime, pid: int) -> bool:
        """Whether a process claimed a time."""
        return bool(self._rows("day = ? AND due = ? AND pid = ?", day, _text(due), str(pid)))

    def unfinished(self) -> tuple[Begun, ...]:
        """Return the times of all days that began and are not known to have ended."""
        return self._rows("state = 'begun'")

    def begun(self, day: str = "") -> tuple[Begun, ...]:
        """Return the times of a day (or of all) that began, or were refused, the earliest first."""
        return self._rows("? IN ('', day)", day)

    def _rows(self, which: str, *values: str) -> tuple[Begun, ...]:
        with self._open() as db:
            rows = db.execute(
                f"SELECT day, due, pid, exit_code, state FROM times WHERE state != 'skipped' AND {which} ORDER BY due",  # noqa: S608 - ours
                values,
            ).fetchall()
        return tuple(
            Begun(day=row[0], due=datetime.fromisoformat(row[1]), pid=row[2] or 0, exit_code=row[3], state=row[4])
            for row in rows
        )

    def skipped(self, day: str) -> tuple[tuple[datetime, str], ...]:
        """Return the times of a day that were left out, and why, the earliest first."""
        with self._open() as db:
            rows = db.execute(
                "SELECT due, why FROM times WHERE state = 'skipped' AND day = ? ORDER BY due", (day,)
            ).fetchall()
        return tuple((datetime.fromisoformat(due), why) for due, why in rows)


def _text(when: datetime) -> str:
    return when.astimezone(UTC).isoformat()
