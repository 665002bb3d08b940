"""From paths to the runs they mean: files, combinations of a matrix, repeats; all loaded before anything starts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING

import click

from gameday.cli.files import experiment_files
from gameday.cli.variables import refuse_undeclared
from gameday.model import EXIT_USAGE

if TYPE_CHECKING:
    from gameday.schema.loader import Loaded

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
        return getattr(self.loaded, "variant", {})


def load_runs(paths: Iterable[Path], given: Given, *, seed: int | None = None, repeat: int = 1) -> list[Entry]:
    """Load every run that these files and folders mean, in order; print every error and end the program when one is invalid.

    Each repeat has a seed of its own, counted up from the one given, so that the same command line is the same runs.
    """
    first = SystemRandom().randrange(SEEDS) if seed is None else seed
    entries: list[Entry] = []
    errors: list[str] = []
    for path in experiment_files(paths):
        try:
            for turn in range(repeat):
                entries += _entries(path, given, (first + turn) % SEEDS)
        except _InvalidError as error:
            errors.append(str(error))
    if errors:
        click.echo("\n".join(errors), err=True)
        sys.exit(EXIT_USAGE)
    refuse_undeclared(given.variables, (entry.loaded for entry in entries))
    return entries


class _InvalidError(Exception):
    """A file's errors, as text."""


def _entries(path: Path, given: Given, seed: int) -> list[Entry]:
    """Load one file once for each of its combinations: each has a run id of its own, which its variables may use."""
    from gameday.runner.folder import new_run_id  # noqa: PLC0415 - heavy

    entries: list[Entry] = []
    count = 1
    while len(entries) < count:
        run_id = new_run_id(path, datetime.now(UTC))
        loaded = _load(path, given, {"run.id": run_id, "run.seed": str(seed)})
        count = len(loaded)
        entries.append(Entry(run_id=run_id, seed=seed, loaded=loaded[len(entries)]))
    return entries


def _load(path: Path, given: Given, builtins: Mapping[str, str]) -> tuple[Loaded, ...]:
    from gameday.registry import load_driver  # noqa: PLC0415 - heavy
    from gameday.schema.errors import ExperimentErrors  # noqa: PLC0415 - heavy
    from gameday.schema.loader import load_experiment  # noqa: PLC0415 - heavy

    try:
        return (
            load_experiment(
                path,
                variables=given.variables,
                secret_values=given.secret_values,
                environ=os.environ,
                builtins=builtins,
                drivers=load_driver,
            ),
        )
    except ExperimentErrors as errors:
        raise _InvalidError(str(errors)) from None
