"""Where a day is led from: what its engine needs of a terminal, and of whoever carries out an experiment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from gameday.gamedays.day.progress import Place
from gameday.runner.ending import Judged
from gameday.schema.loader import Loaded


class DeskClosedError(Exception):
    """Nobody can type any more: the terminal is gone, or its input has ended."""


class Desk(Protocol):
    """The terminal of the one who leads."""

    attended: bool
    """Whether somebody is there to answer."""
    by: str
    role: str

    def say(self, text: str) -> None:
        """Show lines of ours."""
        ...

    def line(self, seconds: float) -> str | None:
        """Return a line that was typed, or None when there is none within ``seconds``; raise DeskClosedError."""
        ...

    def interrupted(self) -> str:
        """Return the name of a signal that asked to end; empty without one."""
        ...


class Laboratory(Protocol):
    """Whoever loads the experiments of a day and carries them out."""

    def load(self, place: Place, builtins: Callable[[int], Mapping[str, str]]) -> tuple[Loaded, ...]:
        """Load the experiment of an item: one for each combination of its matrix; raise ExperimentErrors."""
        ...

    def carry_out(self, loaded: Loaded, *, run_id: str, seed: int, blind: bool) -> Judged:
        """Run it, into the day's folder; every fault is reverted when this returns. Raises GamedayError, KeyboardInterrupt.

        Of a ``blind`` one nobody is told whom the day itself does not tell, unless something may still be on.
        """
        ...

    def settle(self) -> None:
        """Wait a moment for what runs still tell people, once all is over."""
        ...
