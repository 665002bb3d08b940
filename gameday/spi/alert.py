"""What a source of alerts must provide: how an alert is now, and where it has rules, which one it is.

A watch is made for one alert, as a probe is: a frozen dataclass whose field ``value`` is the alert's name and ``labels`` says which of its
instances are meant. It is looked at again and again while a run is on, each time in a worker thread with a deadline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from gameday.spi.world import World

State = Literal["inactive", "pending", "firing", "suppressed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertState:
    """How an alert is now: of several instances the most serious."""

    state: State
    """``suppressed``: it fires, and is silenced or inhibited."""
    since: float | None = None
    """Seconds since the epoch, by the source's clock, from which it fires; None where the source does not say."""
    evaluated: float | None = None
    """When its rule was last evaluated, by the source's clock; None where the source evaluates none."""
    interval: float = 0.0
    """Seconds from one evaluation to the next; 0 where that is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """A rule that makes an alert fire, as its source has it."""

    expression: str
    wait: float = 0.0
    """Seconds for which its expression must hold before it fires: its ``for``."""
    interval: float = 0.0
    """Seconds from one evaluation to the next."""
    scrape: float = 0.0
    """Seconds from one scrape of a target to the next; 0 where that is not known."""


@runtime_checkable
class AlertWatch(Protocol):
    """Sees one alert at its source. It changes nothing and keeps nothing between looks."""

    @property
    def name(self) -> str:
        """Registered kind of the probe."""
        ...

    @property
    def timeout(self) -> float:
        """Seconds within which ``look`` returns or raises."""
        ...

    def look(self, world: World) -> AlertState:
        """Return how the alert is now.

        Raises ProbeError when it cannot be seen now, and QueryError when the source did answer, but has no such alert, or cannot
        evaluate its rule. Never returns ``inactive`` for an alert that it does not know where it could.
        """
        ...


@runtime_checkable
class KnowsRules(Protocol):
    """A watch whose source evaluates the rules of its alerts."""

    def rules(self, world: World) -> Sequence[AlertRule]:
        """Return every rule that makes this alert fire, at least one; raises as ``look`` does."""
        ...
