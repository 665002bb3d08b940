"""``gameday run``: one file, or several, to a verdict and its reports."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path

import click

from gameday.cli.ci import tell_ci
from gameday.cli.clearing import clear_the_way
from gameday.cli.completing import complete_experiments
from gameday.cli.loading import Given, load_runs
from gameday.cli.options import format_option, output_option, seed_option
from gameday.cli.outcome import exit_code, repeats, show_all, show_repeats
from gameday.cli.running import Ran, run_all, settle
from gameday.cli.variables import variable_options

EPILOG = """\b
Examples:
  gameday run experiments/dependency/payments-outage.yaml
  gameday run mine.yaml --var base_url=https://staging.example.com
  gameday run mine.yaml --repeat 10
  gameday run experiments/ --format json > verdicts.json
"""


@click.command(epilog=EPILOG)
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), shell_complete=complete_experiments
)
@variable_options
@click.option(
    "--repeat", type=click.IntRange(1, 1000), default=1, help="Run each this many times, and say what that proves."
)
@seed_option("Repeat a run's random choices; default: a new one, in the report.")
@output_option()
@format_option
@click.option(
    "--accept",
    type=click.Choice(["near-limit"]),
    help="Exit 0 when that is the only reason and the estimate is inside the budget; the verdict stays inconclusive.",
)
@click.option("--after-recover", is_flag=True, help="First undo what lost runs left on the same targets.")
@click.option("--report-url", default="", metavar="URL", help="Where people will find the report, for notifications.")
@click.option("--yes", is_flag=True, help="Answer yes to what would be asked; off a terminal nothing is asked.")
def run(
    *,
    paths: tuple[Path, ...],
    variables: dict[str, str],
    secret_values: dict[str, str],
    repeat: int,
    seed: int | None,
    output: Path,
    form: str,
    accept: str | None,
    after_recover: bool,
    report_url: str,
    yes: bool,
) -> None:
    """Run experiments: start the system, load it, inject the faults, judge, report, undo.

    Several files, the files of a folder and the combinations of a matrix run one after the other; the exit code is the most
    serious verdict's. If any file is invalid nothing starts. Ctrl-C stops the run, and those after it, and reverts every
    fault; a second one skips watching the recovery.
    """
    given = Given(variables=variables, secret_values=secret_values)
    entries = load_runs(paths, given, seed=seed, repeat=repeat)
    clear_the_way(entries, allowed=after_recover or yes)
    done = run_all(entries, output=output, report_url=report_url)
    with suppress(BrokenPipeError):  # nobody reads it; the exit code is the verdict's all the same
        if form == "json":
            click.echo(json.dumps(_document(done, len(entries), repeat), indent=2, ensure_ascii=False))
        else:
            show_all(done, len(entries))
            if repeat > 1:
                show_repeats(done)
        if accept:
            _show_accepted(done)
        sys.stdout.flush()
    settle(done)
    tell_ci([one.judged.folder.path for one in done], os.environ)
    # A thread that a driver or probe left hanging must not keep the process: everything is on disk.
    os._exit(exit_code(done, accept=accept is not None))


def _show_accepted(done: list[Ran]) -> None:
    from gameday.judge.acceptance import acceptable  # noqa: PLC0415 - heavy

    for one in done:
        if acceptable(one.judged.document):
            said = "accepted, only near its limit and inside the budget; not proven"
            click.echo(f"{one.entry.source}: {said}", err=True)


def _document(done: list[Ran], planned: int, repeat: int) -> object:
    """Return the verdict of one run, a list of those of several, or with ``--repeat`` both and what they prove together."""
    verdicts = [dict(one.judged.document) for one in done]
    if repeat > 1:
        return {"schema": "gameday/repeats/1", "repeats": list(repeats(done)), "verdicts": verdicts}
    return verdicts[0] if planned == 1 else verdicts
