"""What the load measured as one value a second: counted exactly from its rows, latencies drawn from its histograms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gameday.model import Histogram, LoadRow, LoadSeries
from gameday.spi.histogram import quantile as bucket_quantile

SLOTS = 10
"""Slots of 100 ms in a second."""
SLOT_MS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One value a second from ``start`` on; None is a second without data, and stays a gap."""

    start: int
    values: tuple[float | None, ...] = ()

    def pairs(self) -> Iterable[tuple[int, float | None]]:
        """Yield (second of the run, value)."""
        return enumerate(self.values, self.start)


EMPTY = Series(start=0)


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

    def total(self, endpoints: Sequence[str] = ()) -> list[int]:
        """Return intended requests by second; no endpoints means all of them."""
        return _sum([counts.total for counts in self._chosen(endpoints)], self.seconds)

    def failed(self, endpoints: Sequence[str] = ()) -> list[int]:
        """Return requests by second that were not answered as they should be (or could not be sent)."""
        return _sum([counts.failed for counts in self._chosen(endpoints)], self.seconds)

    def bad(self, endpoints: Sequence[str], slower_us: int | None) -> list[int]:
        """Return failed requests, and where a limit is given also those that took that long or longer, by second."""
        failed = self.failed(endpoints)
        if slower_us is None:
            return failed
        slow = [counts.slow[slower_us] for counts in self._chosen(endpoints) if slower_us in counts.slow]
        return _sum([failed, *slow], self.seconds)

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
    first, last = min(row.slot for row in load.rows), max(row.slot for row in load.rows)
    start = first // SLOTS
    seconds = last // SLOTS - start + 1
    names = sorted({row.endpoint for row in load.rows})
    counts = {name: _Counts(total=[0] * seconds, failed=[0] * seconds, slow={}) for name in names}
    for row in load.rows:
        _add(counts[row.endpoint], row, row.slot // SLOTS - start, seconds)
    return Ledger(start=start, seconds=seconds, covered=(first, last), counts=counts)


def _add(counts: _Counts, row: LoadRow, index: int, seconds: int) -> None:
    counts.total[index] += row.count
    if row.kind != "ok":
        counts.failed[index] += row.count
        return
    for limit, slower in row.slower.items():
        if slower:
            counts.slow.setdefault(limit, [0] * seconds)[index] += slower


def _sum(columns: Sequence[Sequence[int]], seconds: int) -> list[int]:
    if len(columns) == 1:
        return list(columns[0])
    return [sum(column) for column in zip(*columns, strict=True)] if columns else [0] * seconds


def latencies(histograms: Sequence[Histogram], endpoints: Sequence[str], share: float) -> Series:
    """Return that quantile of every second in milliseconds, of the chosen endpoints together."""
    chosen = [histogram for histogram in histograms if not endpoints or histogram.endpoint in endpoints]
    if not chosen:
        return EMPTY
    start = min(histogram.second for histogram in chosen)
    merged: list[Counter[int] | None] = [None] * (max(histogram.second for histogram in chosen) - start + 1)
    for histogram in chosen:
        second = merged[histogram.second - start]
        if second is None:
            merged[histogram.second - start] = Counter(histogram.buckets)
        else:
            second.update(histogram.buckets)
    return Series(start=start, values=tuple(_quantile_ms(buckets, share) for buckets in merged))


def latency_between(
    histograms: Sequence[Histogram], endpoints: Sequence[str], share: float, span: tuple[int, int]
) -> float | None:
    """Return that quantile in milliseconds over the seconds that lie wholly inside ``span`` (ms of the run), or None."""
    buckets: Counter[int] = Counter()
    for histogram in histograms:
        inside = histogram.second * 1000 >= span[0] and (histogram.second + 1) * 1000 <= span[1]
        if inside and (not endpoints or histogram.endpoint in endpoints):
            buckets.update(histogram.buckets)
    return _quantile_ms(buckets, share)


def _quantile_ms(buckets: Counter[int] | None, share: float) -> float | None:
    microseconds = bucket_quantile(buckets, share) if buckets else None
    return None if microseconds is None else microseconds / 1000


def failed_between(rows: Sequence[LoadRow], span: tuple[int, int]) -> tuple[int, int]:
    """Count (failed, all) requests whose slot lies wholly inside ``span`` (ms of the run), as the judge does."""
    failed = total = 0
    for row in rows:
        if row.slot * SLOT_MS >= span[0] and (row.slot + 1) * SLOT_MS <= span[1]:
            total += row.count
            failed += row.count if row.kind != "ok" else 0
    return failed, total
