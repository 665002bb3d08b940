"""``gameday watch``: a run from another terminal."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from gameday.cli.completing import complete_runs
from gameday.model import Verdict

EPILOG = """\b
Example:
  gameday watch runs/20261123T101500Z-payments-outage-1a2b
"""


@click.command(epilog=EPILOG)
@click.argument(
    "run_folder",
    metavar="RUN",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    shell_complete=complete_runs,
)
def watch(run_folder: Path) -> None:
    """Follow the run in the folder RUN until it is over; read only: Ctrl-C ends the watching, never the run.

    The exit code is the verdict's, or 3 when the run ended without one.
    """
    from gameday.cli.following import await_verdict, follow  # noqa: PLC0415 - heavy
    from gameday.cli.outcome import say  # noqa: PLC0415 - heavy
    from gameday.cli.progress import Progress  # noqa: PLC0415 - heavy
    from gameday.journal.folder import RunFolder  # noqa: PLC0415 - heavy
    from gameday.schema.experiment import Experiment  # noqa: PLC0415 - heavy

    folder = RunFolder(run_folder.resolve())
    experiment = Experiment.model_validate(folder.read_plan()["experiment"])
    with Progress(experiment, label="watching", hint="Ctrl-C ends the watching; the run goes on") as progress:
        followed = follow(folder, progress, progress.pulses)
        if not followed.closed:
            progress.say("the runner is gone; see whether anything is left: gameday recover " + str(run_folder))
        verdict = await_verdict(followed)
    if verdict is None:
        say(f"not judged yet: gameday judge {run_folder}")
        sys.exit(Verdict.INCONCLUSIVE.exit_code)
    say(f"verdict: {verdict.get('verdict')} ({', '.join(map(str, verdict.get('reasons', ())))})")
    say(f"  {verdict.get('summary')}")
    sys.exit(Verdict.from_word(str(verdict["verdict"])).exit_code)
