"""``gameday prune``: old folders of runs and game days, and nothing else."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gameday.cli.terminal import can_ask, printable
from gameday.model import EXIT_USAGE

if TYPE_CHECKING:
    from gameday.cli.old import Found

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


@click.command(epilog=EPILOG)
@click.option("--keep", type=click.IntRange(0), metavar="N", help="Keep the newest N runs and game days.")
@click.option("--older-than", "age", type=Age(), metavar="AGE", help="Only what is older than this: 30d, 12h, 2w.")
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
    """Delete old folders of runs and of game days, with all their runs; with both options only what both let go.

    A run that is on, that was lost and not recovered, or that may have left a fault on always stays; so does a game day that is led or
    not finished, and everything that is neither. Asks first on a terminal; elsewhere --yes is needed. Exit code 0, or 2 when nothing was
    said or allowed.
    """
    if keep is None and age is None:
        raise click.UsageError("say which runs may go: --keep N, --older-than AGE, or both")
    from gameday.cli.old import choose, old_folders  # noqa: PLC0415 - heavy

    found = list(old_folders(output))
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
    click.confirm(f"Delete these {count} folders?", abort=True, err=True)


def _delete(old: Iterable[Found]) -> None:
    """Delete each that is still what it was; what cannot be deleted is named, and the rest goes on."""
    from gameday.cli.old import look  # noqa: PLC0415 - heavy

    failed = False
    for one in old:
        again = look(one.path)
        if again is None or again.keep:
            click.echo(f"stays: {printable(str(one.path))} (it has changed)", err=True)
            continue
        try:
            again.delete()
        except OSError as error:
            failed = True
            click.echo(f"cannot delete {printable(str(one.path))}: {error.strerror or error}", err=True)
    if failed:
        sys.exit(EXIT_USAGE)
