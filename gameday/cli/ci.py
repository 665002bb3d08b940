"""What a CI system is told at the end of a command: GitHub's summary and marks, GitLab's links to the reports.

Nothing here ever changes an exit code: what cannot be told is said on stderr.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click

from gameday.cli.terminal import printable
from gameday.spi.errors import GamedayError

SUMMARY_BYTES = 1024 * 1024
"""GitHub drops the summary of a step whole when it is larger."""
LINKS = ".gitlab-links.json"
"""Hidden, so that ``runs/*`` are run folders and nothing else."""


def tell_ci(folders: Sequence[Path], environ: Mapping[str, str]) -> None:
    """Tell the CI system that we run in, if any, what these judged runs came to."""
    if not folders:
        return
    tellers = {
        "the summary of the step": (environ.get("GITHUB_STEP_SUMMARY", ""), _summarise),
        "the annotations": (environ.get("GITHUB_ACTIONS", ""), _annotate),
        "the links to the reports": (environ.get("CI_JOB_URL", "") if environ.get("GITLAB_CI") else "", _link),
    }
    for what, (where, tell) in tellers.items():
        try:
            if where:
                tell(folders, where, environ)
        except (GamedayError, OSError, ValueError) as error:
            click.echo(f"cannot write {what}: {printable(str(error))}", err=True)


def _summarise(folders: Sequence[Path], where: str, _environ: Mapping[str, str]) -> None:
    """Append the summary to the file that GitHub names, unless that would be too much for GitHub."""
    from gameday.runner.documents import rendered  # noqa: PLC0415 - heavy

    data = rendered(folders, "github")
    with Path(where).open("ab") as file:
        if file.tell() + len(data) >= SUMMARY_BYTES:
            raise GamedayError(f"{where} would be larger than GitHub takes (1 MiB)")
        file.write(data)


def _annotate(folders: Sequence[Path], where: str, _environ: Mapping[str, str]) -> None:
    """Print the workflow commands on stderr, which GitHub reads as well: stdout may be a document."""
    from gameday.runner.documents import rendered  # noqa: PLC0415 - heavy

    if where.lower() != "true":
        return
    click.echo(rendered(folders, "github-annotations").decode(), err=True, nl=False)
    sys.stderr.flush()


def _link(folders: Sequence[Path], where: str, environ: Mapping[str, str]) -> None:
    """Write the file for ``artifacts: reports: annotations`` beside the run folders: a link to each report of this job.

    https://docs.gitlab.com/ci/yaml/artifacts_reports/#artifactsreportsannotations; the folders must be artifacts, too.
    """
    from gameday.runner.ending import replace_file  # noqa: PLC0415 - heavy

    target = folders[0].absolute().parent / LINKS
    links: list[dict[str, Any]] = []
    for folder in folders:
        report = folder.absolute() / "report.html"
        project = Path(environ.get("CI_PROJECT_DIR") or Path.cwd()).absolute()
        if report.exists() and report.is_relative_to(project):
            url = f"{where}/artifacts/file/{quote(str(report.relative_to(project)))}"
            links.append({"external_link": {"label": f"{_verdict(folder)}: {folder.name}", "url": url}})
    replace_file(target, (json.dumps({"gameday": links}, indent=2, ensure_ascii=False) + "\n").encode())


def _verdict(folder: Path) -> str:
    return str(json.loads((folder / "verdict.json").read_bytes())["verdict"])
