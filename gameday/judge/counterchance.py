"""What can be said of ratios from counters before a run, once their source has told how often it scrapes and how much there is. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from gameday.judge.binomial import samples_needed
from gameday.judge.chance import ASSUMED, Chance, chance_in_phase, requests_for
from gameday.judge.countercriteria import SCRAPES, shortest_ms
from gameday.schema.experiment import Experiment, Objective
from gameday.schema.quantities import format_duration
from gameday.schema.recovery import recover_window


class Known(NamedTuple):
    """What a source has told of one SLI."""

    interval_ms: int
    """From one scrape to the next."""
    rate: float
    """Requests per second that its counters have counted lately."""


def _lengths(objective: Objective, experiment: Experiment) -> dict[str, int]:
    return {
        "baseline": experiment.phases.baseline,
        "fault": experiment.fault_ms,
        "recovery": recover_window(objective, experiment)[1],
    }


def too_short(experiment: Experiment, known: Mapping[str, Known]) -> Iterator[tuple[str, str, str]]:
    """Yield (objective, criterion, why) for each phase that cannot have the scrapes that a judgement needs."""
    for name, objective in experiment.objectives.items():
        for criterion in objective.expect:
            told = known.get(criterion.sli) if criterion.of_counters else None
            if told is None:
                continue
            needed = SCRAPES * told.interval_ms
            lengths = {**_lengths(objective, experiment), "recovery": experiment.phases.recovery}
            for phase, length in lengths.items():
                if length < shortest_ms(told.interval_ms):
                    why = f"it is scraped every {format_duration(told.interval_ms)}, and the {phase} phase of {format_duration(length)}"
                    yield (
                        name,
                        criterion.text,
                        f"{why} has fewer than {SCRAPES} scrapes; {format_duration(needed)} would do",
                    )


def counter_chances(
    experiment: Experiment, known: Mapping[str, Known], shares: Mapping[tuple[str, str, str], float]
) -> Iterator[Chance]:
    """Yield the chance of each ratio of counted requests in each phase, at the rate that its source has told of.

    A phase is taken one scrape shorter than it is: its edges cut steps that do not help. ``shares`` as in ``chances``.
    """
    for name, objective in experiment.objectives.items():
        for phase, length in _lengths(objective, experiment).items():
            for criterion in objective.during_criteria if phase == "fault" else objective.expect:
                told = known.get(criterion.sli) if criterion.kind == "ratio" else None
                if told is None or told.rate <= 0:
                    continue
                n = round(told.rate * max(0, length - told.interval_ms) / 1000)
                share = shares.get((name, criterion.text, "fault" if phase == "fault" else "baseline"))
                assumed = criterion.budget * ASSUMED if share is None else share
                yield Chance(
                    objective=name,
                    criterion=criterion.text,
                    phase=phase,
                    requests=n,
                    budget=criterion.budget,
                    share=assumed,
                    seen=share is not None,
                    chance=chance_in_phase(n, criterion, assumed, phase),
                    needed=samples_needed(criterion.budget),
                    wanted=requests_for(criterion.budget, assumed, proof=phase == "fault"),
                )


def never_enough(expected: Iterator[Chance] | tuple[Chance, ...]) -> Iterator[tuple[str, str, str]]:
    """Yield (objective, criterion, why) for each fault phase that offers fewer requests than could prove it."""
    for one in expected:
        if one.phase == "fault" and (one.needed is None or one.requests < one.needed):
            wanted = "no count can prove it" if one.needed is None else f"it takes {one.needed:,}"
            yield one.objective, one.criterion, f"the fault phase offers about {one.requests:,} requests, {wanted}"
