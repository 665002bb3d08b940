"""``gameday report``: the reports again, from the folder alone."""

from __future__ import annotations

from pathlib import Path

import click

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
)
@click.option("--format", "formats", multiple=True, help="html, junit, … (default: all).")
def report(run_folders: tuple[Path, ...], formats: tuple[str, ...]) -> None:
    """Write the reports of RUN into its folder; the same bytes each time."""
    from gameday.runner.ending import report_folder  # noqa: PLC0415 - heavy

    for folder in run_folders:
        for path in report_folder(folder, formats).reports:
            click.echo(path)
