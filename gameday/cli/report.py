"""``gameday report``: the reports again, from the folder alone."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from gameday.cli.completing import complete_runs
from gameday.cli.files import FINDINGS
from gameday.cli.remarks import tell_remarks
from gameday.model import EXIT_INTERNAL

EPILOG = """\b
Examples:
  gameday report runs/20261123T101500Z-payments-outage-1a2b
  gameday report runs/* --format html --assets linked
  gameday report runs/* --format openmetrics --output metrics.txt
  gameday report runs/20261123T101500Z-payments-outage-1a2b --format csv --output -
  gameday report --site public runs/
"""


@click.command(epilog=EPILOG)
@click.argument(
    "run_folders",
    metavar="RUN...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    shell_complete=complete_runs,
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    help="html, junit, markdown, openmetrics, csv, github, github-annotations (default: those that a run writes). Repeatable.",
)
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="Write one format into FILE, or - for stdout, all runs together; default: into each run's folder.",
)
@click.option(
    "--assets",
    type=click.Choice(["inline", "linked"]),
    default="inline",
    show_default=True,
    help="linked: the style sheet as a file beside report.html, for servers that allow none inside (Jenkins).",
)
@click.option(
    "--site",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Add the runs to a static site in DIR: what is proven, what is open, every report. Only what changed is written.",
)
@click.option(
    "--stale-days",
    type=click.IntRange(1, 3650),
    default=30,
    show_default=True,
    help="With --site: days after which a pass proves nothing any more.",
)
@click.option(
    "--findings",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --site: today's findings.yaml, in the place of what each run had. Repeatable.",
)
def report(
    *,
    run_folders: tuple[Path, ...],
    formats: tuple[str, ...],
    output: Path | None,
    assets: str,
    site: Path | None,
    stale_days: int,
    findings: tuple[Path, ...],
) -> None:
    """Write the reports of RUN into its folder; the same bytes each time.

    In a GitHub job, --format github also adds the summary to that of the step, and marks the lines of broken objectives.
    """
    if site is not None:
        if formats or output is not None or assets == "linked":
            raise click.UsageError("--site writes pages of its own: leave out --format, --output and --assets")
        from gameday.cli.site import into_site  # noqa: PLC0415 - only where it is asked for

        into_site(site, run_folders, stale_days=stale_days, findings=findings)
        return
    if findings:
        raise click.UsageError("--findings is for --site; a run's report reads the findings.yaml in its folder")
    if output is None:
        code = _into_folders(run_folders, formats, linked=assets == "linked")
        if "github" in formats:
            from gameday.cli.ci import tell_ci  # noqa: PLC0415 - only where it is asked for

            tell_ci(run_folders, os.environ)
        sys.exit(code)
    if assets == "linked":
        raise click.UsageError("--assets linked writes files beside each report: leave --output out")
    if len(formats) != 1:
        raise click.UsageError("--output is one document: name its format, like --format openmetrics")
    _into_one(run_folders, formats[0], output)


def _into_folders(run_folders: tuple[Path, ...], formats: tuple[str, ...], *, linked: bool) -> int:
    from gameday.cli.outcome import alarm  # noqa: PLC0415 - heavy
    from gameday.runner.ending import report_folder  # noqa: PLC0415 - heavy

    failed = False
    for folder in run_folders:
        judged = report_folder(folder, formats, linked=linked)
        tell_remarks(folder / FINDINGS)
        alarm(judged.document)
        for path in judged.reports:
            click.echo(path)
        for failure in judged.failed:
            click.echo(f"{folder}: {failure}", err=True)
        failed = failed or bool(judged.failed)
    return EXIT_INTERNAL if failed else 0


def _into_one(run_folders: tuple[Path, ...], form: str, output: Path) -> None:
    from gameday.cli.outcome import alarm  # noqa: PLC0415 - heavy
    from gameday.runner.documents import document, write_document  # noqa: PLC0415 - heavy

    data, judged = document(run_folders, form)
    for one in judged:
        alarm(one.document, err=True)
    if str(output) == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        write_document(output, data)
        click.echo(output)
