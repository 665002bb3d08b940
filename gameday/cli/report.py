"""``gameday report``: the reports again, from the folder alone."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gameday.cli.completing import complete_runs
from gameday.cli.files import FINDINGS
from gameday.cli.remarks import tell_remarks
from gameday.model import EXIT_INTERNAL

EPILOG = """\b
Examples:
  gameday report runs/20261123T101500Z-payments-outage-1a2b
  gameday report runs/* --format junit
"""


@click.command(epilog=EPILOG)
@click.argument(
    "run_folders",
    metavar="RUN...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    shell_complete=complete_runs,
)
@click.option("--format", "formats", multiple=True, help="html, junit, … (default: all).")
def report(run_folders: tuple[Path, ...], formats: tuple[str, ...]) -> None:
    """Write the reports of RUN into its folder; the same bytes each time."""
    from gameday.cli.outcome import alarm  # noqa: PLC0415 - heavy
    from gameday.runner.ending import report_folder  # noqa: PLC0415 - heavy

    failed = False
    for folder in run_folders:
        judged = report_folder(folder, formats)
        tell_remarks(folder / FINDINGS)
        alarm(judged.document)
        for path in judged.reports:
            click.echo(path)
        for failure in judged.failed:
            click.echo(f"{folder}: {failure}", err=True)
        failed = failed or bool(judged.failed)
    sys.exit(EXIT_INTERNAL if failed else 0)
