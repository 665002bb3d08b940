"""Bad and total counts of an objective's criterion over any stretch of the run, from the load's rows.

Every row is indexed once; a stretch is then two binary searches, whatever its length.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

from gameday.judge.windows import Window
from gameday.model import LoadRow
from gameday.schema.experiment import Objective
from gameday.schema.grammar import Criterion

ANSWERED = frozenset({"ok", "http_4xx", "http_5xx", "check"})
"""Kinds in which the system answered at all: what ``throughput`` counts as completed."""
_N, _FAILED, _UNANSWERED, _SLOW = 0, 1, 2, 3
SECOND = 10
"""Slots in a second."""


@dataclass(frozen=True, slots=True)
class Tally:
    """``k`` bad of ``n``: requests, or seconds for ``bad_seconds``."""

    n: int = 0
    k: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.n + other.n, self.k + other.k)

    @property
    def share(self) -> float | None:
        """Share of bad ones; None without any."""
        return self.k / self.n if self.n else None


class Meter(Protocol):
    """Counts one criterion over half-open ranges of slots."""

    def over(self, first: int, end: int) -> Tally:
        """Count what was meant to start in the slots [first, end)."""
        ...


def tally(meter: Meter, window: Window | None) -> Tally:
    """Count over a window; nothing over one that the run never reached."""
    return sum((meter.over(first, end) for first, end in window.spans), Tally()) if window else Tally()


class Ledger:
    """All rows of a run by endpoint and slot."""

    def __init__(self, rows: Iterable[LoadRow], limits_us: Sequence[int]) -> None:
        self._column = {limit: _SLOW + index for index, limit in enumerate(limits_us)}
        self._cells: dict[str, dict[int, list[int]]] = {}
        self._series: dict[tuple[tuple[str, ...], str, int | None], Series] = {}
        width = _SLOW + len(self._column)
        for row in rows:
            slots = self._cells.setdefault(row.endpoint, {})
            cell = slots.get(row.slot)
            if cell is None:
                cell = slots[row.slot] = [0] * width
            self._add(cell, row)

    def _add(self, cell: list[int], row: LoadRow) -> None:
        """Count each request once: what failed is bad for every limit, so that failing fast never improves latency."""
        cell[_N] += row.count
        if row.kind != "ok":
            cell[_FAILED] += row.count
            if row.kind not in ANSWERED:
                cell[_UNANSWERED] += row.count
            return
        for limit, count in row.slower.items():
            column = self._column.get(limit)
            if column is not None:
                cell[column] += min(count, row.count)

    def meter(self, endpoints: Sequence[str], criterion: Criterion) -> Series:
        """Return the meter of an ``errors``, ``slow`` or ``throughput`` criterion; no endpoints means all of them."""
        known = (tuple(endpoints), criterion.kind, criterion.slower_us)
        if known not in self._series:
            self._series[known] = self._sum(endpoints or tuple(self._cells), criterion)
        return self._series[known]

    def _sum(self, names: Sequence[str], criterion: Criterion) -> Series:
        bad: dict[int, list[int]] = {}
        column = self._column[criterion.slower_us] if criterion.kind == "slow" and criterion.slower_us else None
        base = _UNANSWERED if criterion.kind == "throughput" else _FAILED
        for name in dict.fromkeys(names):
            for slot, cell in self._cells.get(name, {}).items():
                sums = bad.setdefault(slot, [0, 0])
                sums[0] += cell[_N]
                sums[1] += cell[base] + (cell[column] if column is not None else 0)
        return Series(bad)


class Series:
    """Running sums over the slots that have any request."""

    def __init__(self, slots: dict[int, list[int]]) -> None:
        self._slots = sorted(slots)
        self._n = list(accumulate((slots[slot][0] for slot in self._slots), initial=0))
        self._k = list(accumulate((slots[slot][1] for slot in self._slots), initial=0))

    def over(self, first: int, end: int) -> Tally:
        """Count the requests that were meant to start in the slots [first, end)."""
        low, high = bisect_left(self._slots, first), bisect_left(self._slots, end)
        return Tally(self._n[high] - self._n[low], self._k[high] - self._k[low])


class Seconds:
    """Counts bad seconds: one is bad when the share of bad requests in it exceeds a budget of its objective.

    The budgets are those of the objective's ratio criteria in the same phase. Without any beside it, one failed request makes
    a second bad. Seconds count from the start of the stretch; the last may be shorter; one without a request does not count.
    """

    def __init__(self, bases: Sequence[tuple[Series, float]]) -> None:
        self._bases = bases

    def over(self, first: int, end: int) -> Tally:
        """Count seconds with requests, and bad ones, in the slots [first, end)."""
        n = k = 0
        for start in range(first, end, SECOND):
            counts = [(base.over(start, min(start + SECOND, end)), budget) for base, budget in self._bases]
            n += any(count.n for count, _ in counts)
            k += any(count.k > budget * count.n for count, budget in counts)
        return Tally(n, k)


def meters(ledger: Ledger, objective: Objective, criteria: Sequence[Criterion]) -> list[tuple[Criterion, Meter]]:
    """Return each criterion of one phase of an objective with the meter that counts it; gauges are not counted."""
    where = objective.endpoints
    return [
        (c, seconds_meter(ledger, objective, criteria) if c.kind == "bad_seconds" else ledger.meter(where, c))
        for c in criteria
        if c.of_load and not objective.on_counters(c)
    ]


def seconds_meter(ledger: Ledger, objective: Objective, criteria: Sequence[Criterion]) -> Seconds:
    """Return the meter of bad seconds for these criteria, else for the objective's ``expect``, else for any failure."""
    ratios = [c for c in criteria if c.of_load and not c.exact]
    ratios = ratios or [c for c in objective.expect if c.of_load and not c.exact]
    bases = [(ledger.meter(objective.endpoints, c), c.budget) for c in ratios]
    strict = Criterion("errors <= 0%", "errors", "errors", "<=", 0.0, 0.0)
    return Seconds(bases or [(ledger.meter(objective.endpoints, strict), 0.0)])
