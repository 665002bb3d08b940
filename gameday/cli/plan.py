"""``gameday plan``: what a run would be, and whether it could prove anything; nothing is started."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import click

from gameday.cli.completing import complete_experiments
from gameday.cli.loading import Given, load_plans
from gameday.cli.options import format_option, output_option
from gameday.cli.variables import variable_options
from gameday.model import Verdict

EPILOG = """\b
Examples:
  gameday plan mine.yaml
  gameday plan mine.yaml --output runs        the chances at the rates of the last run in there
  gameday plan experiments/ --format json
"""
_WIDTH = 100


@click.command(epilog=EPILOG)
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), shell_complete=complete_experiments
)
@variable_options
@output_option("Where earlier runs are looked for.")
@format_option
def plan(
    *, paths: tuple[Path, ...], variables: dict[str, str], secret_values: dict[str, str], output: Path, form: str
) -> None:
    """Say what a run would touch, when, and how it is undone; how likely it is to prove its objectives, and what would help.

    Nothing is started. Nothing is contacted but what a driver has to read to know its targets. Exit code 0: it can run; 2: a
    file is invalid; 3: a run would be refused, or could never prove anything.
    """
    from gameday.cli.earlier import earlier_run  # noqa: PLC0415 - heavy
    from gameday.cli.outlook import outlook  # noqa: PLC0415 - heavy

    loaded = load_plans(paths, Given(variables=variables, secret_values=secret_values))
    documents = [outlook(one, earlier_run(one, output)) for one in loaded]
    if form == "json":
        click.echo(json.dumps(documents[0] if len(documents) == 1 else documents, indent=2, ensure_ascii=False))
    else:
        from gameday.cli.outlook_text import text  # noqa: PLC0415 - only for people

        width = shutil.get_terminal_size((_WIDTH, 24)).columns if sys.stdout.isatty() else _WIDTH
        click.echo(
            "\n\n".join(text(document, one.experiment, width) for document, one in zip(documents, loaded, strict=True))
        )
    if any(document["refusals"] for document in documents):
        sys.exit(Verdict.INCONCLUSIVE.exit_code)
