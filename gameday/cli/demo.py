"""``gameday demo``: the embedded shop, an outage it survives and one it does not, with reports."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from gameday.cli.library import library
from gameday.cli.options import output_option
from gameday.model import Verdict

PASSES, FAILS = "dependency/payments-outage.yaml", "dependency/catalog-slow.yaml"
EPILOG = """\b
Example:
  gameday demo --output /tmp/gameday-demo
"""


@click.command(epilog=EPILOG)
@output_option()
def demo(output: Path) -> None:
    """Run two experiments on the embedded shop: a payments outage that it survives, and a slow catalog that it does not.

    Takes under three minutes, and needs nothing but this program. Exits 0 when both end as they should.
    """
    from gameday.cli.loading import Given, load_runs  # noqa: PLC0415 - heavy
    from gameday.cli.outcome import show  # noqa: PLC0415 - heavy
    from gameday.cli.running import run_all  # noqa: PLC0415 - heavy

    click.echo("Two experiments on a small shop of four real processes; the second one is meant to fail.", err=True)
    entries = load_runs([library() / PASSES, library() / FAILS], Given())
    judged = [one.judged for one in run_all(entries, output=output, note=False)]
    for one in judged:
        click.echo()
        show(one)
    click.echo()
    good = [one.verdict for one in judged] == [Verdict.PASS, Verdict.FAIL]
    click.echo(
        "As it should be: the first passed, the second failed."
        if good
        else "Not as it should be: pass and fail were expected."
    )
    click.echo(
        "Open the two reports above in a browser. Next: gameday list; then point an experiment at your own system."
    )
    sys.stdout.flush()
    os._exit(0 if good else 1)
