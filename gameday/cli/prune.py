"""``gameday prune``: old run folders, and nothing else."""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gameday.cli.terminal import can_ask, printable
from gameday.model import EXIT_USAGE

if TYPE_CHECKING:
    from gameday.journal.folder import RunFolder
    from gameday.journal.reader import JournalText

EPILOG = """\b
Examples:
  gameday prune --keep 20
  gameday prune --older-than 30d --dry-run
  gameday prune --older-than 30d --keep 5 --yes        in a scheduled job
"""
_AGE = re.compile(r"(\d{1,6})(m|h|d|w)")
_SECONDS = {"m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class Age(click.ParamType[float]):
    """An age like ``30d``, ``12h`` or ``2w``, in seconds."""

    name = "age"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read it; fail with what would do."""
        match = _AGE.fullmatch(str(value))
        if match is None:
            self.fail(f"{value!r} is not an age; write 30d, 12h, 45m or 2w", param, ctx)
        return float(int(match[1]) * _SECONDS[match[2]])


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One run folder."""

    path: Path
    began: float
    """Seconds since the epoch."""
    keep: str
    """Why it must stay; empty for one that may go."""


@click.command(epilog=EPILOG)
@click.option("--keep", type=click.IntRange(0), metavar="N", help="Keep the newest N runs.")
@click.option("--older-than", "age", type=Age(), metavar="AGE", help="Only runs older than this: 30d, 12h, 2w.")
@click.option(
    "--output",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path("runs"),
    show_default=True,
    help="The folder that holds the run folders.",
)
@click.option("--yes", is_flag=True, help="Delete without asking.")
@click.option("--dry-run", is_flag=True, help="Only list what would be deleted.")
def prune(*, keep: int | None, age: float | None, output: Path, yes: bool, dry_run: bool) -> None:
    """Delete old run folders; with both options only what both let go.

    A run that is on, that was lost and not recovered, or that may have left a fault on always stays, and so does everything that
    is not a run folder. Asks first on a terminal; elsewhere --yes is needed. Exit code 0, or 2 when nothing was said or allowed.
    """
    if keep is None and age is None:
        raise click.UsageError("say which runs may go: --keep N, --older-than AGE, or both")
    found = list(run_folders(output))
    old = choose(found, keep=keep or 0, older_than=age or 0.0, now=time.time())
    for one in found:
        if one.keep:
            click.echo(f"stays: {printable(str(one.path))} ({one.keep})", err=True)
    for one in old:
        click.echo(f"{'would delete' if dry_run else 'delete'} {printable(str(one.path))}")
    if not old:
        click.echo("nothing to delete")
    elif not dry_run:
        _ask(len(old), yes=yes)
        _delete(old)


def _ask(count: int, *, yes: bool) -> None:
    """Return when it is allowed; end the program when it is not."""
    if yes:
        return
    if not can_ask():
        raise click.UsageError("nobody can be asked here; --yes deletes without asking, --dry-run only lists")
    click.confirm(f"Delete these {count} run folders?", abort=True, err=True)


def _delete(old: Iterable[Found]) -> None:
    """Delete each that is still what it was; what cannot be deleted is named, and the rest goes on."""
    from gameday.undo.state import forget_run  # noqa: PLC0415 - heavy

    failed = False
    for one in old:
        again = _look(one.path)
        if again is None or again.keep:
            click.echo(f"stays: {printable(str(one.path))} (it has changed)", err=True)
            continue
        try:
            shutil.rmtree(one.path)
            forget_run(one.path)
        except OSError as error:
            failed = True
            click.echo(f"cannot delete {printable(str(one.path))}: {error.strerror or error}", err=True)
    if failed:
        sys.exit(EXIT_USAGE)


def choose(found: Iterable[Found], *, keep: int, older_than: float, now: float) -> list[Found]:
    """Return those that may go, oldest first: not among the newest ``keep``, and older than that many seconds."""
    newest_first = sorted(found, key=lambda one: (one.began, one.path.name), reverse=True)
    rest = newest_first[keep:]
    return [one for one in reversed(rest) if not one.keep and now - one.began >= older_than]


def run_folders(output: Path) -> Iterable[Found]:
    """Yield every run folder directly below this folder."""
    for path in sorted(output.iterdir()):
        found = _look(path)
        if found is not None:
            yield found


def _look(path: Path) -> Found | None:
    """Return what a folder is; None for anything that is not surely a run folder: a link, a stranger's folder, a renamed one."""
    from gameday.journal.folder import RunFolder  # noqa: PLC0415 - heavy
    from gameday.journal.reader import read_journal  # noqa: PLC0415 - heavy
    from gameday.spi.errors import GamedayError  # noqa: PLC0415 - heavy

    if path.is_symlink() or not path.is_dir():
        return None
    folder = RunFolder(path)
    try:
        plan = folder.read_plan()
        journal = read_journal(folder.journal)
    except (GamedayError, OSError):
        return None
    if plan.get("run_id") != path.name:
        return None
    if not journal.events:
        return Found(path=path, began=path.stat().st_mtime, keep="it has no journal that can be read")
    return Found(path=path, began=journal.events[0].wall, keep=_why_it_stays(folder, journal))


def _why_it_stays(folder: RunFolder, journal: JournalText) -> str:
    """Say why a run is not over for good; empty when it is: closed with everything undone, or lost and nothing left of it."""
    from gameday.journal.writer import held_by  # noqa: PLC0415 - heavy
    from gameday.undo.leftover import open_work  # noqa: PLC0415 - heavy

    if holder := held_by(folder.journal):
        return f"it is on: {holder}"
    if journal.tail:
        return "its journal has a torn end: gameday recover RUN"
    closed = journal.events[-1].kind == "closed"
    if closed and journal.events[-1].data.get("undone") is not True:
        return "it may have left a fault on: gameday recover RUN"
    if not closed and not open_work(folder.path).nothing:
        return "it was lost, and something may be left: gameday recover RUN"
    return ""
