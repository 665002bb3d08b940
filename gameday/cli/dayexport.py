"""``gameday day export``: a day's schedule for an engine that is there already."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import click

from gameday.cli.init import write
from gameday.spi.errors import GamedayError

EPILOG = """\b
Examples:
  gameday day export gamedays/payments.yaml --kubernetes --image registry.example.com/gamedays:7 > cronjob.yaml
  gameday day export gamedays/payments.yaml --systemd --to ~/.config/systemd/user
  gameday day export gamedays/payments.yaml --github --to .github/workflows/
"""


@click.command(epilog=EPILOG)
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--kubernetes", is_flag=True, help="A CronJob; needs --image.")
@click.option("--systemd", is_flag=True, help="A service and its timer.")
@click.option("--github", is_flag=True, help="A GitHub workflow.")
@click.option("--image", metavar="IMAGE", help="For --kubernetes: an image with gameday, FILE and its experiments.")
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Write the files there, overwriting none; default: stdout.",
)
def export(*, path: Path, kubernetes: bool, systemd: bool, github: bool, image: str | None, to: Path | None) -> None:
    """Write the schedule of FILE for Kubernetes, systemd or GitHub.

    What they cannot express (window, blackouts, jitter) still holds: the command that they run checks it, and ends with exit code 6 when
    the day may not be on. The path of FILE is written as it is given: name it as the engine will see it.
    """
    if [kubernetes, systemd, github].count(True) != 1:
        raise click.UsageError("name one engine: --kubernetes, --systemd or --github")
    if bool(image) != kubernetes:
        raise click.UsageError("--kubernetes needs --image, and nothing else does")
    files = _files(path, image=image or "", engine="kubernetes" if kubernetes else "systemd" if systemd else "github")
    if to is not None:
        there = [name for name in files if (to / name).exists() or (to / name).is_symlink()]
        if there:
            raise GamedayError(f"{', '.join(there)} already in {to}; nothing was written", hint="name another folder")
        write(to, files)
        for name in files:
            click.echo(f"wrote {to / name}", err=True)
        return
    for name, text in files.items():
        click.echo((f"# --- {name}\n" if len(files) > 1 else "") + text, nl=False)


def _files(path: Path, *, image: str, engine: str) -> dict[str, str]:
    from gameday.gamedays.schedule.export import github, kubernetes, systemd  # noqa: PLC0415 - heavy
    from gameday.gamedays.schedule.export.exported import Exported  # noqa: PLC0415
    from gameday.gamedays.schedule.files import read_schedule  # noqa: PLC0415
    from gameday.schema.day.loader import load_day  # noqa: PLC0415

    schedule, title = read_schedule(path), load_day(path, environ=os.environ, require_values=False).day.title
    exported = Exported(path=path.absolute() if engine == "systemd" else path, schedule=schedule, title=title)
    match engine:
        case "kubernetes":
            return {f"{exported.name}.yaml": kubernetes.manifest(exported, image)}
        case "systemd":
            return systemd.units(exported, _program(), Path.cwd())
        case _:
            return {f"{exported.name}.yaml": github.document(exported)}


def _program() -> Path:
    beside = Path(sys.executable).with_name("gameday")
    found = beside if beside.is_file() else Path(shutil.which("gameday") or "/usr/bin/gameday")
    return found.absolute()
