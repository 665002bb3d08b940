"""``gameday day serve`` and ``gameday day next``: game days that begin by themselves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gameday.cli.options import format_option, output_option

if TYPE_CHECKING:
    from gameday.gamedays.schedule.gate import Gate
    from gameday.gamedays.schedule.upcoming import Upcoming
    from gameday.schema.day.schedule import Schedule

SERVE_EPILOG = """\b
Examples:
  gameday day serve gamedays/payments.yaml
  gameday day serve gamedays/*.yaml --state /var/lib/gameday-schedule
"""
NEXT_EPILOG = """\b
Examples:
  gameday day next gamedays/payments.yaml
  gameday day next gamedays/*.yaml -n 3 --format json
"""
_FILES = click.argument(
    "paths", metavar="FILE…", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)


@click.command(epilog=SERVE_EPILOG)
@_FILES
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where it remembers what has begun; default: schedule/ in the lasting state folder of gameday.",
)
@output_option("Where the days' folders go.")
def serve(*, paths: tuple[Path, ...], state: Path | None, output: Path) -> None:
    """Begin each day at the times of its schedule, one at a time, until SIGTERM or Ctrl-C.

    It survives being killed: started again with the same --state it goes on, and nothing begins twice. Ending it stops the day
    that is on, faults reverted. A file that changes is read again; one that is broken is left alone until it is mended.
    """
    from gameday.gamedays.schedule.attend import system_clock  # noqa: PLC0415 - heavy
    from gameday.gamedays.schedule.files import Watched, read_schedule  # noqa: PLC0415
    from gameday.gamedays.schedule.serve import Server  # noqa: PLC0415
    from gameday.gamedays.schedule.store import Store  # noqa: PLC0415
    from gameday.undo.state import lasting_dir  # noqa: PLC0415

    for path in paths:
        read_schedule(path)  # what is wrong from the beginning is a user's mistake, not a day's
    store = Store(state or lasting_dir() / "schedule")
    server = Server(
        files=[Watched(path=path) for path in dict.fromkeys(path.absolute() for path in paths)],
        store=store,
        clock=system_clock,
        launch=Launcher(state=store.folder, output=output),
        say=_say,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: server.over.set())
    server.serve()


class Launcher:
    """Starts days as processes of their own, each with a file of what it says."""

    def __init__(
        self, state: Path, output: Path, command: tuple[str, ...] = (sys.executable, "-P", "-m", "gameday")
    ) -> None:
        self._state, self._output, self._command = state, output, command

    def __call__(self, path: Path, due: datetime) -> subprocess.Popen[bytes]:
        """Start the day of a file, in a process group of its own: Ctrl-C is for the server, which then stops it once."""
        logs = self._state / "logs"
        logs.mkdir(mode=0o700, exist_ok=True)
        log = logs / f"{path.stem}-{due:%Y%m%dT%H%MZ}.log"
        _say(f"{path}: what it says is in {log}")
        arguments = ("day", "run", str(path), "--unattended", "--scheduled", "--due", due.isoformat())
        folders = ("--output", str(self._output.absolute()), "--state", str(self._state.absolute()))
        with log.open("ab") as output:
            return subprocess.Popen(  # noqa: S603 - ours
                [*self._command, *arguments, *folders],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )


def _say(line: str) -> None:
    click.echo(f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S %z} {line}")


@click.command("next", epilog=NEXT_EPILOG)
@_FILES
@click.option(
    "-n", "count", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many times of each file."
)
@format_option
def next_(*, paths: tuple[Path, ...], count: int, form: str) -> None:
    """List the next times of each file's schedule, those that are skipped with the reason."""
    from gameday.gamedays.schedule.attend import seed_of, system_clock  # noqa: PLC0415 - heavy
    from gameday.gamedays.schedule.files import read_schedule  # noqa: PLC0415
    from gameday.gamedays.schedule.gate import open_gate  # noqa: PLC0415
    from gameday.gamedays.schedule.spans import CalendarError  # noqa: PLC0415
    from gameday.gamedays.schedule.upcoming import next_times  # noqa: PLC0415

    now = system_clock()
    found: list[tuple[Path, Schedule, tuple[Upcoming, ...]]] = []
    for path in paths:
        schedule = read_schedule(path)
        gate: Gate | str
        try:
            gate = open_gate(schedule, path.absolute().parent, now)
        except CalendarError as error:
            gate = str(error)
        found.append((path, schedule, next_times(schedule, gate, seed_of(path), now, count)))
    if form == "json":
        click.echo(json.dumps([_document(*one) for one in found], indent=2, ensure_ascii=False))
        return
    for one in found:
        _show(*one)


def _document(path: Path, schedule: Schedule, times: tuple[Upcoming, ...]) -> dict[str, object]:
    return {
        "schema": "gameday/next/1",
        "file": str(path),
        "cron": schedule.cron,
        "timezone": schedule.timezone,
        "times": [
            {"due": one.due.isoformat(), "begin": one.begin.isoformat(), "runs": not one.skipped, "why": one.skipped}
            for one in times
        ],
    }


def _show(path: Path, schedule: Schedule, times: tuple[Upcoming, ...]) -> None:
    from zoneinfo import ZoneInfo  # noqa: PLC0415

    click.echo(f"{path}: {schedule.cron}, {schedule.timezone}")
    for one in times:
        local = one.begin.astimezone(ZoneInfo(schedule.timezone))
        says = f"skipped: {one.skipped}" if one.skipped else "runs"
        click.echo(f"  {local:%a %Y-%m-%d %H:%M:%S %Z}  {one.begin:%H:%M:%S} UTC  {says}")
    if not times:
        click.echo("  never")
