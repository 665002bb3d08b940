"""One day that was begun by a schedule: it claims its time, and is stopped in the ordinary way when it may be on no longer.

This is inside the day's own process, not in the server: a server that is killed leaves a day that still knows its window and its
blackouts, and a day that an existing engine starts (cron, Kubernetes, systemd) has no server of ours at all.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gameday.gamedays.schedule.decide import may_be_late, put_off
from gameday.gamedays.schedule.gate import Gate, open_gate, stamp
from gameday.gamedays.schedule.locks import ON, held
from gameday.gamedays.schedule.occurrences import latest
from gameday.gamedays.schedule.spans import CalendarError
from gameday.gamedays.schedule.store import Store
from gameday.schema.day.schedule import Schedule
from gameday.schema.windows import check_zone
from gameday.spi.errors import GamedayError

ENGINE_DELAY = timedelta(minutes=30)
"""How late another engine may be by its own: a container image that is pulled, a runner that is waited for."""
_LOOK_S = 0.5
"""How often the clock and the files of the calendars are looked at while a day is on."""
Clock = Callable[[], datetime]


class NotNowError(GamedayError):
    """The schedule refuses a day now: nothing was touched, and nothing is proven."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attended:
    """The schedule of a file, and what is to be said and done around one day of it."""

    path: Path
    schedule: Schedule
    clock: Clock
    say: Callable[[str], None]
    """Writes one line for people; called by a thread, too."""
    stop: Callable[[str], None]
    """Stops this process's day in the ordinary way, faults reverted, and says why."""

    @property
    def key(self) -> str:
        """Return the name of the day in the state folder; the seed of its jitter is its file's name."""
        return str(self.path.absolute())

    @property
    def folder(self) -> Path:
        """Return what the calendars are relative to."""
        return self.path.absolute().parent


def system_clock() -> datetime:
    """Return the time of the machine, in UTC."""
    return datetime.now(UTC)


def seed_of(path: Path) -> str:
    """Return what the jitter of a file hangs on: its name, so that every checkout of it begins at the same moment."""
    return path.name


def due_now(attended: Attended, late: timedelta | None = None) -> datetime:
    """Return which time of the schedule has come; raise NotNowError when there is none, or it is longer ago than may be.

    ``late`` is by default the schedule's own bound, and at least what another engine may need.
    """
    schedule, now = attended.schedule, attended.clock()
    most = may_be_late(schedule, ENGINE_DELAY) if late is None else late
    due = latest(schedule.cron, check_zone(schedule.timezone), now)
    if due is None or now - due > most + timedelta(milliseconds=schedule.jitter):
        last = f"the last one was {due:%Y-%m-%d %H:%M} UTC" if due else "there was none yet"
        hint = "gameday day next FILE lists them"
        raise NotNowError(f"{attended.path} is not due: no time of {schedule.cron!r} has just come; {last}", hint=hint)
    return due


def wait_for_begin(attended: Attended, due: datetime) -> None:
    """Wait for the jitter; in short naps, so that a clock that is set meanwhile counts."""
    begin = put_off(attended.schedule, seed_of(attended.path), due)
    nap = threading.Event()
    if attended.clock() < begin:
        attended.say(f"jitter: begins at {begin:%H:%M:%S} UTC")
    while (left := (begin - attended.clock()).total_seconds()) > 0 and left <= attended.schedule.jitter / 1000:
        nap.wait(min(left, 1.0))


@contextmanager
def attend(attended: Attended, due: datetime, store: Store | None) -> Generator[None]:
    """Let the block run a day, stopped when its window closes or a blackout begins; raise NotNowError when it may not begin.

    With a ``store`` no other day of the same state folder is on, and no other process ever begins this time.
    """
    with ExitStack() as stack:
        seen = stamp(attended.schedule, attended.folder)  # before they are read: what changes meanwhile is read again
        gate = _gate(attended)
        if closed := _closed(gate, attended.clock()):
            raise NotNowError(f"{attended.path} may not be on now: {closed}")
        if store is not None:
            if not stack.enter_context(held(store.folder / ON)):
                raise NotNowError(f"{attended.path} may not be on now: another day is on (state folder {store.folder})")
            if not store.claim(attended.key, due, os.getpid(), attended.clock()):
                raise NotNowError(f"{attended.path} was begun for {due:%Y-%m-%d %H:%M} UTC already")
        over = threading.Event()
        watcher = threading.Thread(target=_watch, args=(attended, gate, seen, over), name="schedule", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            over.set()
            watcher.join()


def note_end(attended: Attended, due: datetime, store: Store, exit_code: int) -> None:
    """Note how this process's day ended, while its time is still held."""
    store.end(attended.key, due, exit_code, attended.clock(), pid=os.getpid())


def _gate(attended: Attended) -> Gate | str:
    try:
        return open_gate(attended.schedule, attended.folder, attended.clock())
    except CalendarError as error:
        return str(error)


def _closed(gate: Gate | str, now: datetime) -> str:
    return gate if isinstance(gate, str) else gate.closed(now)


def _watch(attended: Attended, gate: Gate | str, seen: object, over: threading.Event) -> None:
    """Ask for a stop as soon as the gate is closed, once; a calendar that cannot be read any more closes it."""
    while not over.wait(_LOOK_S):
        now_seen = stamp(attended.schedule, attended.folder)
        if now_seen != seen:
            seen, gate = now_seen, _gate(attended)
        if closed := _closed(gate, attended.clock()):
            attended.say(f"{closed}: the day is stopped")
            attended.stop(closed)
            return
