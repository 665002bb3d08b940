"""Which files a command line means."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

SUFFIXES = (".yaml", ".yml")
FINDINGS = "findings.yaml"
"""What people add to findings, beside the experiments: no experiment itself."""
PARTS = ("fragments", "slis")
"""Folders of what experiments use, and which are none themselves."""
_AGENDA = b"agenda"
_MOST_BYTES = 1024 * 1024


def experiment_files(paths: Iterable[Path], *, days: bool = False) -> list[Path]:
    """Return the files named, and every *.yaml and *.yml below the folders named, sorted.

    Left out are hidden ones, what lies in folders named ``fragments`` or ``slis`` (parts that experiments use), in run folders or in
    those of game days, ``findings.yaml``, and game days unless ``days`` is said. Raises click.UsageError when a folder holds none: nothing
    checked must never look like nothing wrong.
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES and p.is_file() and not left_out(p, path))
        inside = inside if days else [p for p in inside if not is_day_file(p)]
        if not inside:
            raise click.UsageError(f"no experiment file (*.yaml) in {path}")
        found += inside
    return list(dict.fromkeys(found))


def remarks_files(paths: Iterable[Path]) -> list[Path]:
    """Return every findings.yaml that is named, or lies below a folder that is."""
    found = [
        inside
        for path in paths
        for inside in (sorted(path.rglob(FINDINGS)) if path.is_dir() else [path])
        if inside.name == FINDINGS and inside.is_file()
    ]
    return list(dict.fromkeys(found))


def is_day_file(path: Path) -> bool:
    """Whether a file means to be a game day; one that cannot be read is none."""
    try:
        with path.open("rb") as stream:
            data = stream.read(_MOST_BYTES)
    except OSError:
        return False
    if _AGENDA not in data:  # nearly every file: no need to parse it
        return False
    from gameday.schema.day.loader import is_day  # noqa: PLC0415 - heavy

    return is_day(data)


def left_out(path: Path, folder: Path) -> bool:
    """Whether a YAML file below a folder is no experiment by its place or name."""
    kept = (
        "plan.json",
        "journal.ndjson",
    )  # beside the copy of an experiment, or of a game day, in a folder of what was done
    if path.name == FINDINGS or any((path.parent / name).is_file() for name in kept):
        return True
    return any(part.startswith(".") or part in PARTS for part in path.relative_to(folder).parts)
