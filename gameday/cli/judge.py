"""``gameday judge``: the verdict again, from the folder alone."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gameday.cli.completing import complete_runs
from gameday.spi.errors import GamedayError

if TYPE_CHECKING:
    from gameday.runner.ending import Judged

EPILOG = """\b
Example:
  gameday judge runs/20261123T101500Z-payments-outage-1a2b
  gameday judge runs/20261123T101500Z-payments-outage-1a2b --write-baseline ci/payments-baseline.yaml
"""


@click.command(epilog=EPILOG)
@click.argument(
    "run_folder",
    metavar="RUN",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    shell_complete=complete_runs,
)
@click.option(
    "--write-baseline",
    "baseline",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write what a later run may not be worse than; name it in the experiment: baseline: FILE.",
)
@click.option(
    "--margin",
    type=click.FloatRange(1.0, 100.0),
    help="How much wider than what RUN showed at most the budgets of the baseline are; default 1.5.",
)
def judge(run_folder: Path, baseline: Path | None, margin: float | None) -> None:
    """Judge RUN again from what it recorded; the same bytes each time. The exit code is the verdict's."""
    from gameday.cli.ci import tell_ci  # noqa: PLC0415 - heavy
    from gameday.cli.outcome import show  # noqa: PLC0415 - heavy
    from gameday.runner.ending import judge_folder  # noqa: PLC0415 - heavy

    if margin is not None and baseline is None:
        raise click.UsageError("--margin is of --write-baseline FILE")
    judged = judge_folder(run_folder)
    show(judged)
    if baseline is not None:
        _write_baseline(judged, baseline, margin)
    tell_ci([run_folder], os.environ)
    sys.exit(judged.verdict.exit_code)


def _write_baseline(judged: Judged, path: Path, margin: float | None) -> None:
    from gameday.judge.ratchet import MARGIN, write  # noqa: PLC0415 - only here
    from gameday.runner.ending import replace_file  # noqa: PLC0415 - heavy

    text = write(judged.document, margin=MARGIN if margin is None else margin)
    try:
        replace_file(path, text.encode())
    except OSError as error:
        raise GamedayError(f"cannot write {path}: {error.strerror}", hint="choose another file") from error
    click.echo(f"baseline written: {path}; an experiment is held against it with: baseline: {path.name}", err=True)
