"""What two counters did over any stretch of the run, from their raw samples.

Each series is differenced by itself: from one sample to the next it grew by the difference, or, where it fell, began again and
grew by what it now says. A step belongs to a stretch when it lies wholly inside; the steps that its edges cut may have counted either
side. That is the edge error: at most one scrape at each end. A series that was not there when its target was scraped before began at
zero; one of a target that is new is known from its first sample on.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from statistics import median

from gameday.judge.windows import Window
from gameday.model import Testimony, Track

GAP = 2.5
"""Scrape intervals: two samples further apart have missed a scrape between them."""
NUMERATORS = ("bad", "good", "sum")
DENOMINATORS = ("total", "per")
UP = "up"
Target = tuple[str, str]
"""(job, instance), as Prometheus labels what it scrapes."""


def target_of(track: Track) -> Target:
    """Return what a series was scraped from."""
    return track.labels.get("job", ""), track.labels.get("instance", "")


@dataclass(frozen=True, slots=True)
class Step:
    """What one series grew by from one sample to the next."""

    from_ms: int
    to_ms: int
    by: float
    reset: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scraped:
    """When one target was scraped."""

    times: tuple[int, ...]
    gone_ms: int | None = None
    """When it was no longer a target; None while it was to the end, or nobody says."""


def scrapes(said: Testimony) -> dict[Target, Scraped]:
    """Return what is known of each target: by ``up`` where there is one, else by the samples of its series."""
    times: defaultdict[Target, set[int]] = defaultdict(set)
    for part, tracks in said.parts.items():
        for track in tracks if part != UP else ():
            times[target_of(track)].update(at for at, _ in track.samples)
    found = {target: Scraped(times=tuple(sorted(at))) for target, at in times.items()}
    for track in said.parts.get(UP, ()):
        target = target_of(track)
        if target in found and track.samples:
            good = {at for at, value in track.samples if value == 1} | times[target]
            found[target] = Scraped(times=tuple(sorted(good)), gone_ms=track.samples[-1][0])
    return found


def steps_of(track: Track, scraped: Sequence[int]) -> Iterator[Step]:
    """Yield what a series grew by; where its target was scraped without it, it began at zero after that."""
    earlier: tuple[int, float] | None = None
    for at_ms, value in track.samples:
        before = scraped[bisect_left(scraped, at_ms) - 1] if scraped and scraped[0] < at_ms else None
        if before is not None and (earlier is None or before > earlier[0]):
            yield Step(before, at_ms, value, earlier is not None)
        elif earlier is not None:
            fell = value < earlier[1]
            yield Step(earlier[0], at_ms, value if fell else value - earlier[1], fell)
        earlier = (at_ms, value)


class Counter:
    """One side of a ratio: several series, added up."""

    def __init__(self, steps: Iterable[Sequence[Step]]) -> None:
        self._series = [(tuple(s.from_ms for s in one), tuple(s.to_ms for s in one), _sums(one)) for one in steps]

    def inside(self, from_ms: int, to_ms: int) -> float:
        """Return what it grew by in the steps that lie wholly inside [from_ms, to_ms]."""
        total = 0.0
        for starts, ends, sums in self._series:
            low, high = bisect_left(starts, from_ms), bisect_right(ends, to_ms)
            total += sums[high] - sums[low] if high > low else 0.0
        return total

    def touching(self, from_ms: int, to_ms: int) -> float:
        """Return what it grew by in the steps that overlap (from_ms, to_ms)."""
        total = 0.0
        for starts, ends, sums in self._series:
            low, high = bisect_right(ends, from_ms), bisect_left(starts, to_ms)
            total += sums[high] - sums[low] if high > low else 0.0
        return total


def _sums(steps: Sequence[Step]) -> tuple[float, ...]:
    return tuple(accumulate((step.by for step in steps), initial=0.0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """What both sides of a ratio grew by in one stretch."""

    part: float = 0.0
    """Of the numerator: bad requests (where good ones are counted, all that are not good), or a sum."""
    whole: float = 0.0

    def __add__(self, other: Amounts) -> Amounts:
        return Amounts(part=self.part + other.part, whole=self.whole + other.whole)

    @property
    def value(self) -> float | None:
        """One per the other; None where nothing was counted."""
        return self.part / self.whole if self.whole > 0 else None


class Ratio:
    """Two counters of one SLI, over a whole run."""

    def __init__(self, said: Testimony, *, absent_is_zero: bool = False) -> None:
        self.said, self._absent_is_zero = said, absent_is_zero
        self.targets = scrapes(said)
        self._numerator = next((part for part in NUMERATORS if part in said.parts), "")
        self._denominator = next((part for part in DENOMINATORS if part in said.parts), "")
        steps = {part: self._steps(said.parts.get(part, ())) for part in (self._numerator, self._denominator)}
        self._part, self._whole = Counter(steps[self._numerator]), Counter(steps[self._denominator])
        self.resets = tuple(sorted(s.to_ms for part in steps.values() for one in part for s in one if s.reset))
        gaps = [later - earlier for one in self.targets.values() for earlier, later in pairwise(one.times)]
        self.interval_ms = round(median(gaps)) if gaps else 0

    def _steps(self, tracks: Sequence[Track]) -> list[tuple[Step, ...]]:
        empty = Scraped(times=())
        return [tuple(steps_of(track, self.targets.get(target_of(track), empty).times)) for track in tracks]

    @property
    def missing(self) -> str:
        """Which side has no series at all; empty when both have, or what is absent means zero."""
        if not self.said.parts.get(self._denominator):
            return self._denominator or "total"
        if not self.said.parts.get(self._numerator) and not self._absent_is_zero:
            return self._numerator or "bad"
        return ""

    @property
    def taken_as_zero(self) -> str:
        """Which side has no series, and counts as zero because the file says so; empty where there is none."""
        lacks = self._absent_is_zero and not self.missing and not self.said.parts.get(self._numerator)
        return self._numerator if lacks else ""

    def inside(self, from_ms: int, to_ms: int) -> Amounts:
        """Return what both grew by in the steps wholly inside a stretch."""
        return self._amounts(self._part.inside(from_ms, to_ms), self._whole.inside(from_ms, to_ms))

    def of(self, window: Window | None) -> Amounts:
        """Return what both grew by in a window; nothing in one that the run never reached."""
        return Amounts() if window is None else self.inside(window.from_ms, window.to_ms)

    def onset(self, onset: Window | None, fault: Window | None) -> Amounts:
        """Return what they grew by from "inject called" on that is not wholly inside the fault phase, cut steps included."""
        if onset is None:
            return Amounts()
        end = fault.to_ms if fault is not None else onset.to_ms
        held = self.of(fault)
        part = self._part.touching(onset.from_ms, end)
        whole = self._whole.touching(onset.from_ms, end)
        amounts = self._amounts(part, whole)
        return Amounts(part=max(0.0, amounts.part - held.part), whole=max(0.0, amounts.whole - held.whole))

    def _amounts(self, part: float, whole: float) -> Amounts:
        return Amounts(part=max(0.0, whole - part) if self._numerator == "good" else part, whole=whole)

    def scrapes_in(self, window: Window | None) -> int:
        """Return how often the target that was scraped most often was in a window."""
        if window is None:
            return 0
        return max((_between(one.times, window.from_ms, window.to_ms) for one in self.targets.values()), default=0)

    def scrapes_due(self, window: Window | None) -> int:
        """Return how many scrapes a window should have; 0 where nothing says how often there is one."""
        return (window.to_ms - window.from_ms) // self.interval_ms if window is not None and self.interval_ms else 0

    def edges(self, from_ms: int, to_ms: int) -> list[int]:
        """Return every scrape in a stretch, in order: where a step may end."""
        times = {at for one in self.targets.values() for at in one.times if from_ms <= at <= to_ms}
        return sorted(times)

    def unknown_ms(self, from_ms: int, to_ms: int) -> int:
        """Return for how long of a stretch it is not known what the least well scraped target did."""
        return max((self._unknown(one, from_ms, to_ms) for one in self.targets.values()), default=to_ms - from_ms)

    def _unknown(self, one: Scraped, from_ms: int, to_ms: int) -> int:
        """Add up what long gaps hide: those that an edge cuts or a new beginning ends, and the time after the last scrape."""
        longest = GAP * self.interval_ms
        lost = sum(
            max(0, min(later, to_ms) - max(earlier, from_ms))
            for earlier, later in pairwise(one.times)
            if later - earlier > longest
            and (earlier < from_ms or later > to_ms or any(earlier < at <= later for at in self.resets))
        )
        last = one.times[-1] if one.times else from_ms
        end = to_ms if one.gone_ms is None else min(to_ms, one.gone_ms)
        return lost + (max(0, end - max(last, from_ms)) if end - last > longest else 0)

    def last_ms(self, to_ms: int) -> int | None:
        """Return the last scrape of any target up to a moment."""
        return max((at for one in self.targets.values() for at in one.times if at <= to_ms), default=None)

    def resets_in(self, window: Window) -> int:
        """Return how often a counter began again in a window."""
        return _between(self.resets, window.from_ms, window.to_ms)


def _between(times: Sequence[int], from_ms: int, to_ms: int) -> int:
    return bisect_right(times, to_ms) - bisect_left(times, from_ms)
