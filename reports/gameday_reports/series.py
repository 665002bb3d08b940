"""What the load measured as one value a second: counted exactly from its rows, latencies drawn from its histograms."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from operator import add, attrgetter

from gameday.model import Histogram, LoadRow, LoadSeries
from gameday.spi.histogram import quantile as bucket_quantile

SLOTS = 10
"""Slots of 100 ms in a second."""
SLOT_MS = 100
WHOLE = slice(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One value a second from ``start`` on; None is a second without data, and stays a gap."""

    start: int
    values: tuple[float | None, ...] = ()

    def pairs(self) -> Iterable[tuple[int, float | None]]:
        """Yield (second of the run, value)."""
        return enumerate(self.values, self.start)


EMPTY = Series(start=0)


def finite(values: Iterable[float | None]) -> list[float]:
    """Return the values there are: no gap, no NaN, no infinity."""
    return [value for value in values if value is not None and isfinite(value)]


@dataclass(slots=True, kw_only=True)
class _Counts:
    """Requests of one endpoint by second, while they are being added up."""

    total: list[int]
    failed: list[int]
    slow: dict[int, list[int]]
    """Latency limit in µs → requests that succeeded, but took that long or longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """All rows of a run, added up by second and endpoint."""

    start: int
    seconds: int
    covered: tuple[int, int]
    """First and last slot with a row: the first and the last second are seldom whole."""
    counts: dict[str, _Counts]

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Every endpoint seen, sorted."""
        return tuple(sorted(self.counts))

    def total(self, endpoints: Sequence[str] = (), at: slice = WHOLE) -> list[int]:
        """Return intended requests by second; no endpoints means all of them."""
        return _sum([counts.total[at] for counts in self._chosen(endpoints)], len(range(self.seconds)[at]))

    def failed(self, endpoints: Sequence[str] = (), at: slice = WHOLE) -> list[int]:
        """Return requests by second that were not answered as they should be (or could not be sent)."""
        return _sum([counts.failed[at] for counts in self._chosen(endpoints)], len(range(self.seconds)[at]))

    def bad(self, endpoints: Sequence[str], slower_us: int | None, at: slice = WHOLE) -> list[int]:
        """Return failed requests, and where a limit is given also those that took that long or longer, by second."""
        failed = self.failed(endpoints, at)
        if slower_us is None:
            return failed
        slow = [counts.slow[slower_us][at] for counts in self._chosen(endpoints) if slower_us in counts.slow]
        return _sum([failed, *slow], len(failed))

    def between(self, from_ms: int, to_ms: int) -> slice:
        """Return the slice of the seconds whose middle lies in [from, to)."""
        first, last = (-(-(edge - 500) // 1000) - self.start for edge in (from_ms, to_ms))
        return slice(max(0, first), max(0, last))

    def share(self, bad: Sequence[int], total: Sequence[int]) -> Series:
        """Divide by second; a second without requests is a gap."""
        return Series(start=self.start, values=tuple(b / n if n else None for b, n in zip(bad, total, strict=True)))

    def per_second(self, counts: Sequence[int]) -> Series:
        """Return arrivals a second; the seconds cut by the ends of the load are scaled to whole ones."""
        first, last = self.covered
        values = [float(count) for count in counts]
        for index in {0, len(values) - 1} if values else ():
            begin = (self.start + index) * SLOTS
            slots = min(last, begin + SLOTS - 1) - max(first, begin) + 1
            values[index] *= SLOTS / slots
        return Series(start=self.start, values=tuple(values))

    def _chosen(self, endpoints: Sequence[str]) -> list[_Counts]:
        return [counts for name, counts in sorted(self.counts.items()) if not endpoints or name in endpoints]


def ledger(load: LoadSeries) -> Ledger:
    """Add up every row once."""
    if not load.rows:
        return Ledger(start=0, seconds=0, covered=(0, 0), counts={})
    slot = attrgetter("slot")
    first, last = min(map(slot, load.rows)), max(map(slot, load.rows))
    start = first // SLOTS
    seconds = last // SLOTS - start + 1
    names = sorted(set(map(attrgetter("endpoint"), load.rows)))
    counts = {name: _Counts(total=[0] * seconds, failed=[0] * seconds, slow={}) for name in names}
    for endpoint, at, kind, count, slower in map(attrgetter("endpoint", "slot", "kind", "count", "slower"), load.rows):
        found, index = counts[endpoint], at // SLOTS - start
        found.total[index] += count
        if kind != "ok":
            found.failed[index] += count
        elif slower:
            _add_slow(found.slow, slower, index, seconds)
    return Ledger(start=start, seconds=seconds, covered=(first, last), counts=counts)


def _add_slow(slow: dict[int, list[int]], slower: Mapping[int, int], index: int, seconds: int) -> None:
    for limit, count in slower.items():
        if limit not in slow:
            slow[limit] = [0] * seconds
        slow[limit][index] += count


def _sum(columns: Sequence[Sequence[int]], seconds: int) -> list[int]:
    added: Iterable[int] = columns[0] if columns else [0] * seconds
    for column in columns[1:]:
        added = map(add, added, column)
    return list(added)


def latencies(histograms: Sequence[Histogram], endpoints: Sequence[str], share: float) -> Series:
    """Return that quantile of every second in milliseconds, of the chosen endpoints together."""
    chosen = [histogram for histogram in histograms if not endpoints or histogram.endpoint in endpoints]
    if not chosen:
        return EMPTY
    start = min(histogram.second for histogram in chosen)
    found: list[list[Histogram]] = [[] for _ in range(max(histogram.second for histogram in chosen) - start + 1)]
    for histogram in chosen:
        found[histogram.second - start].append(histogram)
    return Series(start=start, values=tuple(_quantile_ms(_merged(second), share) for second in found))


def latency_between(
    histograms: Sequence[Histogram], endpoints: Sequence[str], share: float, span: tuple[int, int]
) -> float | None:
    """Return that quantile in milliseconds over the seconds that lie wholly inside ``span`` (ms of the run), or None."""
    first, last = -(-span[0] // 1000), span[1] // 1000 - 1
    inside = (histogram for histogram in histograms if first <= histogram.second <= last)
    return _quantile_ms(_merged([found for found in inside if not endpoints or found.endpoint in endpoints]), share)


def _merged(histograms: Sequence[Histogram]) -> Mapping[int, int]:
    if len(histograms) == 1:
        return histograms[0].buckets
    buckets: defaultdict[int, int] = defaultdict(int)
    for histogram in histograms:
        for key, count in histogram.buckets.items():
            buckets[key] += count
    return buckets


def _quantile_ms(buckets: Mapping[int, int], share: float) -> float | None:
    microseconds = bucket_quantile(buckets, share) if buckets else None
    return None if microseconds is None else microseconds / 1000


def failed_between(rows: Sequence[LoadRow], span: tuple[int, int]) -> tuple[int, int]:
    """Count (failed, all) requests whose slot lies wholly inside ``span`` (ms of the run), as the judge does."""
    first, last = -(-span[0] // SLOT_MS), span[1] // SLOT_MS - 1
    inside = [row for row in rows if first <= row.slot <= last]
    return sum(row.count for row in inside if row.kind != "ok"), sum(row.count for row in inside)
