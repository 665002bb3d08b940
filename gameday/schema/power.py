"""Whether a run could prove its objectives at all, known before anything is touched.

With no bad request among n, the exact binomial rule passes only when (1 - b)^n ≤ 0.05, b being the budget: 59 requests
for 5 %, 598 for 0.5 %, 2,995 for 0.1 %. A phase that offers fewer can only end inconclusive.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from gameday.schema.baseline import percent_text
from gameday.schema.experiment import Experiment, Objective
from gameday.schema.grammar import Criterion
from gameday.schema.recovery import offered_requests

ALPHA = 0.05
"""The confidence of every verdict: at most this chance to pass what is just over its budget."""


class Unprovable(NamedTuple):
    """A criterion that no run of this file could prove."""

    objective: str
    criterion: str
    """As the file writes it."""
    phase: str
    expected: int
    """Requests that the phase offers it."""
    needed: int | None
    """Requests that would do when none is bad; None where the budget allows nothing, which no count can prove."""


def needed_requests(budget: float) -> int | None:
    """Return the smallest number of requests, none bad, that proves ``budget``; None for a budget of zero."""
    if budget <= 0:
        return None
    return 1 if budget >= 1 else math.ceil(math.log(ALPHA) / math.log1p(-budget))


def expected_requests(objective: Objective, experiment: Experiment) -> int:
    """Return how many requests the planned fault phase offers this objective."""
    return int(round(offered_requests(objective, experiment.load, experiment.fault_window_ms), 6))


def compared(objective: Objective) -> list[tuple[Criterion, str]]:
    """Return every criterion with the phase in which a baseline has a budget for it."""
    return [
        *((criterion, "baseline") for criterion in objective.expect),
        *((criterion, "fault") for criterion in objective.during_criteria),
    ]


def _worse_than_provable(experiment: Experiment) -> Iterator[Unprovable]:
    """Yield each budget of the committed baseline that the planned phase could not be held against."""
    kept, (begin, end) = experiment.baseline, experiment.fault_window_ms
    if kept is None:
        return
    windows = {"baseline": (begin - experiment.phases.baseline, begin), "fault": (begin, end)}
    for name, objective in experiment.objectives.items():
        for criterion, phase in compared(objective):
            budget = kept.budget(name, criterion.text, phase)
            expected = int(round(offered_requests(objective, experiment.load, windows[phase]), 6))
            needed = None if budget is None else needed_requests(budget)
            if criterion.of_load and needed is not None and expected < needed:
                said = f"{criterion.text} (baseline: {percent_text(budget or 0)})"
                yield Unprovable(name, said, phase, expected, needed)


def never_provable(experiment: Experiment) -> list[Unprovable]:
    """List each ratio criterion that the planned fault phase is too short, or its load too small, to prove.

    How much users of the closed model ask for is known only when they have.
    """
    found: list[Unprovable] = []
    if experiment.load is None or not experiment.load.open_model:
        return found
    for name, objective in experiment.objectives.items():
        expected = expected_requests(objective, experiment)
        for criterion in objective.during_criteria:
            needed = needed_requests(criterion.budget)
            if criterion.of_load and not criterion.exact and (needed is None or expected < needed):
                found.append(Unprovable(name, criterion.text, "fault", expected, needed))
    return [*found, *_worse_than_provable(experiment)]
