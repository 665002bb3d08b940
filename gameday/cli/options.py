"""Options that several verbs share, each spelt once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gameday.cli.loading import SEEDS

F = TypeVar("F", bound=Callable[..., Any])


def output_option(says: str = "Where run folders go.") -> Callable[[F], F]:
    """``--output DIR``, as ``output: Path``."""
    kind = click.Path(file_okay=False, path_type=Path)
    return click.option("--output", type=kind, default=Path("runs"), show_default=True, help=says)


def format_option(command: F) -> F:
    """``--format text|json``, as ``form: str``."""
    kind = click.Choice(["text", "json"])
    return click.option("--format", "form", type=kind, default="text", show_default=True, help="What stdout carries.")(
        command
    )


def seed_option(says: str) -> Callable[[F], F]:
    """``--seed N``, as ``seed: int | None``."""
    return click.option("--seed", type=click.IntRange(0, SEEDS - 1), help=says)
