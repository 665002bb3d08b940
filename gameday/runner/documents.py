"""One document of one or several run folders, for a file of the user's own or for a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gameday.journal.folder import read_run
from gameday.registry import renderers
from gameday.runner.ending import Judged, judge_folder, replace_file
from gameday.spi import GamedayError, Renderer, Together


def document(folders: Sequence[Path], form: str) -> tuple[bytes, tuple[Judged, ...]]:
    """Judge these run folders and render them as one document.

    Raises GamedayError for an unknown format, for a folder that is no run, and for several where the format holds one.
    """
    [renderer] = renderers([form])
    if len(folders) > 1 and not isinstance(renderer, Together):
        raise GamedayError(
            f"{form} is one file for each run, and these are {len(folders)} runs",
            hint="leave --output out: each report is written into its run's folder",
        )
    judged = tuple(judge_folder(folder) for folder in folders)
    return _render(renderer, folders), judged


def rendered(folders: Sequence[Path], form: str) -> bytes:
    """Render judged run folders as one document, one after the other where the format holds one; raise GamedayError."""
    [renderer] = renderers([form])
    return _render(renderer, folders)


def _render(renderer: Renderer, folders: Sequence[Path]) -> bytes:
    runs = [read_run(folder) for folder in folders]
    try:
        if isinstance(renderer, Together):
            return renderer.render_together(runs)
        return b"".join(renderer.render(run) for run in runs)
    except Exception as error:  # a stranger's renderer may raise anything
        raise GamedayError(f"cannot write {renderer.name}, a bug of ours: {type(error).__name__}: {error}") from error


def write_document(path: Path, data: bytes) -> None:
    """Write a document, whole or not at all; raise GamedayError that says why it could not be."""
    try:
        replace_file(path, data)
    except OSError as error:
        raise GamedayError(
            f"cannot write {path}: {error.strerror or error}", hint="name a file in a folder that exists"
        ) from error
