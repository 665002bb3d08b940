"""Which files a command line means."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

SUFFIXES = (".yaml", ".yml")


def experiment_files(paths: Iterable[Path]) -> list[Path]:
    """Return the files named, and every *.yaml and *.yml below the folders named, sorted.

    Hidden ones are left out, and what lies in folders named ``fragments``: parts that experiments use. Raises
    click.UsageError when a folder holds none: nothing checked must never look like nothing wrong.
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        inside = sorted(p for p in path.rglob("*") if p.suffix in SUFFIXES and p.is_file() and not _left_out(p, path))
        if not inside:
            raise click.UsageError(f"no experiment file (*.yaml) in {path}")
        found += inside
    return list(dict.fromkeys(found))


def _left_out(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") or part == "fragments" for part in path.relative_to(folder).parts)
