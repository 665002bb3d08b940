"""Carry out runs one after the other, each shown while it is on, judged and reported at its end."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gameday.cli.files import FINDINGS
from gameday.cli.loading import Entry
from gameday.cli.remarks import tell_remarks
from gameday.cli.terminal import printable
from gameday.model import Reason, Verdict

if TYPE_CHECKING:
    from gameday.runner.ending import Judged

_STOPPED = (str(Reason.SIGNAL), str(Reason.PERSON))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One run and what it came to."""

    entry: Entry
    judged: Judged


def run_all(entries: Sequence[Entry], *, output: Path, note: bool = True) -> list[Ran]:
    """Run them in order, each noted in the ledger (without ``note``: none).

    After a person or a signal stopped one, or one may have left a fault on, the rest is not started.
    """
    done: list[Ran] = []
    for number, entry in enumerate(entries, start=1):
        label = f"{number} of {len(entries)}" if len(entries) > 1 else ""
        judged = run_one(entry, output=output, label=label)
        done.append(Ran(entry=entry, judged=judged))
        if note:
            _note(judged)
        rest = len(entries) - number
        if rest and (judged.verdict is Verdict.DIRTY or judged.document["aborted_by"] in _STOPPED):
            click.echo(f"{rest} more run{'s' if rest > 1 else ''} not started", err=True)
            break
    return done


def _note(judged: Judged) -> None:
    """Note a run in the ledger, where one is configured, and say so in one line."""
    from gameday.gamedays.ledger.noting import note_run  # noqa: PLC0415 - only at the end of a run

    said = note_run(judged.folder.path)
    if said:
        click.echo(printable(said), err=True)


def run_one(entry: Entry, *, output: Path, label: str = "", check_only: bool = False) -> Judged:
    """Carry out one run; every fault is reverted when this returns. A check has a verdict, and no report."""
    import anyio  # noqa: PLC0415 - heavy

    from gameday.cli.progress import Progress  # noqa: PLC0415 - heavy
    from gameday.runner.ending import judge_folder, report_folder  # noqa: PLC0415 - heavy
    from gameday.runner.folder import prepare  # noqa: PLC0415 - heavy
    from gameday.runner.previous import write_previous  # noqa: PLC0415 - heavy
    from gameday.runner.run import execute  # noqa: PLC0415 - heavy

    loaded = entry.loaded
    tell_remarks(Path(loaded.path).absolute().parent / FINDINGS)
    with Progress(loaded.experiment, check_only=check_only, label=label) as progress:
        prepared = prepare(loaded, run_id=entry.run_id, seed=entry.seed, output=output, command=sys.argv)
        words = [
            f"run {label}:" if label else "run",
            f"{entry.run_id}:",
            loaded.experiment.title,
            *variant_words(entry),
        ]
        progress.say(" ".join(words))
        carry_out = partial(execute, pulses=progress.pulses, check_only=check_only)
        outcome = anyio.run(carry_out, prepared, progress)
        folder = prepared.folder.path
        if outcome.skip_report:
            progress.say(f"no report, because of the second signal; write it with: gameday report {folder}")
        if not check_only:
            write_previous(folder)
        if outcome.skip_report or check_only:
            return judge_folder(folder)
        return report_folder(folder)


def variant_words(entry: Entry) -> list[str]:
    """Name the combination of the matrix, if it is one."""
    variant = entry.variant
    return ["(" + ", ".join(f"{name}={value}" for name, value in variant.items()) + ")"] if variant else []
