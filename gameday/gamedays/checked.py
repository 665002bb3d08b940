"""One thing that a check of a folder looked at, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Finding(StrEnum):
    """What a check came to."""

    INTACT = "intact"
    ALTERED = "altered"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One thing that was looked at."""

    what: str
    """A file of the folder, ``journal``, ``head``, ``approvals``, ``approvers`` or ``others``."""
    finding: Finding
    says: str
    """A sentence for people."""


def intact(what: str, says: str) -> Checked:
    """Say that something is what it was."""
    return Checked(what=what, finding=Finding.INTACT, says=says)


def altered(what: str, says: str) -> Checked:
    """Say that something is not what it was."""
    return Checked(what=what, finding=Finding.ALTERED, says=says)


def unknown(what: str, says: str) -> Checked:
    """Say that nobody can tell."""
    return Checked(what=what, finding=Finding.UNKNOWN, says=says)
