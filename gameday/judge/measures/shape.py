"""What every kind of measurement has in common: how it is asked about an objective, and how it answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from gameday.judge.recovery import Recovery
from gameday.judge.result import Result
from gameday.judge.windows import Window, Windows
from gameday.model import Json
from gameday.schema.experiment import Experiment, Objective
from gameday.schema.grammar import Criterion


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What every objective of a run is judged with, beside what was measured."""

    experiment: Experiment
    windows: Windows
    stopped: Result | None = None
    """What stands for every result, whatever was measured: nothing was injected."""
    unhealthy: Result | None = None
    """What stands for every result of the load: the generator was not healthy."""
    doubt: Result | None = None
    """What keeps every result of the load from passing without excusing a broken one: evidence is incomplete."""
    cut_short: bool = False
    """The fault phase ended before its time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One criterion of ``expect`` with that of ``during`` on the same metric; either may be missing."""

    place: int
    """Where it stands among the objective's criteria, from 0."""
    expect: Criterion | None
    during: Criterion | None

    @property
    def criterion(self) -> Criterion:
        """Either of the two: they speak of the same metric."""
        either = self.expect or self.during
        if either is None:
            raise LookupError("a pair without a criterion")
        return either


def pairs_of(objective: Objective) -> list[Pair]:
    """Return the criteria of an objective, those of ``expect`` and ``during`` on the same metric together."""
    left = list(objective.during_criteria)
    pairs: list[Pair] = []
    for criterion in objective.expect:
        match = next((other for other in left if other.metric == criterion.metric), None)
        if match is not None:
            left.remove(match)
        pairs.append(Pair(place=len(pairs), expect=criterion, during=match))
    return pairs + [Pair(place=len(pairs) + more, expect=None, during=criterion) for more, criterion in enumerate(left)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One pair, judged: an entry of the objective's ``criteria`` in verdict.json."""

    pair: Pair
    result: Result | None
    """Of the fault phase; None where ``during`` says nothing of it."""
    phases: Json

    def to_json(self) -> dict[str, Any]:
        """As verdict.json has it."""
        return {
            "expect": self.pair.expect.text if self.pair.expect else None,
            "during": self.pair.during.text if self.pair.during else None,
            "phases": dict(self.phases),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What one kind of measurement says of one objective; nothing at all when the objective does not speak of it."""

    rows: Sequence[Row] = ()
    results: Sequence[Result] = ()
    """What counts beside the rows and the recovery: an incomplete measurement, an alert."""
    recoveries: Sequence[Recovery] = ()
    """How what it measures came back; the latest counts."""
    budget: Json | None = None
    """Its account of the error budget, where it has one."""
    warnings: Sequence[str] = ()
    members: Json = field(default_factory=dict[str, Any])
    """More members of the objective's entry in verdict.json."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gated:
    """What one criterion of the steady state came to in the baseline."""

    opens: bool
    """Whether the gate may open: it is kept, or too small to be proven and kept as far as it was seen."""
    result: Result
    row: Json
    """Its numbers, as the journal's ``gate`` record has them: at least ``n`` and ``k``."""


class Measure(Protocol):
    """One kind of measurement of one run: it knows which criteria speak of it."""

    def judge(self, objective: Objective, context: Context) -> Judged:
        """Judge what the objective says of it over the phases of the run."""
        ...

    def gate(self, objective: Objective, window: Window | None) -> Sequence[Gated]:
        """Judge what ``expect`` says of it over the baseline; None is one that the run never reached."""
        ...
