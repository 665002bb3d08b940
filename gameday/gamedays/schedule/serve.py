"""The server: begins each day at its time as a child process, says what becomes of every time, and ends in order.

It keeps nothing in memory that matters. Killed and started again it goes on where the state folder says it was: a day that is on is
waited for, a time that came meanwhile is begun or missed by the schedule's own rule, and nothing begins twice, because the day's own
process claims the time.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from gameday.gamedays.schedule.attend import Clock, seed_of
from gameday.gamedays.schedule.decide import Decision, decide
from gameday.gamedays.schedule.files import Watched, digest_of
from gameday.gamedays.schedule.gate import Gate
from gameday.gamedays.schedule.locks import ON, SERVER, held, is_held, opener
from gameday.gamedays.schedule.occurrences import upcoming
from gameday.gamedays.schedule.store import Begun, Store
from gameday.schema.windows import check_zone
from gameday.spi.errors import GamedayError
from gameday.spi.processes import send

LOOK_S = 30.0
"""The clock is looked at least this often: it may be set, and a machine may sleep."""
_BUSY_S = 0.5
_NOTE = timedelta(seconds=15)
"""Up to when was looked is written down this often, where nothing else is."""
_TICK = timedelta(microseconds=1)
_BACK = timedelta(seconds=5)
"""A clock that is set back by more is spoken of."""


class Child(Protocol):
    """The process of a day, as subprocess.Popen has it."""

    @property
    def pid(self) -> int:
        """Its process id."""
        ...

    def poll(self) -> int | None:
        """Return its exit code; None while it runs."""
        ...

    def wait(self) -> int:
        """Wait for its end; return its exit code."""
        ...

    def terminate(self) -> None:
        """Send SIGTERM."""
        ...


Launch = Callable[[Path, datetime], Child]
"""Starts the day of a file for the time that has come, in a process group of its own."""


@dataclass(slots=True, kw_only=True)
class Running:
    """A day that this server started."""

    watched: Watched
    due: datetime
    process: Child


@dataclass(slots=True, kw_only=True)
class Server:
    """Keeps to the schedules of some files with one state folder."""

    files: Sequence[Watched]
    store: Store
    clock: Clock
    launch: Launch
    say: Callable[[str], None]
    look_s: float = LOOK_S
    over: threading.Event = field(default_factory=threading.Event)
    """Set to end it: the day that is on is stopped in the ordinary way, and waited for."""
    running: Running | None = None
    _waiting: dict[tuple[str, datetime], str] = field(default_factory=dict[tuple[str, datetime], str])
    """What was said of times that wait, so that it is said once."""
    _closed: dict[str, str] = field(default_factory=dict[str, str])
    """What was said of calendars that cannot be read."""
    _adopted: Begun | None = None
    _last: datetime | None = None

    def serve(self) -> None:
        """Run until ``over``; raise GamedayError when another server has the state folder."""
        with held(self.store.folder / SERVER) as free:
            if not free:
                hint = "one server takes several files; or name another folder by --state"
                raise GamedayError(f"another server uses {self.store.folder}", hint=hint)
            while not self.over.is_set():
                wait_s = self.step()
                self.over.wait(wait_s)
            self._end()

    def step(self) -> float:
        """Look once; return after how many seconds to look again, at the latest."""
        now = self.clock()
        if self._last is not None and now < self._last - _BACK:
            self.say(f"the clock was set back by {self._last - now}; what has begun does not begin again")
        self._last = now
        self._reap(now)
        wakes = [self._look(watched, now) for watched in self.files]
        longest = min(_BUSY_S if self._busy() or self._waiting else LOOK_S, self.look_s)
        until = min((wake for wake in wakes if wake is not None), default=now + timedelta(seconds=LOOK_S))
        return min(longest, max(0.01, (until - now).total_seconds()))

    def _look(self, watched: Watched, now: datetime) -> datetime | None:
        """Decide on what has come of one file; return when its next time is."""
        first = watched.schedule is None and not watched.broken
        news = watched.refresh()
        if news:
            self.say(f"{watched.path}: {news}")
        schedule = watched.schedule
        if schedule is None:
            return None
        digest, zone = digest_of(schedule), check_zone(schedule.timezone)
        since = self.store.looked(watched.key, digest)
        if since is None or since > now:
            since = now
            self.store.look(watched.key, digest, now)
        if first or news:
            self.say(f"{watched.path}: next is {self._next(watched, now)}")
        gate = watched.gate(now)
        self._say_of(watched, gate)
        decisions = decide(
            schedule,
            gate,
            now=now,
            since=since,
            seed=seed_of(watched.path),
            busy=self._busy(),
            done=self.store.done(watched.key, since) | self._started(watched),
        )
        waiting = {(watched.key, one.due) for one in decisions if one.does != "skip"}
        for place in [place for place in self._waiting if place[0] == watched.key and place not in waiting]:
            del self._waiting[place]
        for decision in decisions:
            self._do(watched, decision, now)
        settled = all(decision.does == "skip" for decision in decisions) and not self._unclaimed(watched)
        if settled and (decisions or now - since >= _NOTE):
            self.store.look(watched.key, digest, now)
        waits = [one.begin for one in decisions if one.does == "wait" and one.begin > now]
        return min([*waits, *upcoming(schedule.cron, zone, now, 1)], default=None)

    def _say_of(self, watched: Watched, gate: Gate | str) -> None:
        """Say once that a calendar lets nothing run, long before anything is due."""
        said = gate if isinstance(gate, str) else ""
        if self._closed.get(watched.key, "") != said:
            self._closed[watched.key] = said
            self.say(f"{watched.path}: {said or 'its calendars can be read again'}")

    def _started(self, watched: Watched) -> frozenset[datetime]:
        running = self.running
        return frozenset({running.due} if running is not None and running.watched is watched else ())

    def _unclaimed(self, watched: Watched) -> bool:
        """Whether a day of the file was started and has not claimed its time yet: killed now, the next server must see that time."""
        return any(due not in self.store.done(watched.key, due - _TICK) for due in self._started(watched))

    def _do(self, watched: Watched, decision: Decision, now: datetime) -> None:
        named = f"{watched.path} of {self._local(watched, decision.due)}"
        place = (watched.key, decision.due)
        match decision.does:
            case "run":
                try:
                    process = self.launch(watched.path, decision.due)
                except OSError as error:
                    self._wait(place, named, f"cannot be started: {error.strerror}")
                    return
                self.running = Running(watched=watched, due=decision.due, process=process)
                self.say(f"{named}: begins (process {process.pid})")
            case "wait":
                self._wait(place, named, decision.why)
            case "skip":
                if self.store.skip(watched.key, decision.due, decision.why, now):
                    self.say(f"{named}: skipped: {decision.why}")

    def _wait(self, place: tuple[str, datetime], named: str, why: str) -> None:
        if self._waiting.get(place) != why:
            self._waiting[place] = why
            self.say(f"{named}: waits: {why}")

    def _busy(self) -> str:
        """Return what is on, in words; empty while nothing is."""
        if self.running is not None:
            return f"{self.running.watched.path} is on"
        if self._adopted is not None:
            return f"{Path(self._adopted.day).name} is on"
        return "another day of this state folder is on" if is_held(self.store.folder / ON) else ""

    def _reap(self, now: datetime) -> None:
        running = self.running
        if running is not None and (code := running.process.poll()) is not None:
            self.running = None
            self._ended(running, code, now)
        if self.running is None:
            self._look_after(now)

    def _ended(self, running: Running, code: int, now: datetime) -> None:
        key, named = running.watched.key, f"{running.watched.path} of {self._local(running.watched, running.due)}"
        ended_now = self.store.end(key, running.due, code, now, pid=running.process.pid)
        if ended_now or self.store.was_begun_by(key, running.due, running.process.pid):
            self.say(f"{named}: ended with exit code {code}")
        else:
            self.store.refuse(key, running.due, code, now)
            self.say(f"{named}: did not begin (exit code {code})")

    def _look_after(self, now: datetime) -> None:
        """Find the day that an earlier server started: still on, or ended without anybody who saw it."""
        claimed = self.store.unfinished()
        still = is_held(self.store.folder / ON)  # after the claims: a day takes the lock before it claims
        for begun in claimed:
            named = f"{begun.day} of {begun.due:%Y-%m-%d %H:%M} UTC"
            if still:
                if self._adopted != begun:
                    self._adopted = begun
                    self.say(f"{named}: is on, started by an earlier server (process {begun.pid})")
                return
            if self.store.end(begun.day, begun.due, None, now, pid=begun.pid):
                self.say(
                    f"{named}: ended and nobody saw how; gameday day resume goes on with it, gameday recover --all undoes"
                )
        if self._adopted is not None and not still:
            self.say(f"{Path(self._adopted.day).name}: the day of the earlier server has ended")
            self._adopted = None

    def _end(self) -> None:
        """Stop the day that is on, and wait for its end: faults are reverted, and the verdict is written."""
        if self.running is not None:
            self.say(f"{self.running.watched.path}: is stopped, because the server ends")
            self.running.process.terminate()
            code, claimed = self.running.process.wait(), not self._unclaimed(self.running.watched)
            if claimed:  # else the next server begins it, if it may still begin then
                self._ended(self.running, code, self.clock())
            self.running = None
        elif self._adopted is not None and (ref := opener(self.store.folder / ON, self._adopted.pid)) is not None:
            self.say(f"{self._adopted.day}: is stopped, because the server ends")
            send(ref, signal.SIGTERM)
            while is_held(self.store.folder / ON):
                threading.Event().wait(_BUSY_S)
        self.say("the server has ended")

    def _local(self, watched: Watched, when: datetime) -> str:
        zone = check_zone(watched.schedule.timezone) if watched.schedule is not None else None
        return f"{when.astimezone(zone):%Y-%m-%d %H:%M %Z}"

    def _next(self, watched: Watched, now: datetime) -> str:
        schedule = watched.schedule
        if schedule is None:
            return "nothing"
        times = upcoming(schedule.cron, check_zone(schedule.timezone), now, 1)
        return self._local(watched, times[0]) if times else "never"
