"""What is decided before the fault phase is over: an objective that fails however the rest of it goes (curtailment).

The only early decision that is allowed. The fail rule is monotone in the number of requests, so that what fails with the most that the
phase can have fails with any number; looking as often as one likes costs no false alarm.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

from gameday.judge.binomial import certain_fail
from gameday.judge.windows import SLOT_MS
from gameday.model import Event, LoadRow
from gameday.schema.experiment import Experiment, Objective
from gameday.schema.grammar import Criterion
from gameday.schema.recovery import offered_rate, share_of_load

SLACK = 1.1
"""A tenth more than planned, for chance and delays."""


def most_planned(objective: Objective, experiment: Experiment, told: Iterable[float] = ()) -> int | None:
    """Return the most requests that the fault phase can have for an objective; None where users or nobody decides.

    ``told`` are rates per second that the running load was told to go over to.
    """
    load = experiment.load
    if load is None or not load.open_model:
        return None
    rate = max([offered_rate(objective, load), *(share_of_load(objective, load) * rate for rate in told)])
    return ceil(SLACK * experiment.fault_ms / 1000 * rate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """One criterion that is certain to be broken."""

    objective: str
    criterion: str
    k: int
    most: int

    def words(self) -> str:
        """Say it with its numbers."""
        return f"{self.objective} is broken, however the rest goes: {self.k:,} bad requests of at most {self.most:,} ({self.criterion})"


class Curtailed:
    """Counts the fault phase, its onset included, while it is on. Only ratios can be certain; users of the closed model plan nothing."""

    def __init__(self, experiment: Experiment) -> None:
        self._counts = [
            _Count(name, objective.endpoints, criterion, most)
            for name, objective in experiment.objectives.items()
            if (most := most_planned(objective, experiment))
            for criterion in objective.during_criteria
            if criterion.of_load and not criterion.exact
        ]
        self._from: int | None = None
        self._to: int | None = None

    def note(self, event: Event) -> None:
        """Take in one journal record: the phase begins with the first inject and ends with the recovery."""
        if event.kind == "inject-called" and self._from is None:
            self._from = -(-event.at_ms // SLOT_MS)
        elif event.kind == "phase" and event.data.get("name") == "recovery":
            self._to = event.at_ms // SLOT_MS
        elif event.kind == "load-changed":
            self._counts = []  # what the phase can have is no longer what the file plans

    def feed(self, rows: Sequence[LoadRow]) -> list[Broken]:
        """Count rows of the load; return what they made certain."""
        if self._from is None:
            return []
        inside = [row for row in rows if row.slot >= self._from and (self._to is None or row.slot < self._to)]
        return [broken for count in self._counts if (broken := count.feed(inside)) is not None]


class _Count:
    """The bad requests of one criterion."""

    def __init__(self, objective: str, endpoints: Sequence[str], criterion: Criterion, most: int) -> None:
        self._objective, self._endpoints, self._criterion, self._most = objective, endpoints, criterion, most
        self._k = 0
        self._told = False

    def feed(self, rows: Iterable[LoadRow]) -> Broken | None:
        """Count them; return it the first time it is certain."""
        limit = self._criterion.slower_us
        for row in rows:
            if not self._endpoints or row.endpoint in self._endpoints:
                slow = 0 if limit is None else min(row.count, row.slower.get(limit, 0))
                self._k += slow if row.kind == "ok" else row.count
        if self._told or not certain_fail(self._k, max(self._most, self._k), self._criterion.budget):
            return None
        self._told = True
        return Broken(objective=self._objective, criterion=self._criterion.text, k=self._k, most=self._most)
