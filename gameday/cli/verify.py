"""``gameday verify``: whether a run folder is still what its run wrote."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from gameday.cli.completing import complete_runs
from gameday.cli.options import format_option
from gameday.cli.outcome import say
from gameday.model import Verdict

EPILOG = """\b
Examples:
  gameday verify runs/20261123T101500Z-payments-outage-1a2b
  gameday verify runs/20261123T101500Z-payments-outage-1a2b --head 1f0c…    the head that the CI log has
"""


@click.command(epilog=EPILOG)
@click.argument(
    "run_folder",
    metavar="RUN",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    shell_complete=complete_runs,
)
@click.option("--head", default="", metavar="HASH", help="The journal head that was printed when the run ended.")
@click.option(
    "--approvers",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A copy of who may approve (allowed_signers) that you trust; default: the one in the journal.",
)
@format_option
def verify(*, run_folder: Path, head: str, approvers: Path | None, form: str) -> None:
    """Check the hash chain of RUN's journal, every file that hangs on it, and its approvals, and say what was altered since.

    RUN may be the folder of a game day, too: its evidence and its runs are checked with it. The chain has no key. Whoever can write the
    folder can write all of it anew; what shows that is a head, and a list of who may approve, that were noted elsewhere.
    Exit code 0: nothing was altered. 1: something was. 3: something could not be checked.
    """
    from gameday.gamedays.checked import Finding  # noqa: PLC0415 - heavy
    from gameday.gamedays.day.verify import is_day_folder, verify_day  # noqa: PLC0415 - heavy
    from gameday.gamedays.verify import verify  # noqa: PLC0415 - heavy

    trusted = approvers.read_bytes() if approvers else None
    checks = verify_day(run_folder, head, trusted) if is_day_folder(run_folder) else verify(run_folder, head, trusted)
    if form == "json":
        click.echo(json.dumps([{"what": c.what, "finding": c.finding, "says": c.says} for c in checks], indent=2))
    else:
        for check in checks:
            say(f"{check.finding:<9}{check.what}: {check.says}")
    given = {"others": False, "head": bool(head), "approvers": approvers is not None}
    found = {check.finding for check in checks if given.get(check.what, True)}
    worst = (
        Verdict.FAIL if Finding.ALTERED in found else Verdict.INCONCLUSIVE if Finding.UNKNOWN in found else Verdict.PASS
    )
    sys.exit(worst.exit_code)
