"""Scales, ticks and lines: the geometry every chart shares. All of it is pure and bounded by the width in pixels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

WIDTH = 1040.0
LEFT, RIGHT = 134.0, 14.0
MOST_BANDS = 24
"""Faults that are shaded one by one; overlapping ones are darker."""
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400)


Span = tuple[int, int]
"""(from, to), in milliseconds of the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """A fault on the time axis, in milliseconds of the run."""

    label: str
    """Short: ``A``; findings have the numbers."""
    name: str
    on_ms: int
    """From the call that injects it."""
    proven_ms: int | None
    off_ms: int
    open_ended: bool = False
    """It was never proven gone: the band reaches the end of the chart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """A phase on the time axis, in milliseconds of the run."""

    name: str
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeAxis:
    """The one time axis that all charts of a report share."""

    from_ms: int
    to_ms: int
    epoch_wall: float | None = None
    """Seconds since the epoch of the run's zero, for UTC labels."""
    bands: tuple[Band, ...] = ()
    phases: tuple[Phase, ...] = ()

    def x(self, ms: float) -> float:
        """Pixels from the left for a time of the run, clamped to the plot."""
        span = max(1, self.to_ms - self.from_ms)
        return LEFT + (WIDTH - LEFT - RIGHT) * min(1.0, max(0.0, (ms - self.from_ms) / span))

    def zoomed(self, from_ms: int, to_ms: int) -> TimeAxis:
        """Return a part of this axis; faults and phases that lie outside are left out."""
        return replace(
            self,
            from_ms=from_ms,
            to_ms=max(to_ms, from_ms + 1000),
            bands=tuple(band for band in self.bands if band.off_ms > from_ms and band.on_ms < to_ms),
            phases=tuple(phase for phase in self.phases if phase.to_ms > from_ms and phase.from_ms < to_ms),
        )

    def shaded(self) -> tuple[Span, ...]:
        """Return what to shade: each fault by itself, and of more than a few dozen those that touch as one."""
        spans = [(band.on_ms, band.off_ms) for band in self.bands]
        if len(spans) <= MOST_BANDS:
            return tuple(spans)
        return merged(spans, (self.to_ms - self.from_ms) / (WIDTH - LEFT - RIGHT) * 2)

    def ticks_ms(self) -> tuple[int, ...]:
        """Whole seconds to label, at most ten."""
        seconds = (self.to_ms - self.from_ms) / 1000
        step = next((step for step in _STEPS_S if seconds / step <= 9), _STEPS_S[-1])  # noqa: PLR2004 - nine gaps, ten ticks
        step = max(step, math.ceil(seconds / 9 / _STEPS_S[-1]) * _STEPS_S[-1]) if seconds / step > 9 else step  # noqa: PLR2004
        first = math.ceil(self.from_ms / 1000 / step)
        return tuple(tick * step * 1000 for tick in range(first, self.to_ms // (step * 1000) + 1))


def nice_ticks(low: float, high: float, count: int = 4) -> tuple[float, ...]:
    """Return about ``count`` round values within [low, high]; a single value when they are equal."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return (low,) if math.isfinite(low) else ()
    raw = (high - low) / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return tuple(float(f"{tick * step:.10g}") for tick in range(first, math.floor(high / step + 1e-9) + 1))


def log_ticks(low: float, high: float, most: int = 7) -> tuple[float, ...]:
    """Return 1, 2, 5 times powers of ten within [low, high]; powers alone when that would be more than ``most``."""
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    fine = [step * 10.0**exponent for exponent in exponents for step in (1, 2, 5)]
    ticks = [tick for tick in fine if low * 0.999 <= tick <= high * 1.001]
    coarse = [tick for tick in ticks if math.log10(tick).is_integer()]
    return tuple(float(f"{tick:.6g}") for tick in (ticks if len(ticks) <= most else coarse))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Values ↔ pixels, linear or logarithmic."""

    low: float
    high: float
    top: float
    bottom: float
    log: bool = False
    ticks: tuple[float, ...] = field(default=())

    def y(self, value: float) -> float:
        """Pixels from the top for a value, clamped to the plot."""
        if self.log:
            low, high, at = math.log10(self.low), math.log10(self.high), math.log10(max(value, self.low))
        else:
            low, high, at = self.low, self.high, value
        share = min(1.0, max(0.0, (at - low) / (high - low)))
        return self.bottom - (self.bottom - self.top) * share


_TICK_PX = 18.0
"""Pixels that one label of the vertical axis takes."""
LOG_FROM = 25.0
"""A latency chart turns logarithmic when its greatest value is this many times its least."""


def scale_for(
    values: Sequence[float], *, top: float, bottom: float, may_log: bool = False, ceiling: float = math.inf
) -> Scale:
    """Choose a scale that shows all values; from zero, or what is below, unless it is logarithmic; sane for none, one and equal values."""
    seen = [value for value in values if math.isfinite(value)]
    greatest = max(seen, default=0.0)
    least = min((value for value in seen if value > 0), default=0.0)
    if may_log and least > 0 and greatest / least >= LOG_FROM:
        low, high = least / 1.3, greatest * 1.5
        return Scale(
            low=low,
            high=high,
            top=top,
            bottom=bottom,
            log=True,
            ticks=log_ticks(low, high, int((bottom - top) / _TICK_PX)),
        )
    low = min(0.0, min(seen, default=0.0) * 1.12)
    high = min(greatest * 1.12, ceiling) if greatest > 0 else 0.0 if low else min(1.0, ceiling)
    return Scale(low=low, high=high, top=top, bottom=bottom, ticks=nice_ticks(low, high))


def merged(spans: Sequence[Span], nearer_than: float) -> tuple[Span, ...]:
    """Join spans (ms, ms) that are no farther apart than ``nearer_than``."""
    joined: list[Span] = []
    for begin, end in sorted(spans):
        if joined and begin - joined[-1][1] <= nearer_than:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return tuple(joined)
