"""``gameday day watch``: a day from another terminal, as a role may see it."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from gameday.cli.completing import complete_days
from gameday.cli.outcome import say
from gameday.model import Verdict

EPILOG = """\b
Examples:
  gameday day watch runs/day-20261124T100000Z-brown-out-1a2b
  gameday day watch runs/day-20261124T100000Z-brown-out-1a2b --role coordinator
"""
_LOOK_SECONDS = 0.2


@click.command(epilog=EPILOG)
@click.argument(
    "day_folder",
    metavar="DAY",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    shell_complete=complete_days,
)
@click.option(
    "--role",
    type=click.Choice(["owner", "coordinator", "reporter", "responder", "observer"]),
    help="As what; default: the file's role for $USER, or observer.",
)
@click.option("--by", metavar="PERSON", help="Who watches; default: $USER.")
def watch(*, day_folder: Path, role: str | None, by: str | None) -> None:
    """Follow the day in the folder DAY until it is over or stopped; read only: Ctrl-C ends the watching, never the day.

    Responders and observers see of a blind experiment that something is on, and not what, until the debrief. That is honesty among
    colleagues, no access control: the day's folder says it all. The exit code is the verdict's, or 4 when the day was stopped or lost.
    """
    from gameday.cli.daydesk import me  # noqa: PLC0415 - heavy
    from gameday.cli.faces import stamped  # noqa: PLC0415 - heavy
    from gameday.cli.terminal import printable  # noqa: PLC0415 - heavy
    from gameday.gamedays.day.folder import read_day  # noqa: PLC0415 - heavy
    from gameday.gamedays.day.progress import read_progress  # noqa: PLC0415 - heavy
    from gameday.gamedays.day.view import View  # noqa: PLC0415 - heavy

    day = read_day(day_folder)
    view = View(file=day.file, role=role or day.file.people.role_of(by or me()) or "observer")
    seen = 0
    while True:
        led = bool(day.leader)
        day = read_day(day_folder)
        for event in day.events[seen:]:
            for line in view.lines(event):
                click.echo(stamped(printable(line), event.wall))
        seen = len(day.events)
        if not led:
            break
        time.sleep(_LOOK_SECONDS)
    progress = read_progress(day.events)
    if progress.closed:
        sys.exit(Verdict.from_word(str(day.events[-1].data["verdict"])).exit_code)
    say("nobody leads it now; the day goes on with: gameday day resume " + str(day_folder), err=True)
    sys.exit(Verdict.ABORTED.exit_code)
