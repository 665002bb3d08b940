"""The moments that a cron expression means in a time zone: the grammar by a library, the change of clocks by two rules of ours.

The grammar is CronSim's (no dependency of its own, kept since 2021, used by Healthchecks and Home Assistant): Debian's cron. It is
asked for times of the wall clock only: its own handling of clocks that change is Debian's, which differs between ``0 2 * * *`` and
``*/30 2 * * *``, and steps by whole hours, so that ``0 */3 * * *`` loses a run where a zone moves by half an hour. Of its peers
croniter has had times that go backwards at such changes, and APScheduler brings jobs and stores of its own, where a time must be
claimed by the day's process.

The rules, the same for every expression and zone:

- A time that clocks skip is the first moment after the gap. Times that fall together there are one run.
- A time that comes twice is the first of the two.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from cronsim import CronSim

_LONGEST_CHANGE = timedelta(hours=26)
"""Islands have left out a whole day when they moved to the other side of the date line."""


def moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment (in UTC) that a time of the wall clock, without a zone, means."""
    first = wall.replace(tzinfo=zone, fold=0)
    there = first.astimezone(UTC)
    if there.astimezone(zone).replace(tzinfo=None) == wall:
        return there
    return _after_gap(wall, zone)


def _after_gap(wall: datetime, zone: ZoneInfo) -> datetime:
    """Return the first moment after the gap that a time is in, found by halving: to the second."""
    later = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)  # the offset before the change: a moment after it
    earlier = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)  # the offset after the change: a moment before it
    before = earlier.astimezone(zone).utcoffset()
    while later - earlier > timedelta(seconds=1):
        middle = earlier + timedelta(seconds=(later - earlier) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == before:
            earlier = middle
        else:
            later = middle
    return later


def after(cron: str, zone: ZoneInfo, when: datetime) -> Iterator[datetime]:
    """Yield the moments (in UTC) after ``when``, each later than the one before; ends when there is none for 50 years."""
    wall = when.astimezone(zone).replace(tzinfo=None) - _LONGEST_CHANGE
    last = when.astimezone(UTC)
    for time in CronSim(cron, wall):
        found = moment(time, zone)
        if found > last:
            last = found
            yield found


def between(cron: str, zone: ZoneInfo, when: datetime, until: datetime, most: int) -> tuple[datetime, ...]:
    """Return the moments after ``when`` up to and with ``until``; of more than ``most``, the last ones."""
    found: list[datetime] = []
    wall = until.astimezone(zone).replace(tzinfo=None) + _LONGEST_CHANGE
    for time in CronSim(cron, wall, reverse=True):
        one = moment(time, zone)
        if one <= when or len(found) >= most:
            break
        if one <= until and (not found or one < found[-1]):
            found.append(one)
    return tuple(reversed(found))


def latest(cron: str, zone: ZoneInfo, now: datetime) -> datetime | None:
    """Return the last moment up to and with ``now``; None where there was none for 50 years."""
    found = between(cron, zone, datetime.min.replace(tzinfo=UTC), now, 1)
    return found[0] if found else None


def upcoming(cron: str, zone: ZoneInfo, when: datetime, count: int) -> tuple[datetime, ...]:
    """Return the next moments after ``when``, at most ``count``."""
    return tuple(islice(after(cron, zone, when), count))
