"""Days, times of day and moments of a policy or a schedule, each in a time zone of its own.

A window is of the wall clock: where clocks go forward, an hour of it does not happen; where they go back, it happens twice, and both
are inside. A moment that the clock skips is taken as if the clock had not been changed yet, one that happens twice as the first
(PEP 495, fold 0).
"""

from __future__ import annotations

import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"([01]\d|2[0-4]):([0-5]\d)")
_WHOLE_DAY = 24 * 60


def check_zone(name: str) -> ZoneInfo:
    """Return a time zone; raise ValueError for a name that the database does not have."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"no time zone is called {name!r}; write one like Europe/London") from None


def check_days(text: str) -> frozenset[int]:
    """Return weekdays (0 is Monday) of ``mon-thu`` or ``mon,wed``; raise ValueError."""
    found: set[int] = set()
    for part in text.lower().replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first not in _DAYS or (last or first) not in _DAYS:
            raise ValueError(f"no days: {text!r}; write mon-thu, or mon,wed,fri")
        begin, end = _DAYS.index(first), _DAYS.index(last or first)
        found |= {day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)}
    return frozenset(found)


def check_clock(text: str) -> int:
    """Return minutes since midnight of ``09:30``, up to ``24:00``; raise ValueError."""
    match = _CLOCK.fullmatch(text)
    minutes = int(match[1]) * 60 + int(match[2]) if match else _WHOLE_DAY + 1
    if minutes > _WHOLE_DAY:
        raise ValueError(f"no time of day: {text!r}; write one like 09:30")
    return minutes


def check_moment(text: str, zone: str) -> datetime:
    """Return the moment of a day (its beginning) or of a day and time in a zone; raise ValueError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"no day or moment: {text!r}; write 2026-12-24, or 2026-12-24T18:00") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=check_zone(zone))


def inside(days: str, begin: str, end: str, zone: str, moment: datetime) -> bool:
    """Whether a moment (with a zone of its own) is inside a window."""
    there = moment.astimezone(check_zone(zone))
    minute = there.hour * 60 + there.minute
    return there.weekday() in check_days(days) and check_clock(begin) <= minute < check_clock(end)


def closes(end: str, zone: str, moment: datetime) -> datetime:
    """Return when the window that a moment is inside of closes on that day."""
    there = moment.astimezone(check_zone(zone))
    minutes = check_clock(end)
    day = there.date() + timedelta(days=minutes // _WHOLE_DAY)
    return datetime.combine(day, time(minutes % _WHOLE_DAY // 60, minutes % 60), tzinfo=there.tzinfo)
