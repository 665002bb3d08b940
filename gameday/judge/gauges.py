"""The readings of every SLI of a run, and what they come to over a stretch of it.

A reading belongs to a stretch when it began and ended inside; one that is cut by an edge may have measured either side, so its
value counts for neither, but it shows that the probe was being answered.
"""

from __future__ import annotations

import operator
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from statistics import fmean

from gameday.judge.windows import Window
from gameday.model import GaugeSample, Run
from gameday.schema.experiment import Experiment
from gameday.schema.grammar import Criterion

COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
SLOPE_READINGS = 3
"""Fewer readings have no trend: two always lie on a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What was read of one SLI in one stretch of the run."""

    values: tuple[tuple[int, float], ...] = ()
    """(milliseconds, value) of each reading that lies wholly inside, in order."""
    present: int = 0
    """Readings that began inside."""
    due: int = 0
    """Readings that should have: as many as were tried, or as its interval asks for but one, which the edges may cut."""
    short: bool = False
    """It is shorter than one interval: whether it has a reading at all is chance."""
    last_ms: int | None = None
    """End of the last reading that began inside."""
    errors: tuple[GaugeSample, ...] = ()
    """Attempts inside that read nothing."""

    @property
    def coverage(self) -> float | None:
        """Share of the readings that were due; None when none was."""
        return min(1.0, self.present / self.due) if self.due else None


NOTHING = Stretch()


class Series:
    """Every attempt to read one SLI."""

    def __init__(self, samples: Sequence[GaugeSample], every_ms: int, timeout_ms: int) -> None:
        self._samples = sorted(samples, key=lambda sample: sample.at_ms)
        self._starts = [sample.at_ms for sample in self._samples]
        self.every_ms, self.timeout_ms = every_ms, timeout_ms

    def over(self, from_ms: int, to_ms: int) -> Stretch:
        """Return what was read in [from_ms, to_ms)."""
        begun = self._samples[bisect_left(self._starts, from_ms) : bisect_left(self._starts, to_ms)]
        good = [sample for sample in begun if sample.value is not None]
        expected = max(0, to_ms - from_ms) // self.every_ms
        return Stretch(
            values=tuple((s.at_ms, s.value) for s in good if s.value is not None and s.end_ms <= to_ms),
            present=len(good),
            due=max(len(begun), expected - 1 if expected > 1 else expected),
            short=not expected,
            last_ms=good[-1].end_ms if good else None,
            errors=tuple(sample for sample in begun if sample.value is None),
        )

    def of(self, window: Window | None) -> Stretch:
        """Return what was read in a window; nothing in one that the run never reached."""
        return NOTHING if window is None else self.over(window.from_ms, window.to_ms)

    def cut(self, window: Window | None) -> tuple[tuple[int, float], ...]:
        """Return the readings that began in a window and ended after it."""
        if window is None:
            return ()
        begun = self._samples[bisect_left(self._starts, window.from_ms) : bisect_left(self._starts, window.to_ms)]
        return tuple((s.at_ms, s.value) for s in begun if s.value is not None and s.end_ms > window.to_ms)

    def onset(self, onset: Window | None, fault: Window | None) -> Stretch:
        """Return what was read from "inject called" to the first proof, and what the end of the fault phase cut."""
        begun = self.of(onset)
        held = self.cut(onset)
        values = tuple(sorted((*begun.values, *held, *self.cut(fault))))
        return Stretch(values=values, present=begun.present, due=begun.due, last_ms=begun.last_ms, errors=begun.errors)


class Gauges:
    """All SLIs of a run."""

    def __init__(self, run: Run, experiment: Experiment) -> None:
        samples: defaultdict[str, list[GaugeSample]] = defaultdict(list)
        for sample in run.gauges:
            samples[sample.sli].append(sample)
        timeouts = {
            str(event.data.get("sli")): event.data.get("timeout_ms", 0) for event in run.of_kind("probe-started")
        }
        self._series = {
            name: Series(samples[name], sli.every, int(timeouts.get(name, 0))) for name, sli in experiment.slis.items()
        }

    def series(self, criterion: Criterion) -> Series:
        """Return the readings that a criterion speaks of; none of an SLI that the file does not have."""
        return self._series.get(criterion.sli) or Series((), 1000, 0)


def aggregate(criterion: Criterion, values: Sequence[tuple[int, float]]) -> float | None:
    """Return the number that a criterion compares; None when there are too few readings for it.

    A percentile is the nearest rank: the smallest reading that at least that share of the readings does not exceed. A slope
    is the least-squares line's, per second.
    """
    numbers = [value for _, value in values]
    if not numbers:
        return None
    if criterion.aggregate == "slope":
        return _slope(values)
    if criterion.aggregate == "share":
        return sum(counts(criterion, number) for number in numbers) / len(numbers)
    simple = _SIMPLE.get(criterion.aggregate)
    return simple(numbers) if simple else _percentile(numbers, float(criterion.aggregate[1:]) / 100)


def _last(numbers: Sequence[float]) -> float:
    return numbers[-1]


_SIMPLE: Mapping[str, Callable[[Sequence[float]], float]] = {"max": max, "mean": fmean, "last": _last}


def counts(criterion: Criterion, value: float) -> bool:
    """Whether a reading is one of those whose ``share`` is meant."""
    if criterion.condition is None:
        return False
    compare, limit = criterion.condition
    return bool(COMPARE[compare](value, limit))


def keeps(criterion: Criterion, value: float) -> bool:
    """Whether the aggregate keeps the limit."""
    return bool(COMPARE[criterion.op](value, criterion.limit))


def is_bad(criterion: Criterion, value: float) -> bool:
    """Whether one reading by itself is over the line; a slope has no such readings."""
    if criterion.aggregate == "slope":
        return False
    if criterion.aggregate == "share":
        return counts(criterion, value) == (criterion.op in ("<", "<="))
    return not keeps(criterion, value)


def _percentile(numbers: Sequence[float], q: float) -> float:
    rank = ceil(round(q * len(numbers), 9))
    return sorted(numbers)[max(0, rank - 1)]


def _slope(values: Sequence[tuple[int, float]]) -> float | None:
    if len(values) < SLOPE_READINGS:
        return None
    seconds = [at / 1000 for at, _ in values]
    middle, mean = fmean(seconds), fmean(value for _, value in values)
    spread = sum((second - middle) ** 2 for second in seconds)
    if spread <= 0:
        return None
    return sum((second - middle) * (value - mean) for second, (_, value) in zip(seconds, values, strict=True)) / spread


def bad_seconds(criterion: Criterion, series: Series, windows: Sequence[Window]) -> int:
    """Return how long, in whole seconds, readings were over the line: each stands for its interval."""
    bad = sum(is_bad(criterion, value) for window in windows for _, value in series.of(window).values)
    return floor(bad * series.every_ms / 1000 + 0.5)
