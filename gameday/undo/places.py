"""Recover a place that machines share: what has expired there, or belongs to one run, is taken back without any journal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from gameday.installed import entry_points
from gameday.spi import GamedayError
from gameday.spi.leftover import Mark, Marks, Place
from gameday.undo.leftover import held_runs

PLACES = "gameday.places"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which of the marks are meant: those of one run, all, or else what has expired."""

    run: str = ""
    everything: bool = False
    force: bool = False
    """Those of a run that is alive on this machine, too."""

    def left_alone(self, mark: Mark, alive: frozenset[str]) -> str:
        """Say why one is not touched; empty when it is."""
        if self.run and mark.run != self.run:
            return "another run's"
        if mark.run in alive and not self.force:
            return "its run is alive here; --force takes it back all the same"
        if self.run or self.everything or mark.expired:
            return ""
        return f"not expired (until {mark.expires}); name its run, or say --all" if mark.expires else "says no end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """What was done in a place, and what was not."""

    lines: tuple[str, ...]
    clean: bool
    """Nothing that is meant is left, and everywhere could be looked."""


def open_place(name: str, **given: Any) -> Place:
    """Open a kind of place, as a distribution offers it; GamedayError when none does."""
    found = [point for point in entry_points(PLACES) if point.name == name]
    if len(found) != 1:
        raise GamedayError(f"{len(found) or 'no'} distributions know the place {name!r}", hint="install gameday again")
    place: Place = found[0].load()(**given)
    return place


def clear(place: Place, choice: Choice, *, dry_run: bool = False) -> Cleared:
    """Take back what is meant, one by one, each proven; one that cannot be taken back does not keep the others."""
    marks, alive = place.look(), held_runs()
    lines: list[str] = []
    failed = 0
    for mark in marks.found:
        why = choice.left_alone(mark, alive)
        if why:
            lines += [] if choice.run and mark.run != choice.run else [f"left alone: {_words(mark)}: {why}"]
        elif dry_run:
            lines.append(f"would undo {_words(mark)}")
            failed += 1
        elif error := _undo(place, mark):
            lines.append(f"DIRTY: {_words(mark)}: {error}")
            failed += 1
        else:
            lines.append(f"undone {_words(mark)}: proven gone")
    lines += [f"DIRTY: nobody could look at {where}" for where in marks.unseen]
    return Cleared(lines=tuple(_loudest_first(lines)) or (_nothing(marks),), clean=not failed and not marks.unseen)


def _undo(place: Place, mark: Mark) -> str:
    try:
        place.undo(mark)
    except GamedayError as error:
        return f"{error}" + (f"; {error.hint}" if error.hint else "")
    return ""


def _loudest_first(lines: Sequence[str]) -> Iterable[str]:
    return sorted(lines, key=lambda line: not line.startswith("DIRTY"))


def _nothing(marks: Marks) -> str:
    return "nothing of this run is there" if marks.found else "no run has left anything"


def _words(mark: Mark) -> str:
    of = f"{mark.fault} of {mark.run}" if mark.fault else mark.run
    return f"{mark.what} ({of})"
