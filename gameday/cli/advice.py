"""How likely a run is to prove what it claims, and what would make it likelier: in numbers, and in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from gameday.judge.chance import WANTED, Chance
from gameday.schema.experiment import Experiment
from gameday.schema.quantities import format_duration, format_rate

_LONGEST = 10
"""Times its planned length: a phase that would have to be longer than that is no advice."""


def chance_row(one: Chance) -> dict[str, Any]:
    """Return one chance as `gameday plan --format json` has it."""
    return {
        "objective": one.objective,
        "criterion": one.criterion,
        "phase": one.phase,
        "requests": one.requests,
        "share": one.share,
        "seen": one.seen,
        "chance": one.chance,
        "needed": one.needed,
        "wanted": one.wanted,
    }


def together(expected: Iterable[Chance]) -> float | None:
    """Return the chance that everything passes, as if the phases and objectives had nothing to do with each other."""
    product, any_of_them = 1.0, False
    for one in expected:
        product, any_of_them = product * one.chance, True
    return product if any_of_them else None


def advice(expected: Iterable[Chance], experiment: Experiment) -> Iterator[str]:
    """Yield what would give each criterion that is short of 95 % its chance: a rate, a length, or an honest budget."""
    for one in expected:
        if one.chance >= WANTED:
            continue
        said = f"{one.objective}, {one.criterion} in the {one.phase} phase passes {one.chance:.0%} of such runs: "
        factor = one.factor
        if one.share >= one.budget:
            yield said + "the last run was not within it; no amount of load changes that"
        elif factor is None:
            yield said + "too near to its limit for any number of requests; widen it"
        else:
            yield said + f"95% takes {one.wanted:,} requests: {_means(one, factor, experiment)}"


def _means(one: Chance, factor: float, experiment: Experiment) -> str:
    """Say it as a rate and, where it is not absurd, as a length."""
    peak = experiment.load.peak_rate if experiment.load is not None else 0.0
    words = [f"load.rate {format_rate(_rounded(peak * factor))}"] if peak else []
    lengths = {"baseline": experiment.phases.baseline, "fault": experiment.fault_ms}
    length = lengths.get(one.phase)
    if length is not None and factor <= _LONGEST:
        name = "phases.baseline" if one.phase == "baseline" else "a fault phase of"
        words.append(f"{name} {format_duration(-(-int(length * factor) // 1000) * 1000)}")
    if one.phase == "recovery":
        words.append("a longer recover.hold")
    return ", or ".join(words)


def _rounded(rate: float) -> float:
    """Round up to two digits: a number that people type."""
    step = 10 ** max(0, len(str(int(rate))) - 2)
    return float(-(-rate // step) * step)
