"""``gameday compare``: two runs beside each other, differences first; shown, never judged."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gameday.cli.completing import complete_runs

if TYPE_CHECKING:
    from gameday.model import Run

EPILOG = """\b
Examples:
  gameday compare runs/20261122T101500Z-payments-outage-9c1d runs/20261123T101500Z-payments-outage-1a2b
  gameday compare runs/BEFORE runs/NOW --format html > comparison.html
"""
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(epilog=EPILOG)
@click.argument("before", metavar="RUN", type=_FOLDER, shell_complete=complete_runs)
@click.argument("now", metavar="RUN", type=_FOLDER, shell_complete=complete_runs)
@click.option(
    "--format", "form", default="text", show_default=True, help="text, json, markdown or html; all on stdout."
)
def compare(before: Path, now: Path, form: str) -> None:
    """Compare two runs: what differs in them, exact counts, and how far apart chance alone could put two shares.

    The earlier run comes first. Runs are not comparable when their load, SLIs, objectives, phases or faults differ; it says in what.
    Nothing is written, and nothing is judged: the exit code is 0 whatever differs, and 2 when a folder is no run folder.
    """
    from gameday.registry import comparer  # noqa: PLC0415 - heavy

    rendered = comparer(form).render(_judged(before), _judged(now))
    sys.stdout.buffer.write(rendered)
    sys.stdout.buffer.flush()


def _judged(path: Path) -> Run:
    """Read a run; one that was never judged is judged in memory."""
    from dataclasses import replace  # noqa: PLC0415 - heavy

    from gameday.journal.folder import read_run  # noqa: PLC0415 - heavy
    from gameday.judge import judge  # noqa: PLC0415 - heavy

    run = read_run(path)
    return run if run.verdict is not None else replace(run, verdict=judge(run))
