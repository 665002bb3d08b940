"""Carry out runs one after the other, each shown while it is on, judged and reported at its end."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gameday.cli.files import FINDINGS
from gameday.cli.loading import Entry
from gameday.cli.remarks import tell_remarks
from gameday.cli.terminal import printable
from gameday.model import Event, Reason, Verdict

if TYPE_CHECKING:
    from gameday.notify.outbox import Outbox
    from gameday.notify.telling import Teller
    from gameday.runner.ending import Judged
    from gameday.runner.folder import Prepared

_STOPPED = (str(Reason.SIGNAL), str(Reason.PERSON))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One run and what it came to."""

    entry: Entry
    judged: Judged
    outbox: Outbox | None = None
    """What is still on its way to those who are told of it; whoever asked for the run settles it at the end."""


def run_all(entries: Sequence[Entry], *, output: Path, note: bool = True, report_url: str = "") -> list[Ran]:
    """Run them in order, each noted in the ledger (without ``note``: none).

    After a person or a signal stopped one, or one may have left a fault on, the rest is not started.
    """
    done: list[Ran] = []
    for number, entry in enumerate(entries, start=1):
        label = f"{number} of {len(entries)}" if len(entries) > 1 else ""
        ran = run_one(entry, output=output, label=label, report_url=report_url)
        judged = ran.judged
        done.append(ran)
        if note:
            tell_ledger(judged.folder.path)
        rest = len(entries) - number
        if rest and (judged.verdict is Verdict.DIRTY or judged.document["aborted_by"] in _STOPPED):
            click.echo(f"{rest} more run{'s' if rest > 1 else ''} not started", err=True)
            break
    return done


def tell_ledger(folder: Path) -> None:
    """Note a run, or a finished game day, in the ledger, where one is configured, and say so in one line."""
    from gameday.gamedays.ledger.noting import note_run  # noqa: PLC0415 - only at the end of a run

    said = note_run(folder)
    if said:
        click.echo(printable(said), err=True)


def run_one(
    entry: Entry, *, output: Path, label: str = "", check_only: bool = False, report_url: str = "", blind: bool = False
) -> Ran:
    """Carry out one run; every fault is reverted when this returns. A check has a verdict, no report, and nobody is told of it.

    Of a ``blind`` run nobody is told, unless a fault may still be on.
    """
    import anyio  # noqa: PLC0415 - heavy

    from gameday.cli.progress import Progress  # noqa: PLC0415 - heavy
    from gameday.runner.folder import prepare  # noqa: PLC0415 - heavy
    from gameday.runner.previous import write_previous  # noqa: PLC0415 - heavy
    from gameday.runner.run import execute  # noqa: PLC0415 - heavy

    loaded = entry.loaded
    tell_remarks(Path(loaded.path).absolute().parent / FINDINGS)
    with Progress(loaded.experiment, check_only=check_only, label=label) as progress:
        prepared = prepare(loaded, run_id=entry.run_id, seed=entry.seed, output=output, command=sys.argv)
        teller = None if check_only else _teller(prepared, report_url)
        words = [
            f"run {label}:" if label else "run",
            f"{entry.run_id}:",
            loaded.experiment.title,
            *variant_words(entry),
        ]
        progress.say(" ".join(words))
        notified = teller.notified if teller else tuple
        carry_out = partial(execute, pulses=progress.pulses, notified=notified, check_only=check_only)
        outcome = anyio.run(carry_out, prepared, both(progress, teller) if teller and not blind else progress)
        from gameday.runner.ending import judge_folder, report_folder  # noqa: PLC0415 - heavy, and imported by then

        folder = prepared.folder.path
        if outcome.skip_report:
            progress.say(f"no report, because of the second signal; write it with: gameday report {folder}")
        if not check_only:
            write_previous(folder)
        judged = judge_folder(folder) if outcome.skip_report or check_only else report_folder(folder)
        if teller is not None and (not blind or judged.verdict is Verdict.DIRTY):
            teller.ended(judged.document)
        return Ran(entry=entry, judged=judged, outbox=teller.outbox if teller else None)


def _teller(prepared: Prepared, report_url: str) -> Teller | None:
    """Return who tells people of this run; None where the file tells nobody."""
    if not prepared.experiment.notify:
        return None
    from gameday.notify.telling import report_link, teller  # noqa: PLC0415 - only for who uses it

    return teller(
        prepared.experiment.notify,
        prepared.secrets,
        base=prepared.base,
        title=prepared.experiment.title,
        logs=prepared.folder.logs,
        link=report_link(report_url, os.environ),
    )


def both(first: Callable[[Event], None], second: Callable[[Event], None]) -> Callable[[Event], None]:
    """Let two see each record; what the first raises is not kept from the second."""

    def see(event: Event) -> None:
        try:
            first(event)
        finally:
            second(event)

    return see


def settle(done: Sequence[Ran]) -> None:
    """Wait a moment for the notifications that are on their way, and say which did not get through; nothing else depends on them."""
    boxes = [ran.outbox for ran in done if ran.outbox is not None]
    if not boxes:
        return
    from gameday.notify.outbox import settle_all  # noqa: PLC0415 - only for who uses it

    for outcome in settle_all(boxes):
        click.echo(f"not notified: {printable(str(outcome))}", err=True)


def variant_words(entry: Entry) -> list[str]:
    """Name the combination of the matrix, if it is one."""
    variant = entry.variant
    return ["(" + ", ".join(f"{name}={value}" for name, value in variant.items()) + ")"] if variant else []
