"""Blackouts from iCalendar files, read by a child whose time and memory are bounded.

A file of a few lines can hold a rule that takes minutes to expand (``FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30`` is looked for until the year
9999), so the child (calendarchild) has a limit of processor time: a slow machine changes nothing in what is accepted.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path

from gameday.gamedays.schedule.spans import CalendarError, Span

MAX_BYTES = 1 << 20
CPU_S = 10
_LONGEST_SUMMARY = 80
_PATIENCE_S = 120
"""For a child that is never given the processor; its own limit is seconds of it."""
_HINT = "mend it; no day of this file runs without it"


def read_calendar(path: Path, zone: str, begin: datetime, end: datetime) -> tuple[Span, ...]:
    """Return each event that overlaps ``begin`` to ``end``, by its begin; raise CalendarError when the file is in any doubt."""
    if find_spec("recurring_ical_events") is None or find_spec("icalendar") is None:
        raise CalendarError(
            f"{path} is a calendar, and what reads those is not installed: pip install 'gameday-runner[calendar]'",
            hint="install it; no day of this file runs without it",
        )
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise CalendarError(f"{path} cannot be read: {error.strerror}", hint=_HINT) from error
    if len(data) > MAX_BYTES:
        raise CalendarError(f"{path} is larger than 1 MiB", hint="keep the events of the years that matter")
    answer = _asked(path, zone, data, begin, end)
    if "error" in answer:
        raise CalendarError(f"{path}: {answer['error']}", hint=_HINT)
    return tuple(
        Span(
            begin=datetime.fromisoformat(first),
            end=datetime.fromisoformat(last),
            says=f"{path.name}: {_line(summary)}",
        )
        for first, last, summary in answer["events"]
    )


def _asked(path: Path, zone: str, data: bytes, begin: datetime, end: datetime) -> dict[str, list[tuple[str, str, str]]]:
    command = [sys.executable, "-P", "-m", "gameday.gamedays.schedule.calendarchild"]
    try:
        child = subprocess.run(  # noqa: S603 - ours
            [*command, zone, begin.isoformat(), end.isoformat(), str(CPU_S)],
            input=data,
            capture_output=True,
            timeout=_PATIENCE_S,
            check=False,
        )
        answer = json.loads(child.stdout) if child.returncode == 0 else None
    except (subprocess.TimeoutExpired, OSError, ValueError):
        answer = None
    if not isinstance(answer, dict):
        raise CalendarError(f"{path} takes too long, or too much memory, to expand", hint=_HINT)
    return answer  # pyright: ignore[reportUnknownVariableType]


def _line(text: str) -> str:
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    line = " ".join(line.split())
    return line if len(line) <= _LONGEST_SUMMARY else line[: _LONGEST_SUMMARY - 1] + "…"
