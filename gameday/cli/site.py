"""``gameday report --site``: many run folders into one static site."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from gameday.cli.remarks import tell_remarks
from gameday.cli.terminal import printable


def into_site(site: Path, run_folders: Iterable[Path], *, stale_days: int, findings: Iterable[Path]) -> None:
    """Add runs to a site and say what became of it; ``findings`` are today's findings files."""
    from gameday.runner.site import build_site  # noqa: PLC0415 - heavy
    from gameday.schema.remarks import read_remarks_file  # noqa: PLC0415 - heavy

    given = False
    today: dict[str, Mapping[str, str]] = {}
    for path in findings:
        given = True
        tell_remarks(path)
        today.update(read_remarks_file(path).entries)
    built = build_site(site, run_folders, now=time.time(), stale_days=stale_days, remarks=today if given else None)
    for folder, why in built.unreadable:
        click.echo(printable(f"{folder}: not in the site: {why}"), err=True)
    runs, files = (f"{n} {what}{'' if n == 1 else 's'}" for n, what in ((built.runs, "run"), (built.changed, "file")))
    click.echo(f"{runs}, {built.read} of them new or changed; {files} written", err=True)
    click.echo(site / "index.html")
