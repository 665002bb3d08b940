"""Tell what is wrong with a findings.yaml: once, on stderr; the run or report goes on without what is wrong."""

from __future__ import annotations

from pathlib import Path

import click

from gameday.cli.terminal import printable


def tell_remarks(path: Path) -> None:
    """Print the errors of a findings file, if there is one and it has any."""
    from gameday.schema.errors import render  # noqa: PLC0415 - heavy
    from gameday.schema.remarks import read_remarks_file  # noqa: PLC0415 - heavy

    errors = read_remarks_file(path).errors
    if errors:
        click.echo("\n".join(printable(line) for line in render(errors).splitlines()), err=True)
        click.echo(
            f"{printable(str(path))}: what is wrong is left out of the report; nothing else depends on it", err=True
        )
