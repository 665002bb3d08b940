"""``gameday recover``: undo what a lost run left."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gameday.model import Verdict

EPILOG = """\b
Examples:
  gameday recover runs/20261123T101500Z-payments-outage-1a2b
  gameday recover runs/20261123T101500Z-payments-outage-1a2b --dry-run
"""


@click.command(epilog=EPILOG)
@click.argument("run_folder", metavar="RUN", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only list what would be undone.")
def recover(run_folder: Path, *, dry_run: bool) -> None:
    """Undo what the lost run in the folder RUN left, newest first, and prove it. Harmless when nothing is left.

    Secrets that the run used are taken from the environment again. Exit code 0 when all is clean, 5 when something is left.
    """
    from gameday.undo.recover import open_work, recover_run  # noqa: PLC0415 - heavy

    if dry_run:
        work = open_work(run_folder)
        for line in work.lines():
            click.echo(line)
        sys.exit(Verdict.DIRTY.exit_code if work.faults else 0)
    outcome = recover_run(run_folder)
    for line in outcome.lines():
        click.echo(line)
    sys.exit(0 if outcome.clean else Verdict.DIRTY.exit_code)
