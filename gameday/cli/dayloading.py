"""A game-day file with the experiments that it names, all loaded before anything starts."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gameday.cli.files import is_day_file
from gameday.cli.loading import Given, load_file
from gameday.cli.variables import refuse_undeclared
from gameday.model import EXIT_USAGE

if TYPE_CHECKING:
    from gameday.schema.day.loader import LoadedDay
    from gameday.schema.errors import Located
    from gameday.schema.loader import Loaded

Place = tuple[str, int]
"""``agenda`` or ``prerequisites``, and the index there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeDay:
    """A game day and everything that it runs, checked; ``errors`` says what is wrong, of all files at once."""

    loaded: LoadedDay | None = None
    experiments: Mapping[Place, tuple[Loaded, ...]] = field(default_factory=dict[Place, "tuple[Loaded, ...]"])
    """For each item that is an experiment: one for each combination of its matrix."""
    errors: tuple[Located, ...] = ()

    @property
    def declared(self) -> frozenset[str]:
        """Every variable that the day or one of its experiments declares."""
        own = self.loaded.declared if self.loaded is not None else frozenset[str]()
        return own.union(*(one.declared for loaded in self.experiments.values() for one in loaded))

    @property
    def needed(self) -> tuple[str, ...]:
        """Secrets that a run needs."""
        own = self.loaded.needed if self.loaded is not None else ()
        others = (name for loaded in self.experiments.values() for name in loaded[0].needed)
        return tuple(dict.fromkeys((*own, *others)))


def load_whole_day(path: Path, given: Given, *, require_values: bool = True) -> WholeDay:
    """Load a game-day file and its experiments.

    An experiment is given the variables of its item, and of the command line those that it declares itself.
    """
    from gameday.schema.day.loader import load_day  # noqa: PLC0415 - heavy
    from gameday.schema.errors import ExperimentErrors  # noqa: PLC0415 - heavy

    try:
        loaded = load_day(
            path,
            variables=given.variables,
            secret_values=given.secret_values,
            environ=os.environ,
            require_values=require_values,
        )
    except ExperimentErrors as errors:
        return WholeDay(errors=errors.errors)
    found: dict[Place, tuple[Loaded, ...]] = {}
    wrong: list[Located] = []
    for place, item in experiment_items(loaded):
        try:
            found[place] = load_item(loaded, item, given, require_values=require_values)
            wrong += loaded.undeclared(place, item.variables, found[place][0].declared)
        except ExperimentErrors as errors:
            wrong += errors.errors
    return WholeDay(loaded=loaded, experiments=found, errors=tuple(dict.fromkeys(wrong)))


def experiment_items(loaded: LoadedDay) -> Iterator[tuple[Place, Any]]:
    """Yield each prerequisite and item of the agenda that is an experiment, with its place."""
    sections: dict[str, tuple[Any, ...]] = {"prerequisites": loaded.day.prerequisites, "agenda": loaded.day.agenda}
    for section, items in sections.items():
        for index, item in enumerate(items):
            if item.experiment is not None:
                yield (section, index), item


def load_item(loaded: LoadedDay, item: Any, given: Given, **more: Any) -> tuple[Loaded, ...]:
    """Load the experiment of one item; ``more`` as for load_file; raise ExperimentErrors."""
    from gameday.schema.day.agenda import given_variables  # noqa: PLC0415 - heavy

    own = given_variables(item.variables)
    return load_file(
        loaded.beside(item.experiment),
        Given(variables={**given.variables, **own}, secret_values=given.secret_values),
        silence=loaded.day.silence_alerts,
        **more,
    )


def load_plan(path: Path, given: Given, *, require_values: bool = False) -> WholeDay:
    """Load everything; print every error and end the program when something is wrong, or is no game day."""
    from gameday.schema.errors import render  # noqa: PLC0415 - heavy

    if not is_day_file(path):
        raise click.UsageError(f"{path} is no game day: it has no agenda:; an experiment is run by: gameday run {path}")
    whole = load_whole_day(path, given, require_values=require_values)
    if whole.errors or whole.loaded is None:
        click.echo(render(whole.errors), err=True)
        sys.exit(EXIT_USAGE)
    refuse_undeclared(given.variables, [whole])
    return whole
