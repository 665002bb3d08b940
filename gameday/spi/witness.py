"""What a witness must provide: evidence that is kept elsewhere, and fetched when the phases are over.

A monitoring system scrapes every few seconds and knows afterwards what happened when; asked each second it smears and lags. So
a witness is asked once, for the whole run, and what it returns is the raw record: samples with the times at which they were
taken. What they mean is judged later, from the run folder, by whoever wants to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from gameday.spi.world import World

FETCH_SECONDS = 10.0
"""How long one fetch may take unless the witness says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One series as a source has it."""

    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    samples: Sequence[tuple[float, float]] = ()
    """(seconds since the epoch by the source's own clock, finite value), in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that a witness has to say about a stretch of time."""

    parts: Mapping[str, Sequence[Line]] = field(default_factory=dict[str, "Sequence[Line]"])
    """What was asked for → its series; a part that is asked for and has none is there, and empty."""
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What else was found out, as JSON."""
    interval: float | None = None
    """Seconds from one of its samples to the next, where that is known: how late it can be."""
    ahead: float = 0.0
    """Seconds by which the source's clock is ahead of ours."""


@runtime_checkable
class Witness(Protocol):
    """Knows afterwards what happened. It changes nothing and keeps nothing between fetches."""

    @property
    def name(self) -> str:
        """Registered kind, as experiments spell it: ``prometheus``."""
        ...

    @property
    def timeout(self) -> float:
        """Seconds within which ``fetch`` returns or raises; the runner abandons it a moment later."""
        ...

    def fetch(self, world: World, from_wall: float, to_wall: float) -> Evidence:
        """Return what is known of that stretch, in seconds since the epoch; in a worker thread of the runner.

        Raises ProbeError when it cannot be had now (the runner asks again, for a while), and QueryError when the source did
        answer, but not to this question. Never returns a number that was not measured, and nothing in place of zero.
        """
        ...
