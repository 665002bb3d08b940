"""``gameday export``: a file's load as an ordinary locustfile, or its faults for Chaos Toolkit: for who wants to go on without gameday."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gameday.cli.completing import complete_experiments
from gameday.cli.loading import Given, load_plans
from gameday.cli.variables import variable_options
from gameday.spi.errors import GamedayError

if TYPE_CHECKING:
    from gameday.schema.loader import Loaded

EPILOG = """\b
Examples:
  gameday export mine.yaml --locust > locustfile.py
  gameday export mine.yaml --locust --to load/shop.py
  gameday export mine.yaml --chaostoolkit > experiment.json
"""


@click.command(epilog=EPILOG)
@click.argument(
    "path",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    shell_complete=complete_experiments,
)
@variable_options
@click.option("--locust", is_flag=True, help="Its load as a locustfile, which plain locust runs.")
@click.option(
    "--chaostoolkit", is_flag=True, help="Its faults as a Chaos Toolkit experiment, which chaos run carries out."
)
@click.option(
    "--to", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write there; default: stdout."
)
def export(
    *,
    path: Path,
    variables: dict[str, str],
    secret_values: dict[str, str],
    locust: bool,
    chaostoolkit: bool,
    to: Path | None,
) -> None:
    """Write the load of FILE's own requests as a locustfile, or its faults as a Chaos Toolkit experiment.

    Secrets stay what they are: read from the environment. Nothing is started or contacted, and no file is overwritten.
    """
    if locust == chaostoolkit:
        raise click.UsageError("name one format: --locust or --chaostoolkit")
    loaded = load_plans([path], Given(variables=variables, secret_values=secret_values))
    if len(loaded) > 1:
        names = " ".join(f"--var {name}={value}" for name, value in loaded[0].variant.items())
        raise click.UsageError(f"{path} is a matrix of {len(loaded)} experiments; choose one, like {names}")
    text = _locustfile(loaded[0]) if locust else _chaostoolkit(loaded[0])
    if to is None:
        click.echo(text, nl=False)
    else:
        _write(to, text)


def _locustfile(loaded: Loaded) -> str:
    profile = loaded.experiment.load
    if profile is None:
        hint = "its objectives are about the system's own traffic"
        raise GamedayError(f"{loaded.path} has no load to export", hint=hint)
    from gameday.load.export import to_locustfile  # noqa: PLC0415 - heavy

    return to_locustfile(profile, loaded.experiment.data)


def _chaostoolkit(loaded: Loaded) -> str:
    from gameday.schema.chaosexport import to_chaostoolkit  # noqa: PLC0415 - heavy

    names = sorted({*loaded.secrets.values, *loaded.needed})
    return json.dumps(to_chaostoolkit(loaded.experiment, names), indent=2, ensure_ascii=False) + "\n"


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
