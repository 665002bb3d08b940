"""``gameday run``: one file, or several, to a verdict and its reports."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING

import click

from gameday.cli.progress import Progress
from gameday.cli.variables import variable_options
from gameday.model import EXIT_USAGE, Verdict

if TYPE_CHECKING:
    from gameday.runner.ending import Judged
    from gameday.schema.loader import Loaded

EPILOG = """\b
Examples:
  gameday run experiments/dependency/payments-outage.yaml
  gameday run mine.yaml --var base_url=https://staging.example.com
  gameday run experiments/ --format json > verdicts.json
"""


@click.command(epilog=EPILOG)
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@variable_options
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    help="Repeat a run's random choices; default: a new one, in the report.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("runs"),
    show_default=True,
    help="Where run folders go.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="What stdout carries.",
)
def run(
    *,
    paths: tuple[Path, ...],
    variables: dict[str, str],
    secret_values: dict[str, str],
    seed: int | None,
    output: Path,
    form: str,
) -> None:
    """Run experiments: start the system, load it, inject the faults, judge, report, undo.

    Several files run one after the other; the exit code is the most serious verdict's. If any file is invalid nothing starts.
    Ctrl-C stops the run and reverts every fault; a second one skips watching the recovery.
    """
    judged = run_files(
        files_in(paths), variables=variables, secret_values=secret_values, seed=seed, output=output, command=sys.argv
    )
    if form == "json":
        documents = [dict(one.document) for one in judged]
        click.echo(json.dumps(documents[0] if len(documents) == 1 else documents, indent=2, ensure_ascii=False))
    else:
        for one in judged:
            show(one)
    sys.stdout.flush()
    # A thread that a driver or probe left hanging must not keep the process: everything is on disk.
    os._exit(max(judged, key=lambda one: (one.verdict, one.exit_code)).exit_code)


def files_in(paths: Iterable[Path]) -> list[Path]:
    """Expand folders to the experiment files in them, sorted."""
    found: list[Path] = []
    for path in paths:
        found += sorted(p for p in path.rglob("*") if p.suffix in (".yaml", ".yml")) if path.is_dir() else [path]
    if not found:
        raise click.UsageError("no experiment file (*.yaml) in " + ", ".join(map(str, paths)))
    return found


def run_files(
    files: list[Path],
    *,
    variables: dict[str, str],
    secret_values: dict[str, str],
    seed: int | None,
    output: Path,
    command: list[str],
) -> list[Judged]:
    """Load every file, then run them one after the other; an invalid one ends the program before anything starts."""
    from gameday.runner.folder import new_run_id  # noqa: PLC0415 - heavy, and only run needs it

    chosen = SystemRandom().randrange(2**31) if seed is None else seed
    named = [(new_run_id(path, datetime.now(UTC)), path) for path in files]
    loaded = [
        load(
            path, variables=variables, secret_values=secret_values, builtins={"run.id": run_id, "run.seed": str(chosen)}
        )
        for run_id, path in named
    ]
    errors = [one for one in loaded if isinstance(one, str)]
    if errors:
        click.echo("\n".join(errors), err=True)
        sys.exit(EXIT_USAGE)
    return [
        run_one(one, run_id=run_id, seed=chosen, output=output, command=command)
        for one, (run_id, _) in zip(loaded, named, strict=True)
        if not isinstance(one, str)
    ]


def load(
    path: Path, *, variables: dict[str, str], secret_values: dict[str, str], builtins: dict[str, str]
) -> Loaded | str:
    """Load one file for a run; return its errors as text when it is invalid."""
    from gameday.registry import load_driver  # noqa: PLC0415 - heavy
    from gameday.schema.errors import ExperimentErrors  # noqa: PLC0415 - heavy
    from gameday.schema.loader import load_experiment  # noqa: PLC0415 - heavy

    try:
        return load_experiment(
            path,
            variables=variables,
            secret_values=secret_values,
            environ=os.environ,
            builtins=builtins,
            drivers=load_driver,
        )
    except ExperimentErrors as errors:
        return str(errors)


def run_one(loaded: Loaded, *, run_id: str, seed: int, output: Path, command: list[str]) -> Judged:
    """Run one loaded file; every fault is reverted when this returns."""
    import anyio  # noqa: PLC0415 - heavy

    from gameday.runner.ending import judge_folder, report_folder  # noqa: PLC0415 - heavy
    from gameday.runner.folder import prepare  # noqa: PLC0415 - heavy
    from gameday.runner.run import execute  # noqa: PLC0415 - heavy

    with Progress() as progress:
        prepared = prepare(loaded, run_id=run_id, seed=seed, output=output, command=command)
        progress.say(f"run {run_id}: {loaded.experiment.title}")
        outcome = anyio.run(execute, prepared, progress)
        if outcome.skip_report:
            progress.say(
                f"no report, because of the second signal; write it with: gameday report {prepared.folder.path}"
            )
            return judge_folder(prepared.folder.path)
        return report_folder(prepared.folder.path)


def show(judged: Judged) -> None:
    """Print what people look for, the loudest first."""
    document = judged.document
    for left in document.get("residue", ()):
        click.echo(
            f"DIRTY: {left['fault']} may still be on ({', '.join(left['targets'])}); finish the job with: {left['command']}"
        )
    click.echo(f"{document['title']}")
    click.echo(f"verdict: {document['verdict']} ({', '.join(document['reasons'])})")
    if judged.verdict is Verdict.ABORTED and document["objectives_broken"]:
        click.echo(f"already broken: {', '.join(document['objectives_broken'])}")
    click.echo(f"  {document['summary']}")
    for objective in document["objectives"]:
        click.echo(f"  {objective['verdict']:<13}{objective['name']}: {objective['reason']}")
    click.echo(f"journal head: {document['journal_head']}")
    for report in judged.reports:
        if report.suffix == ".html":
            click.echo(f"report: {report}")
    for failure in judged.failed:
        click.echo(f"no report (a bug of ours): {failure}", err=True)
    if not judged.reports:
        click.echo(f"run folder: {judged.folder.path}")
