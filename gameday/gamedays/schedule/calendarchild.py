"""The child that reads one calendar: its bytes on stdin; zone, both ends and seconds of processor time in argv; one JSON answer on stdout.

What is in doubt is refused, because the libraries are lenient where this must not be: a property that cannot be read is left out, and a
zone that nobody knows is taken as none. An event counts whether it is marked as busy or free (holidays are free in most calendars);
one that is cancelled does not.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

MEMORY = 1 << 30
MAX_EVENTS = 2_000
MAX_OCCURRENCES = 10_000
_TOO_OFTEN = {"SECONDLY", "MINUTELY"}


class _RefusedError(Exception):
    """The calendar cannot be relied on."""


def main() -> int:
    """Read, expand, answer; an answer ``{"error": …}`` is a refusal in words."""
    zone, begin, end, seconds = sys.argv[1:5]
    resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds)))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        events = _events(
            sys.stdin.buffer.read(), ZoneInfo(zone), datetime.fromisoformat(begin), datetime.fromisoformat(end)
        )
        answer: dict[str, Any] = {"events": sorted(events)}
    except _RefusedError as error:
        answer = {"error": str(error)}
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RecursionError, MemoryError) as error:
        answer = {"error": f"it is no calendar that could be relied on: {_short(error)}"}
    sys.stdout.write(json.dumps(answer))
    return 0


def _short(error: BaseException) -> str:
    line = " ".join(str(error).split()) or type(error).__name__
    return line[:200]


def _events(data: bytes, zone: ZoneInfo, begin: datetime, end: datetime) -> list[tuple[str, str, str]]:
    import recurring_ical_events  # noqa: PLC0415 - only after the limits are set  # pyright: ignore[reportMissingTypeStubs]
    from icalendar import Calendar  # noqa: PLC0415

    calendars: Any = Calendar.from_ical(data.decode("utf-8-sig"), multiple=True)
    if not calendars or any(calendar.name != "VCALENDAR" for calendar in calendars):
        raise _RefusedError("it is no calendar: there is no BEGIN:VCALENDAR")
    found: list[tuple[str, str, str]] = []
    for calendar in calendars:
        _check(calendar)
        events: Any = recurring_ical_events.of(calendar).between(begin, end)
        for event in events:
            if str(event.get("STATUS", "")).upper() == "CANCELLED":
                continue
            first, last = (_moment(event[name].dt, zone) for name in ("DTSTART", "DTEND"))
            found.append((first.isoformat(), last.isoformat(), str(event.get("SUMMARY", "an event without a summary"))))
            if len(found) > MAX_OCCURRENCES:
                raise _RefusedError(f"it has more than {MAX_OCCURRENCES:,} occurrences")
    return found


def _moment(value: date | datetime, zone: ZoneInfo) -> datetime:
    """Return a moment in UTC: a day begins at midnight of the schedule's zone, and a time without a zone is of that."""
    stamp = value if isinstance(value, datetime) else datetime.combine(value, time())
    return (stamp if stamp.tzinfo else stamp.replace(tzinfo=zone)).astimezone(UTC)


def _check(calendar: Any) -> None:
    events = calendar.walk("VEVENT")
    if len(events) > MAX_EVENTS:
        raise _RefusedError(f"it has more than {MAX_EVENTS:,} events")
    for component in calendar.walk():
        for name, error in component.errors:
            raise _RefusedError(f"{_named(component)}: {name} cannot be read: {_short(error)}")
    for event in events:
        _check_event(event)


def _check_event(event: Any) -> None:
    if "DTSTART" not in event:
        raise _RefusedError(f"{_named(event)}: it has no DTSTART")
    start = event["DTSTART"].dt
    if isinstance(start, datetime) and "DTEND" not in event and "DURATION" not in event:
        raise _RefusedError(f"{_named(event)}: it has neither DTEND nor DURATION")
    for name, value in _dated(event):
        zone = value.params.get("TZID")
        if zone and any(isinstance(stamp, datetime) and stamp.tzinfo is None for stamp in _stamps(value)):
            raise _RefusedError(f"{_named(event)}: {name} is in {zone}, which is no known time zone")
    for rule in _listed(event.get("RRULE")):
        often = {str(one).upper() for one in rule.get("FREQ", [])} & _TOO_OFTEN
        if often:
            raise _RefusedError(f"{_named(event)}: it repeats {often.pop()}; a blackout has a begin and an end")


def _dated(event: Any) -> Iterator[tuple[str, Any]]:
    for name in ("DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE", "RDATE"):
        yield from ((name, value) for value in _listed(event.get(name)))


def _listed(value: Any) -> list[Any]:
    return [] if value is None else value if isinstance(value, list) else [value]  # pyright: ignore[reportUnknownVariableType]


def _stamps(value: Any) -> Iterator[Any]:
    yield from (one.dt for one in value.dts) if hasattr(value, "dts") else (value.dt,)


def _named(component: Any) -> str:
    return f"the event {' '.join(str(component.get('SUMMARY', component.get('UID', 'without a name'))).split())[:60]!r}"


if __name__ == "__main__":
    sys.exit(main())
