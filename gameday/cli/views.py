"""What a display shows of a run at one moment, as values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import ge, gt, le, lt
from typing import Any

from gameday.judge.counts import Tally
from gameday.judge.criteria import holds
from gameday.schema.grammar import Criterion

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseView:
    """The phase that the run is in."""

    name: str
    length_ms: int | None
    """None where nobody can say how long it takes."""
    passed_ms: float
    after_ms: int = 0
    """How long the phases after it take, as planned."""

    @property
    def left_ms(self) -> float | None:
        """How long it still takes."""
        return None if self.length_ms is None else max(0.0, self.length_ms - self.passed_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultView:
    """One fault, now."""

    name: str
    state: str
    """``waiting``, ``armed``, ``injecting``, ``on``, ``reverting``, ``gone``, ``done``, ``observed``, ``failed``, ``left``."""
    proven: bool = False
    left_ms: float | None = None
    """Until it begins, for one that waits; until it ends, for one that is on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectiveView:
    """One objective over the last seconds: the criterion that is nearest to its limit."""

    name: str
    allowed: Criterion
    tally: Tally = field(default_factory=Tally)
    value: float | None = None
    """The last reading of a gauge."""
    broken: bool = False
    """It is certain to fail, however the rest of the fault phase goes."""

    @property
    def keeps(self) -> bool | None:
        """Whether the last seconds as they are keep it; None where nothing was measured, or one reading says nothing."""
        if self.allowed.kind == "gauge":
            told = self.value is not None and self.allowed.aggregate not in ("slope", "share")
            return _COMPARE[self.allowed.op](self.value, self.allowed.limit) if told else None
        return holds(self.allowed, self.tally) if self.tally.n else None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadView:
    """The load of the last seconds."""

    wanted: float = 0.0
    """Arrivals per second; 0 in the closed model, where the answers decide."""
    users: int = 0
    sent: float | None = None
    in_flight: int = 0
    bad: float | None = None
    """Share of the requests decided in the last seconds."""
    cpu: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything that a display shows."""

    title: str
    phase: PhaseView
    load: LoadView | None
    """None for a system with its own traffic."""
    objectives: tuple[ObjectiveView, ...]
    faults: tuple[FaultView, ...]
