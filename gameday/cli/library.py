"""The experiments that ship with gameday: in a checkout its own folder, in an installation the copy in the wheel."""

from __future__ import annotations

from pathlib import Path

import gameday


def library() -> Path:
    """Return the folder of the shipped experiments."""
    package = Path(gameday.__file__).parent
    installed = package / "library"
    return installed if installed.is_dir() else package.parent / "experiments"


def shipped() -> list[Path]:
    """Return every shipped experiment, sorted."""
    from gameday.cli.files import experiment_files  # noqa: PLC0415 - validate imports this module for its folder

    return experiment_files([library()])
