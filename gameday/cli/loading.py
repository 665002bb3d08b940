"""From paths to the runs they mean: files, combinations of a matrix, repeats; all loaded before anything starts."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, TypeVar

import click

from gameday.cli.files import experiment_files, is_day_file
from gameday.cli.library import library
from gameday.cli.variables import refuse_undeclared
from gameday.model import EXIT_USAGE

if TYPE_CHECKING:
    from gameday.schema.loader import Loaded

T = TypeVar("T")
SEEDS = 2**31


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the command line gives to every file."""

    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    secret_values: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One run that is to be."""

    run_id: str
    seed: int
    loaded: Loaded

    @property
    def source(self) -> Path:
        """The experiment file."""
        return self.loaded.path

    @property
    def variant(self) -> Mapping[str, str]:
        """Which combination of the file's matrix it is; empty without one."""
        return self.loaded.variant


def load_runs(paths: Iterable[Path], given: Given, *, seed: int | None = None, repeat: int = 1) -> list[Entry]:
    """Load every run that these files and folders mean, in order; print every error and end the program when one is invalid.

    Each repeat has a seed of its own, counted up from the one given, so that the same command line is the same runs.
    """
    first = SystemRandom().randrange(SEEDS) if seed is None else seed
    seeds = [(first + turn) % SEEDS for turn in range(repeat)]
    entries = _each(paths, lambda path: [entry for chosen in seeds for entry in _entries(path, given, chosen)])
    refuse_undeclared(given.variables, (entry.loaded for entry in entries))
    return entries


def load_plans(paths: Iterable[Path], given: Given) -> list[Loaded]:
    """Load every experiment that these files and folders mean, as load_runs does, but a secret may be missing."""
    loaded = _each(paths, lambda path: load_file(path, given, require_values=False))
    refuse_undeclared(given.variables, loaded)
    return loaded


def _each(paths: Iterable[Path], load: Callable[[Path], Iterable[T]]) -> list[T]:
    from gameday.schema.errors import ExperimentErrors  # noqa: PLC0415 - heavy

    found: list[T] = []
    errors: list[str] = []
    for path in experiment_files(paths):
        if is_day_file(path):
            raise click.UsageError(
                f"{path} is a game day, not an experiment; see gameday day --help: gameday day run {path}"
            )
        try:
            found += load(path)
        except ExperimentErrors as invalid:
            errors.append(str(invalid))
    if errors:
        click.echo("\n".join(errors), err=True)
        sys.exit(EXIT_USAGE)
    return found


def _entries(path: Path, given: Given, seed: int) -> list[Entry]:
    """Load one file; each combination of its matrix has a run id of its own, which its variables may use."""
    from gameday.runner.folder import new_run_id  # noqa: PLC0415 - heavy

    ids: list[str] = []

    def builtins(_index: int) -> dict[str, str]:
        ids.append(new_run_id(path, datetime.now(UTC)))
        return {"run.id": ids[-1], "run.seed": str(seed)}

    loaded = load_file(path, given, builtins=builtins)
    return [Entry(run_id=run_id, seed=seed, loaded=one) for run_id, one in zip(ids, loaded, strict=True)]


def load_file(
    path: Path,
    given: Given,
    *,
    builtins: Callable[[int], Mapping[str, str]] | None = None,
    require_values: bool = True,
    silence: Iterable[str] = (),
) -> tuple[Loaded, ...]:
    """Load one file: an experiment, or each combination of its matrix; raise ExperimentErrors. ``silence``: alerts beside its own."""
    from gameday.registry import load_driver, load_probe  # noqa: PLC0415 - heavy
    from gameday.schema.loader import load_experiments  # noqa: PLC0415 - heavy

    return load_experiments(
        path,
        variables=given.variables,
        secret_values=given.secret_values,
        environ=os.environ,
        builtins=builtins,
        require_values=require_values,
        silence=tuple(silence),
        drivers=load_driver,
        probes=load_probe,
        library=library(),
    )
