"""How likely a run is to prove its objectives, before it is made; and what several runs together prove. Pure.

A verdict is exact, so that a service at half its budget is easily "near-limit" in a short run: 50/s for 60 s at 0.5 % passes one phase in
66 of 100 runs, and four in 19. What helps is more traffic, a longer phase, or an honest budget; these functions say how much.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from math import ceil, floor

from gameday.judge.binomial import ALPHA, chance_of_pass, lower_tail, samples_needed, upper_tail
from gameday.schema.experiment import Experiment, Objective
from gameday.schema.grammar import Criterion
from gameday.schema.recovery import offered_requests, recover_window

WANTED = 0.95
"""A run should pass with at least this chance, or it is not worth its trouble."""
MOST = 10_000_000
"""More requests than anybody waits for: beyond it, "how many" has no useful answer."""
ASSUMED = 0.25
"""Share of its budget that an objective is assumed to use where no earlier run says more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chance:
    """The chance that one criterion is proven in one phase."""

    objective: str
    criterion: str
    phase: str
    """``baseline`` (the gate asks only that the counts keep it), ``fault``, or ``recovery`` (one hold)."""
    requests: int
    """Expected."""
    budget: float
    share: float
    """Assumed share of bad requests."""
    seen: bool
    """The share is an earlier run's, not an assumption."""
    chance: float
    needed: int | None
    """Requests that prove it when none is bad; None for a budget that no count can prove."""
    wanted: int | None
    """Requests that pass with 95 %; None where the assumed share leaves no room for it."""

    @property
    def factor(self) -> float | None:
        """How many times the requests it would take for 95 %; None where no number would do."""
        return None if self.wanted is None or not self.requests else self.wanted / self.requests


def requests_for(budget: float, share: float, *, proof: bool = True, wanted: float = WANTED) -> int | None:
    """Return the smallest n from which on n requests, each bad with probability ``share``, keep ``budget`` with chance ``wanted``.

    With ``proof`` they must prove it, as in the fault phase; without, the counts as they are must keep it. A number k of bad requests
    is allowed for a stretch of n, along which the chance falls, so that the end of each stretch decides. None when the
    share is not below the budget, or when more than ten million requests would be needed.
    """
    if not share < budget:
        return None
    if budget >= 1:
        return 1
    first = _first_proven if proof else _first_kept
    low, high = -1, 0
    while lower_tail(high, first(high + 1, budget) - 1, share) < wanted:
        low, high = high, 2 * high + 1
        if high > MOST * budget:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        enough = lower_tail(middle, first(middle + 1, budget) - 1, share) >= wanted
        low, high = (low, middle) if enough else (middle, high)
    found = max(1, first(high, budget))
    return found if found <= MOST else None


def _first_kept(k: int, budget: float) -> int:
    """Return the smallest n of which ``k`` are no more than the budget."""
    return ceil(round(k / budget, 9))


@cache
def _first_proven(k: int, budget: float) -> int:
    """Return the smallest n of which ``k`` may be bad and still prove the budget."""
    low = k
    high = max(2 * k, samples_needed(budget) or 1)
    while lower_tail(k, high, budget) > ALPHA:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if lower_tail(k, middle, budget) > ALPHA else (low, middle)
    return high


def chance_in_phase(n: int, criterion: Criterion, share: float, phase: str) -> float:
    """Return the chance of one criterion in one phase with ``n`` requests.

    The fault phase takes the proof; the gate and a hold of the recovery ask that the counts as they are keep the criterion. What is
    compared exactly has no chance: it holds when the assumed share keeps it.
    """
    if n <= 0:
        return 0.0
    if criterion.exact:
        return 1.0 if share <= criterion.budget else 0.0
    if phase == "fault":
        return chance_of_pass(n, criterion.budget, share)
    return lower_tail(floor(round(criterion.budget * n, 9)), n, share)


def chances(experiment: Experiment, shares: Mapping[tuple[str, str, str], float]) -> tuple[Chance, ...]:
    """Return the chance of every criterion that is judged by counting requests, in each phase that judges it.

    ``shares`` are the shares of bad requests of an earlier run by (objective, criterion, ``baseline`` or ``fault``); where it has none,
    a quarter of the budget is assumed. A hold of the recovery is assumed to be like the baseline. Users of the closed model
    decide themselves how much they ask for: nothing can be said of them, nor of gauges.
    """
    load = experiment.load
    if load is None or not load.open_model:
        return ()
    return tuple(
        _chance(name, criterion, phase, round(requests), shares.get((name, criterion.text, _like(phase))))
        for name, objective in experiment.objectives.items()
        for phase, criteria, requests in _judged(objective, experiment)
        for criterion in criteria
        if criterion.kind in ("errors", "slow", "throughput")
    )


def _judged(objective: Objective, experiment: Experiment) -> Iterator[tuple[str, Sequence[Criterion], float]]:
    """Yield each phase with the criteria that it judges and the requests that it offers them."""
    load, fault = experiment.load, experiment.fault_window_ms
    hold = recover_window(objective, experiment)[1]
    back = experiment.recovery_window_ms[0]
    yield (
        "baseline",
        objective.expect,
        offered_requests(objective, load, (fault[0] - experiment.phases.baseline, fault[0])),
    )
    yield "fault", objective.during_criteria, offered_requests(objective, load, fault)
    yield "recovery", objective.expect, offered_requests(objective, load, (back, back + hold))


def _like(phase: str) -> str:
    return "fault" if phase == "fault" else "baseline"


def _chance(name: str, criterion: Criterion, phase: str, requests: int, share: float | None) -> Chance:
    assumed = criterion.budget * ASSUMED if share is None else share
    return Chance(
        objective=name,
        criterion=criterion.text,
        phase=phase,
        requests=requests,
        budget=criterion.budget,
        share=assumed,
        seen=share is not None,
        chance=chance_in_phase(requests, criterion, assumed, phase),
        needed=None if criterion.exact else samples_needed(criterion.budget),
        wanted=None if criterion.exact else requests_for(criterion.budget, assumed, proof=phase == "fault"),
    )


def lower_bound(passed: int, runs: int) -> float:
    """Return the share of such runs that pass at least, with 95 % confidence: one-sided Clopper-Pearson.

    3 of 3 prove 36.8 %, 10 of 10 prove 74.1 %.
    """
    if passed <= 0:
        return 0.0
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if upper_tail(passed, runs, middle) < ALPHA else (low, middle)
    return low
