"""``gameday day run`` and ``gameday day resume``: lead through a game day on this terminal."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from gameday.cli.completing import complete_days, complete_experiments
from gameday.cli.dayscheduled import Kept, When, scheduled_options
from gameday.cli.loading import Entry, Given
from gameday.cli.options import format_option, output_option
from gameday.cli.outcome import alarm, say
from gameday.cli.terminal import can_ask
from gameday.cli.variables import variable_options
from gameday.model import Verdict
from gameday.spi.errors import GamedayError

if TYPE_CHECKING:
    from gameday.cli.daydesk import TerminalDesk
    from gameday.cli.running import Ran
    from gameday.gamedays.day.folder import DayFolder
    from gameday.gamedays.day.session import DayUnwritableError, Session
    from gameday.journal.writer import Journal
    from gameday.runner.ending import Judged
    from gameday.schema.day.loader import LoadedDay
    from gameday.schema.day.roles import Roles
    from gameday.schema.loader import Loaded

RUN_EPILOG = """\b
Examples:
  gameday day run gamedays/brown-out.yaml
  gameday day run gamedays/brown-out.yaml --by ben@example.com --role coordinator
  gameday day run gamedays/nightly.yaml --unattended
  gameday day run gamedays/nightly.yaml --unattended --scheduled
"""
RESUME_EPILOG = """\b
Example:
  gameday day resume runs/day-20261124T100000Z-brown-out-1a2b
"""
_ROLES = click.Choice(["owner", "coordinator", "reporter", "responder", "observer"])


def leader_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """``--by``, ``--role`` and ``--attended/--unattended`` of who leads."""
    attended = click.option(
        "--attended/--unattended",
        default=None,
        help="Whether somebody is there to answer; default: whether standard input is a terminal.",
    )
    role = click.option("--role", type=_ROLES, help="As what; default: the file's role for --by, or coordinator.")
    by = click.option("--by", metavar="PERSON", help="Who leads; default: $USER.")
    return by(role(attended(command)))


@click.command(epilog=RUN_EPILOG)
@click.argument(
    "path",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    shell_complete=complete_experiments,
)
@variable_options
@leader_options
@output_option("Where the day's folder goes.")
@format_option
@scheduled_options
def run(
    *,
    path: Path,
    variables: dict[str, str],
    secret_values: dict[str, str],
    by: str | None,
    role: str | None,
    attended: bool | None,
    output: Path,
    form: str,
    when: When,
) -> None:
    """Lead through the game day FILE: show each item, ask what people do and decide, run its experiments, judge the whole.

    At every question there are also: note TEXT, mark paged|noticed|mitigated, stop. Ctrl-C stops the day, its experiment reverted;
    `gameday day resume` goes on. Where nobody is there (no terminal, or --unattended), what only people can do is left out, and the day
    is inconclusive.
    """
    from gameday.gamedays.day.opening import environment_refusals, open_day  # noqa: PLC0415 - heavy

    given = Given(variables=variables, secret_values=secret_values)
    loaded, experiments = _whole(path, given)
    desk = _desk(loaded.day.people, by=by, role=role, attended=attended)
    refusals = environment_refusals(loaded.day.environment, experiments)
    kept = when.keep(path)
    folder, journal = open_day(loaded, variables, desk, output=output)
    kept.folder = folder
    session = _session(loaded, folder, journal, desk, given)
    if refusals:
        from gameday.gamedays.day.leading import refuse  # noqa: PLC0415 - heavy

        refuse(session, "environment", "; ".join(refusals))
        _end(session, session.close(), form, kept)
    desk.say(f"day {folder.name}: {loaded.day.title}")
    desk.say(f"others join with: gameday day watch {folder.path}")
    _lead(session, loaded, form, kept)


@click.command(epilog=RESUME_EPILOG)
@click.argument(
    "day_folder",
    metavar="DAY",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    shell_complete=complete_days,
)
@variable_options
@leader_options
@format_option
def resume(
    *,
    day_folder: Path,
    variables: dict[str, str],
    secret_values: dict[str, str],
    by: str | None,
    role: str | None,
    attended: bool | None,
    form: str,
) -> None:
    """Go on with the day in the folder DAY where it was stopped, or where its leader was lost.

    First whatever its last experiment left is undone. That experiment counts as not done: it is run again, or left out, as you choose.
    A day that is finished, or whose leader is alive, is refused; so is one whose file was changed since.
    """
    from gameday.gamedays.day.opening import DayDirtyError, resumable, resume_day  # noqa: PLC0415 - heavy

    day = resumable(day_folder)
    source = Path(str(day.plan["source"]))
    given = Given(variables={**day.plan["variables"], **variables}, secret_values=secret_values)
    if not source.is_file():
        raise GamedayError(f"the game-day file is gone: {source}", hint="restore it, or begin a new day")
    loaded, _ = _whole(source, given)
    if loaded.digest != day.plan["digest"]:
        raise GamedayError(
            f"{source} was changed since the day began", hint=f"restore it from {day.folder.file}, or begin a new day"
        )
    desk = _desk(day.file.people, by=by, role=role, attended=attended)
    try:
        resumed = resume_day(day, desk, lambda text: say(text, err=True))
    except DayDirtyError as error:
        say(f"DIRTY: {error}; then: {error.hint}", err=True)
        sys.exit(Verdict.DIRTY.exit_code)
    _lead(_session(loaded, resumed.day.folder, resumed.journal, desk, given), loaded, form)


def _whole(path: Path, given: Given) -> tuple[LoadedDay, tuple[Loaded, ...]]:
    """Load everything, or print every error and end the program."""
    from gameday.cli.dayloading import load_plan  # noqa: PLC0415 - heavy

    whole = load_plan(path, given, require_values=True)
    assert whole.loaded is not None  # noqa: S101 - it ends the program otherwise
    return whole.loaded, tuple(one for each in whole.experiments.values() for one in each)


def _desk(people: Roles, *, by: str | None, role: str | None, attended: bool | None) -> TerminalDesk:
    from gameday.cli.daydesk import TerminalDesk, me  # noqa: PLC0415 - heavy

    who = by or me()
    there = can_ask() if attended is None else attended
    return TerminalDesk(by=who, role=role or people.role_of(who) or "coordinator", attended=there)


def _session(loaded: LoadedDay, folder: DayFolder, journal: Journal, desk: TerminalDesk, given: Given) -> Session:
    from gameday.gamedays.day.session import Session  # noqa: PLC0415 - heavy

    laboratory = _InProcess(loaded, folder, desk, given)
    desk.listen()
    return Session(folder=folder, file=loaded.day, journal=journal, desk=desk, laboratory=laboratory)


class _InProcess:
    """Runs experiments in this process, as ``gameday run`` does: Ctrl-C, the watchdog and the undo are the same."""

    def __init__(self, loaded: LoadedDay, folder: DayFolder, desk: TerminalDesk, given: Given) -> None:
        self._loaded, self._folder, self._desk, self._given = loaded, folder, desk, given
        self.done: list[Ran] = []

    def load(self, place: tuple[str, int], builtins: Callable[[int], Mapping[str, str]]) -> tuple[Loaded, ...]:
        """Load the experiment of an item."""
        from gameday.cli.dayloading import load_item  # noqa: PLC0415 - heavy

        day = self._loaded.day
        item: Any = day.agenda[place[1]] if place[0] == "agenda" else day.prerequisites[place[1]]
        return load_item(self._loaded, item, self._given, builtins=builtins)

    def carry_out(self, loaded: Loaded, *, run_id: str, seed: int, blind: bool) -> Judged:
        """Run it."""
        from gameday.cli.running import run_one  # noqa: PLC0415 - heavy

        try:
            entry, label = Entry(run_id=run_id, seed=seed, loaded=loaded), f"of {self._loaded.day.title}"
            ran = run_one(entry, output=self._folder.runs, label=label, blind=blind)
            alarm(ran.judged.document, err=True)
            self.done.append(ran)
            return ran.judged
        finally:
            self._desk.listen()

    def settle(self) -> None:
        """Wait a moment for what runs still tell people."""
        from gameday.cli.running import settle  # noqa: PLC0415 - heavy

        settle(self.done)


def _lead(session: Session, loaded: LoadedDay, form: str, kept: Kept | None = None) -> None:
    from gameday.cli.daynotify import day_teller  # noqa: PLC0415 - heavy
    from gameday.gamedays.day.leading import lead  # noqa: PLC0415 - heavy
    from gameday.gamedays.day.session import DayUnwritableError  # noqa: PLC0415 - heavy

    teller = day_teller(loaded, session)
    if teller is not None:
        teller.began(time.time())
    try:
        document = lead(session)
    except DayUnwritableError as error:
        _end_unwritten(session, error, kept)
    if teller is not None:
        teller.ended(document, time.time())
        teller.settle()
    _end(session, document, form, kept)


def _end_unwritten(session: Session, error: DayUnwritableError, kept: Kept | None) -> NoReturn:
    """End the program without a verdict on the disk: what is known of it is the exit code, which is never 0."""
    session.laboratory.settle()
    with suppress(OSError):  # the terminal is gone
        say(f"{error.verdict.word.upper()}: the day has no verdict: {error}; {error.hint}", err=True)
        sys.stderr.flush()
    if kept is not None:
        kept.ended(error.verdict.exit_code)
    os._exit(error.verdict.exit_code)


def _end(session: Session, document: Mapping[str, Any], form: str, kept: Kept | None = None) -> None:
    """Print what the day came to and end the program; a thread that a driver left hanging must not keep it."""
    from gameday.cli.dayreport import show, tell_postmortem  # noqa: PLC0415 - heavy
    from gameday.cli.running import tell_ledger  # noqa: PLC0415 - heavy

    session.laboratory.settle()
    head = session.journal.head
    session.journal.close()
    with suppress(OSError):  # nobody reads it any more, or its terminal is gone
        if form == "json":
            click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        else:
            show(document, session.folder.path)
            say(f"journal head: {head}")
        if document["finished"] or not any(item.blind for item in session.file.agenda):
            tell_postmortem(session.folder.path)  # of a day that goes on, it would tell what is blind
        sys.stdout.flush()
    code = Verdict.from_word(str(document["verdict"])).exit_code
    if kept is not None:
        kept.ended(code)
    if document["finished"]:  # not before: what is blind stays so until the debrief
        with suppress(OSError):  # the terminal is gone
            tell_ledger(session.folder.path)
    os._exit(code)
