"""``gameday export``: a file's load as an ordinary locustfile, for who wants to go on without gameday."""

from __future__ import annotations

from pathlib import Path

import click

from gameday.cli.completing import complete_experiments
from gameday.cli.loading import Given, load_plans
from gameday.cli.variables import variable_options
from gameday.spi.errors import GamedayError

EPILOG = """\b
Examples:
  gameday export mine.yaml --locust > locustfile.py
  gameday export mine.yaml --locust --to load/shop.py
"""


@click.command(epilog=EPILOG)
@click.argument(
    "path",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    shell_complete=complete_experiments,
)
@variable_options
@click.option("--locust", is_flag=True, required=True, help="As a locustfile, which plain locust runs.")
@click.option(
    "--to", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write there; default: stdout."
)
def export(
    *, path: Path, variables: dict[str, str], secret_values: dict[str, str], locust: bool, to: Path | None
) -> None:
    """Write the load of FILE's own requests as a locustfile. Secrets stay what they are: read from the environment.

    Nothing is started or contacted, and no file is overwritten.
    """
    assert locust  # noqa: S101 - the only format so far, and it must be named
    loaded = load_plans([path], Given(variables=variables, secret_values=secret_values))
    if len(loaded) > 1:
        names = " ".join(f"--var {name}={value}" for name, value in loaded[0].variant.items())
        raise click.UsageError(f"{path} is a matrix of {len(loaded)} experiments; choose one, like {names}")
    profile = loaded[0].experiment.load
    if profile is None:
        raise GamedayError(f"{path} has no load to export", hint="its objectives are about the system's own traffic")
    from gameday.load.export import to_locustfile  # noqa: PLC0415 - heavy

    text = to_locustfile(profile, loaded[0].experiment.data)
    if to is None:
        click.echo(text, nl=False)
    else:
        _write(to, text)


def _write(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise GamedayError(f"{path} is already there", hint="name another file by --to") from None
    except OSError as error:
        raise GamedayError(
            f"cannot write {path}: {error.strerror or error}", hint="name another file by --to"
        ) from error
    click.echo(f"wrote {path}", err=True)
