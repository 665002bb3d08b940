"""What becomes of the times that have come: a function of the schedule, the clock and what has been decided before.

- A day begins at most ``GRACE`` after its time, or as late as ``if_missed: run within D`` says. Later it was missed.
- Of several times that have come, only the last can still begin.
- What is closed at that moment (window, blackout, a calendar that cannot be read) is skipped, not put off.
- While another day is on, one that is due waits as long as it may still begin, and is then skipped.
- The jitter puts a begin off by a part of it that only the file and the time decide: the same after a restart, on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from gameday.gamedays.schedule.gate import Gate
from gameday.gamedays.schedule.occurrences import between
from gameday.schema.day.schedule import Schedule
from gameday.schema.units import format_duration
from gameday.schema.windows import check_zone

GRACE = timedelta(seconds=60)
"""The server looks at least every 30 s."""
MOST = 200
"""Times that are named when they were missed; of more, the last ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of one time."""

    due: datetime
    does: Literal["run", "wait", "skip"]
    why: str = ""
    """For people; empty for ``run``."""
    begin: datetime
    """Its time with the jitter."""


def put_off(schedule: Schedule, seed: str, due: datetime) -> datetime:
    """Return when a day that is due begins: at most the jitter later, evenly spread, by SHA-256 of the seed and the time."""
    digest = hashlib.sha256(f"{seed}\n{due.timestamp():.0f}".encode()).digest()
    share = int.from_bytes(digest[:8], "big") / 2**64
    return due + timedelta(milliseconds=int(schedule.jitter * share))


def may_be_late(schedule: Schedule, at_least: timedelta = GRACE) -> timedelta:
    """Return how late a day may begin."""
    return max(at_least, timedelta(milliseconds=schedule.if_missed))


def decide(
    schedule: Schedule,
    gate: Gate | str,
    *,
    now: datetime,
    since: datetime,
    seed: str,
    busy: str = "",
    done: AbstractSet[datetime] = frozenset(),
) -> tuple[Decision, ...]:
    """Decide on every time after ``since`` up to ``now`` that is not ``done``, the earliest first.

    ``gate`` may be a text: why nothing is known of the blackouts. ``busy`` says what is on, or is empty.
    """
    times = between(schedule.cron, check_zone(schedule.timezone), since, now, MOST)
    open_ones = [due for due in times if due not in done]
    return tuple(
        _one(schedule, gate, due, now=now, seed=seed, busy=busy)
        if due == times[-1]
        else _skip(schedule, seed, due, "missed: a later time has come, too")
        for due in open_ones
    )


def _skip(schedule: Schedule, seed: str, due: datetime, why: str) -> Decision:
    return Decision(due=due, does="skip", why=why, begin=put_off(schedule, seed, due))


def _one(schedule: Schedule, gate: Gate | str, due: datetime, *, now: datetime, seed: str, busy: str) -> Decision:
    begin = put_off(schedule, seed, due)
    if now < begin:
        return Decision(due=due, does="wait", why=f"jitter: begins at {begin:%H:%M:%S} UTC", begin=begin)
    late, most = now - begin, may_be_late(schedule)
    if late > most:
        why = f"missed: {_text(late)} late, and {_text(most)} is the most"
        return _skip(schedule, seed, due, f"overlap: {busy}" if busy else why)
    closed = gate if isinstance(gate, str) else gate.closed(now)
    if closed:
        return _skip(schedule, seed, due, closed)
    if busy:
        return Decision(due=due, does="wait", why=f"overlap: {busy}", begin=begin)
    return Decision(due=due, does="run", begin=begin)


def _text(length: timedelta) -> str:
    return format_duration(int(length.total_seconds()) * 1000)
