"""How long a steady state must hold to count as reached again, and how soon: the one rule that file and judge share."""

from __future__ import annotations

import math
from collections.abc import Sequence

from gameday.schema.experiment import Experiment, LoadProfile, Objective, Phases
from gameday.schema.grammar import Criterion

SHORTEST_HOLD_MS = 10_000
LONGEST_HOLD_MS = 60_000
HOLD_REQUESTS = 3.0
"""A default hold spans this many times 1/budget requests, so that the budget allows a few bad ones."""


def share_of_load(objective: Objective, load: LoadProfile) -> float:
    """Return which share of the arrivals the objective speaks of: by weight, where it names endpoints.

    A locustfile decides itself what it asks for: all of the arrivals is the most that an endpoint of it can have.
    """
    if not objective.endpoints or load.requests is None:
        return 1.0
    weights = {request.name: request.weight for request in load.requests}
    return sum(weights.get(endpoint, 0) for endpoint in set(objective.endpoints)) / sum(weights.values())


def offered_requests(objective: Objective, load: LoadProfile | None, window_ms: tuple[float, float]) -> float:
    """Return how many arrivals within a window of the load's time the objective speaks of; 0 where users decide."""
    return share_of_load(objective, load) * load.offered(*window_ms) if load is not None else 0.0


def offered_rate(objective: Objective, load: LoadProfile | None, window_ms: tuple[float, float] | None = None) -> float:
    """Return how many arrivals per second the objective speaks of: at the peak, or on average over a window."""
    if load is None:
        return 0.0
    if window_ms is None or window_ms[1] <= window_ms[0]:
        return share_of_load(objective, load) * load.peak_rate
    return offered_requests(objective, load, window_ms) / (window_ms[1] - window_ms[0]) * 1000


def strictest_budget(criteria: Sequence[Criterion]) -> float | None:
    """Return the smallest budget that is judged by counting; None where all are exact or allow nothing at all."""
    return min((c.budget for c in criteria if not c.exact and c.budget > 0), default=None)


def requests_ms(requests: float, rate: float) -> int:
    """Return how many milliseconds that many requests take at ``rate`` per second, rounded up."""
    return math.ceil(round(requests / rate * 1000, 6))


def hold_ms(criteria: Sequence[Criterion], rate: float) -> int:
    """Return the default hold: 10 s, lengthened to 3/budget requests at ``rate`` per second, at most 60 s."""
    budget = strictest_budget(criteria)
    if budget is None or rate <= 0:
        return SHORTEST_HOLD_MS
    return min(LONGEST_HOLD_MS, max(SHORTEST_HOLD_MS, requests_ms(HOLD_REQUESTS / budget, rate)))


def shortest_hold_ms(criteria: Sequence[Criterion], rate: float) -> int:
    """Return the shortest hold that may be asked for: 1/budget requests, fewer of which could not keep the budget."""
    budget = strictest_budget(criteria)
    return 1 if budget is None or rate <= 0 else requests_ms(1 / budget, rate)


def recover_window(objective: Objective, experiment: Experiment) -> tuple[int, int]:
    """Return (within, hold) in milliseconds, as the file says or by default: ``within`` is recovery minus hold.

    ``within`` is zero or less where the recovery phase is too short; ``load_experiment`` refuses such a file.
    """
    return window(objective, experiment.load, experiment.phases, experiment.recovery_window_ms)


def window(
    objective: Objective, load: LoadProfile | None, phases: Phases, recovery_ms: tuple[int, int] | None = None
) -> tuple[int, int]:
    """Return what recover_window returns, from the sections it depends on; ``recovery_ms`` is the phase in the load's time."""
    hold = objective.recover.hold or hold_ms(objective.expect, offered_rate(objective, load, recovery_ms))
    within = objective.recover.within
    return (phases.recovery - hold if within is None else within), hold
