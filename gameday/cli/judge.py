"""``gameday judge``: the verdict again, from the folder alone."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from gameday.cli.completing import complete_runs

EPILOG = """\b
Example:
  gameday judge runs/20261123T101500Z-payments-outage-1a2b
"""


@click.command(epilog=EPILOG)
@click.argument(
    "run_folder",
    metavar="RUN",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    shell_complete=complete_runs,
)
def judge(run_folder: Path) -> None:
    """Judge RUN again from what it recorded; the same bytes each time. The exit code is the verdict's."""
    from gameday.cli.ci import tell_ci  # noqa: PLC0415 - heavy
    from gameday.cli.outcome import show  # noqa: PLC0415 - heavy
    from gameday.runner.ending import judge_folder  # noqa: PLC0415 - heavy

    judged = judge_folder(run_folder)
    show(judged)
    tell_ci([run_folder], os.environ)
    sys.exit(judged.verdict.exit_code)
