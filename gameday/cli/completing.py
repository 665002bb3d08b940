"""What the shell offers after TAB: experiment files and folders, run folders, drivers. Quick, and silent about every error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from gameday.cli.files import SUFFIXES

_MOST = 200


def complete_experiments(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer experiment files, and folders that lead to more."""
    return [CompletionItem(path) for path in _paths(incomplete, SUFFIXES)]


def complete_runs(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer run folders: those under ``--output`` or runs/ at once, and any other by its path."""
    output = Path(str(ctx.params.get("output") or "runs"))
    runs = [str(path.parent) for path in sorted(output.glob("*/plan.json"), reverse=True)][:_MOST]
    found = [run for run in runs if run.startswith(incomplete)]
    return [CompletionItem(path) for path in (found or _paths(incomplete, ()))]


def complete_days(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer folders of game days: those under ``--output`` or runs/ at once, and any other by its path."""
    output = Path(str(ctx.params.get("output") or "runs"))
    days = [str(path.parent) for path in sorted(output.glob("day-*/day.json"), reverse=True)][:_MOST]
    found = [day for day in days if day.startswith(incomplete)]
    return [CompletionItem(path) for path in (found or _paths(incomplete, ()))]


def complete_drivers(_ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Offer the names of installed drivers."""
    from gameday.registry import drivers  # noqa: PLC0415 - only here

    return [CompletionItem(name) for name in drivers() if name.startswith(incomplete)]


def _paths(incomplete: str, suffixes: Sequence[str]) -> Iterator[str]:
    """Yield what begins with these letters: folders with a slash, files that end so; hidden ones only when asked for."""
    typed = Path(incomplete)
    folder, start = (typed, "") if incomplete.endswith("/") or not incomplete else (typed.parent, typed.name)
    try:
        entries = sorted(folder.iterdir())[: 10 * _MOST]
    except OSError:
        return
    for path in entries:
        if not path.name.startswith(start) or (path.name.startswith(".") and not start.startswith(".")):
            continue
        if path.is_dir():
            yield f"{path}/"
        elif path.suffix in suffixes:
            yield str(path)
