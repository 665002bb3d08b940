"""A schedule as a systemd service and its timer (systemd 246 or later).

``KillMode=process``: what reverts the faults of a day that was killed must not be killed with it.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from gameday.gamedays.schedule.export.exported import Exported, asks_both, fields

_DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
DELAY = timedelta(minutes=1)
"""systemd is on time; what it starts later was missed, while the machine was off or slept."""


def calendar(exported: Exported) -> tuple[str, ...]:
    """Return the values of ``OnCalendar=``, which systemd joins by "or", as cron joins the two fields of days."""
    found = fields(exported.schedule.cron)
    times = ":".join(_list(found[name], "{:02}") for name in ("hours", "minutes"))
    months, days = _list(found["months"], "{:02}"), _list(found["days"], "{:02}")
    week = ",".join(_DAYS[number] for number in found["weekdays"])
    zone = exported.schedule.timezone
    either = bool(found["days"] and week) and not asks_both(exported.schedule.cron)
    if either:
        return f"*-{months}-{days} {times}:00 {zone}", f"{week} *-{months}-* {times}:00 {zone}"
    return (f"{week} *-{months}-{days} {times}:00 {zone}".strip(),)


def _list(numbers: tuple[int, ...], form: str) -> str:
    return ",".join(map(form.format, numbers)) or "*"


def units(exported: Exported, program: Path, folder: Path) -> dict[str, str]:
    """Return file name → text of both units; ``program`` is gameday's and ``folder`` where it runs, both absolute."""
    command = [str(program), *exported.arguments(DELAY), "--state", "%S/gameday-schedule"]
    state_at = len(command) - 1
    words = [word if at == state_at else _quoted(word) for at, word in enumerate(command)]
    comment = "".join(f"# {' '.join(line.split())}\n" for line in exported.header)
    service = f"""{comment}[Unit]
Description={_escaped(exported.title)}

[Service]
Type=oneshot
WorkingDirectory={_escaped(str(folder))}
StateDirectory=gameday-schedule
ExecStart={" ".join(words)}
# Only the day itself is stopped; it, or what watches over it, reverts the faults.
KillMode=process
TimeoutStopSec=5min
"""
    lines = "".join(f"OnCalendar={one}\n" for one in calendar(exported))
    timer = f"""{comment}[Unit]
Description={_escaped(exported.title)}

[Timer]
{lines}Persistent={"true" if exported.schedule.if_missed else "false"}
AccuracySec=1s

[Install]
WantedBy=timers.target
"""
    return {f"{exported.name}.service": service, f"{exported.name}.timer": timer}


def _escaped(text: str) -> str:
    return " ".join(text.split()).replace("%", "%%")


def _quoted(word: str) -> str:
    """Return one word of a command line as systemd reads it: no variable, no specifier, no separator."""
    text = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{text}"'
