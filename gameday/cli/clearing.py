"""Before a run: what lost runs left on its targets, undone first where that is allowed."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import click

from gameday.cli.loading import Entry
from gameday.cli.terminal import can_ask, printable
from gameday.model import Verdict


def clear_the_way(entries: Iterable[Entry], *, allowed: bool) -> None:
    """Recover the lost runs that left something on what these runs touch; end the program (5) when something stays.

    Without leave, a person at a terminal is asked. Where nobody can be asked, or the answer is no, nothing is done: the run then
    refuses to start, and says what finishes the job.
    """
    folders = _left(entries)
    if not folders:
        return
    if not allowed:
        if not can_ask():
            return
        names = ", ".join(folder.name for folder in folders)
        if not click.confirm(
            f"{printable(names)} left faults or processes on the same targets; undo that first?", err=True
        ):
            return
    for folder in folders:
        _recover(folder)


def _left(entries: Iterable[Entry]) -> list[Path]:
    from gameday.undo.leftover import residue  # noqa: PLC0415 - heavy

    found = [work.folder.path for entry in entries for work in residue(entry.loaded.experiment)]
    return list(dict.fromkeys(found))


def _recover(folder: Path) -> None:
    from gameday.undo.recover import recover_run  # noqa: PLC0415 - heavy

    outcome = recover_run(folder, waiting=lambda text: click.echo(text, err=True))
    for line in outcome.lines():
        click.echo(f"{folder.name}: {printable(line)}", err=True)
    if not outcome.clean:
        sys.exit(Verdict.DIRTY.exit_code)
