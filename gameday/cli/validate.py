"""``gameday validate``: everything that is wrong with experiment files, without touching anything but the files."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gameday.cli.completing import complete_experiments
from gameday.cli.files import FINDINGS, experiment_files, is_day_file, remarks_files
from gameday.cli.library import library
from gameday.cli.loading import Given
from gameday.cli.options import format_option
from gameday.cli.variables import refuse_undeclared, variable_options
from gameday.model import EXIT_USAGE

if TYPE_CHECKING:
    from gameday.schema.day.loader import LoadedDay
    from gameday.schema.errors import Located
    from gameday.schema.loader import Loaded

EPILOG = """\b
Examples:
  gameday validate experiments/
  gameday validate mine.yaml --var base_url=https://staging.example.com
  gameday validate mine.yaml --strict --format json
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One file, checked."""

    path: Path
    loaded: tuple[Loaded, ...] = ()
    """One for each combination of its matrix, of a game day for each of its experiments; none when it is not valid."""
    day: LoadedDay | None = None
    """Of a game day."""
    errors: tuple[Located, ...] = ()

    @property
    def warnings(self) -> tuple[Located, ...]:
        """Of all combinations, each once."""
        return tuple(dict.fromkeys(warning for one in self.loaded for warning in one.warnings))

    @property
    def needed(self) -> tuple[str, ...]:
        """Secrets that a run needs."""
        if self.day is not None:
            return tuple(dict.fromkeys((*self.day.needed, *(name for one in self.loaded for name in one.needed))))
        return self.loaded[0].needed if self.loaded else ()

    @property
    def declared(self) -> frozenset[str]:
        """Every variable that it declares."""
        own = self.day.declared if self.day is not None else frozenset[str]()
        return own.union(*(one.declared for one in self.loaded))

    def to_json(self) -> dict[str, Any]:
        """As ``--format json`` prints it."""
        return {
            "path": str(self.path),
            "valid": not self.errors,
            "errors": [error.to_json() for error in self.errors],
            "warnings": [warning.to_json() for warning in self.warnings],
            "needs": list(self.needed),
            "variants": [dict(one.variant) for one in self.loaded] if self.day is None else [],
            **({"kind": "day"} if self.day is not None else {}),
        }


@click.command(epilog=EPILOG)
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path), shell_complete=complete_experiments
)
@variable_options
@click.option("--strict", is_flag=True, help="Ask for a hypothesis and an owner, too.")
@format_option
def validate(
    *, paths: tuple[Path, ...], variables: dict[str, str], secret_values: dict[str, str], strict: bool, form: str
) -> None:
    """Check experiment files and game-day files: every error with its place and its fix, all in one go. No target is contacted.

    A game day is checked with the experiments that it names. A folder stands for every *.yaml below it, findings.yaml included, in which
    people add to findings. Exit code 0: every file is
    valid; 2: at least one is not.
    """
    named = [path for path in paths if path.is_dir() or path.name != FINDINGS]
    files = experiment_files(named, days=True) if named else []
    checked = [check(path, variables, secret_values, strict=strict) for path in files]
    if all(one.loaded or one.day for one in checked):
        refuse_undeclared(variables, checked)
    checked += [check_remarks(path) for path in remarks_files(paths)]
    valid = not any(one.errors for one in checked)
    if form == "json":
        click.echo(
            json.dumps({"valid": valid, "files": [one.to_json() for one in checked]}, indent=2, ensure_ascii=False)
        )
    else:
        for one in checked:
            _show(one)
    if not valid:
        sys.exit(EXIT_USAGE)


def check(path: Path, variables: Mapping[str, str], secret_values: Mapping[str, str], *, strict: bool) -> Checked:
    """Check one file, its faults against the installed drivers included; a game day with its experiments."""
    if is_day_file(path):
        return check_day(path, variables, secret_values, strict=strict)
    from gameday.registry import load_driver, load_probe  # noqa: PLC0415 - --help needs none of it
    from gameday.schema.errors import ExperimentErrors  # noqa: PLC0415 - --help needs none of it
    from gameday.schema.loader import load_experiments  # noqa: PLC0415 - --help needs none of it

    try:
        loaded = load_experiments(
            path,
            variables=variables,
            secret_values=secret_values,
            environ=os.environ,
            require_values=False,
            drivers=load_driver,
            probes=load_probe,
            library=library(),
        )
    except ExperimentErrors as errors:
        return Checked(path=path, errors=errors.errors)
    return Checked(path=path, loaded=loaded, errors=loaded[0].strict_errors() if strict else ())


def check_day(
    path: Path, variables: Mapping[str, str], secret_values: Mapping[str, str], *, strict: bool = False
) -> Checked:
    """Check a game-day file and the experiments that it names."""
    from gameday.cli.dayloading import load_whole_day  # noqa: PLC0415 - --help needs none of it

    whole = load_whole_day(path, Given(variables=variables, secret_values=secret_values), require_values=False)
    loaded = tuple(one for each in whole.experiments.values() for one in each)
    asked = tuple(dict.fromkeys(error for one in loaded if strict for error in one.strict_errors()))
    return Checked(path=path, loaded=loaded, day=whole.loaded, errors=(*whole.errors, *asked))


def check_remarks(path: Path) -> Checked:
    """Check a findings.yaml."""
    from gameday.schema.remarks import read_remarks_file  # noqa: PLC0415 - --help needs none of it

    return Checked(path=path, errors=read_remarks_file(path).errors)


def _show(checked: Checked) -> None:
    from gameday.schema.errors import render  # noqa: PLC0415 - --help needs none of it

    if checked.errors or checked.warnings:
        click.echo(render((*checked.errors, *checked.warnings)) + "\n", err=True)
    if not checked.errors:
        about = ["a game day"] if checked.day is not None else []
        about += [f"{len(checked.loaded)} experiments"] if len(checked.loaded) > 1 else []
        about += [f"a run needs the secrets {', '.join(checked.needed)}"] if checked.needed else []
        click.echo(f"{checked.path}: valid" + (f" ({'; '.join(about)})" if about else ""))
