"""``gameday init``: a first experiment, a first game day and a CI workflow that pass as they are."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path

import click

import gameday
from gameday.spi.errors import GamedayError

EPILOG = """\b
Examples:
  gameday init
  gameday init resilience-tests
"""
TEMPLATES = {
    "experiments/first.yaml": "first.yaml",
    "experiments/README.md": "README.md",
    "experiments/gamedays/first.yaml": "day.yaml",
    ".github/workflows/resilience.yaml": "resilience.yaml",
}
SCHEMAS = {"experiments/experiment.schema.json": "experiment", "experiments/gamedays/day.schema.json": "day"}
NEXT = (
    "gameday validate experiments/",
    "gameday plan experiments/first.yaml",
    "gameday run experiments/first.yaml",
    "gameday day plan experiments/gamedays/first.yaml",
)


@click.command(epilog=EPILOG)
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path))
def init(folder: Path) -> None:
    """Write a first experiment, a first game day, their JSON Schemas and a CI workflow into DIR (default: here), and say what to do next.

    No file is ever overwritten: if one of them is there already, nothing is written at all.
    """
    files = contents()
    there = [name for name in files if (folder / name).exists() or (folder / name).is_symlink()]
    if there:
        raise GamedayError(
            f"{', '.join(there)} {'is' if len(there) == 1 else 'are'} already in {folder}; nothing was written",
            hint="name another folder: gameday init DIR",
        )
    write(folder, files)
    for name in files:
        click.echo(f"wrote {folder / name}", err=True)
    click.echo("Next:", err=True)
    for command in ((f"cd {shlex.quote(str(folder))}",) if folder != Path() else ()) + NEXT:
        click.echo(f"  {command}")


def contents() -> dict[str, str]:
    """Return what is written: path below the folder → text."""
    from gameday.schema.jsonschema import json_schema  # noqa: PLC0415 - heavy

    templates = Path(gameday.__file__).parent / "initial"
    files = {name: (templates / source).read_text(encoding="utf-8") for name, source in TEMPLATES.items()}
    schemas = {
        name: json.dumps(json_schema(kind), indent=2, ensure_ascii=False) + "\n" for name, kind in SCHEMAS.items()
    }
    return files | schemas


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Write all files or none; raise GamedayError when that is not possible."""
    written: list[Path] = []
    try:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                written.append(path)
                file.write(text)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        raise GamedayError(
            f"cannot write into {folder}: {error.strerror or error}; nothing was written",
            hint="choose a folder that you may write to: gameday init DIR",
        ) from error
