"""What runs of any machine left in a place that they share, like a cluster: found and undone from what is on it, without a journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One thing that a fault has made or changed and that is still there."""

    what: str
    """In words a person recognises."""
    run: str
    fault: str
    expires: str = ""
    """When it counts as forgotten, as RFC 3339; empty where it does not say."""
    expired: bool = False
    key: str = ""
    """How the place finds it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Everything that was found, in the order in which it is undone."""

    found: tuple[Mark, ...] = ()
    unseen: tuple[str, ...] = ()
    """Where nobody could look, and why: something may be there."""


@runtime_checkable
class Place(Protocol):
    """A shared place, by the entry point ``gameday.places``; what it cannot do it says by a DriverError."""

    def look(self) -> Marks:
        """Find what has our marks; touch nothing."""
        ...

    def undo(self, mark: Mark) -> None:
        """Take one back, and return when that is proven; what has been undone meanwhile is done."""
        ...
