"""The run before this one, from previous.json: shown beside this one, never judged; read without trusting it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from gameday.model import Json, Run
from gameday_reports.reading import bounded, number, part, parts, text, texts
from gameday_reports.series import EMPTY, Series

_MOST_STEP = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Previous:
    """An earlier run of the same experiment."""

    run: str
    comparable: bool
    why: tuple[str, ...]
    """Why its numbers cannot be set against these, one difference each."""
    verdict: Json
    points: Mapping[str, tuple[tuple[float | None, ...], ...]]
    """Endpoint or SLI → (second from its time zero, numbers)."""
    step: int
    """Seconds that a point stands for."""

    def objective(self, name: str) -> Json:
        """Return what became of an objective of this name; empty without one."""
        return _named(parts(self.verdict, "objectives"), name)

    def fault(self, name: str) -> Json:
        """Return what became of a fault of this name; empty without one."""
        return _named(parts(self.verdict, "faults"), name)

    def failed(self, endpoints: Sequence[str], zero_ms: int) -> Series:
        """Return the share of requests that failed, each second of *this* run's clock, whose time zero is ``zero_ms``."""
        bad: dict[int, float] = {}
        total: dict[int, float] = {}
        for name in endpoints or tuple(self.points):
            for second, n, k in (point[:3] for point in self.points.get(name, ()) if len(point) == 4):  # noqa: PLR2004 - second, n, bad, p95
                if second is not None and n and k is not None:
                    bad[round(second)] = bad.get(round(second), 0) + k
                    total[round(second)] = total.get(round(second), 0) + n
        return self._series({second: min(1.0, bad[second] / n) for second, n in total.items()}, zero_ms)

    def p95(self, endpoint: str, zero_ms: int) -> Series:
        """Return an endpoint's p95 in milliseconds, likewise."""
        found = {
            round(point[0]): point[3]
            for point in self.points.get(endpoint, ())
            if len(point) == 4 and point[0] is not None and point[3] is not None  # noqa: PLR2004 - second, n, bad, p95
        }
        return self._series(found, zero_ms)

    def gauge(self, sli: str, zero_ms: int, every_ms: float = 1_000, scale: float = 1.0) -> Series:
        """Return the readings of an SLI, divided by ``scale``, likewise; a reading stands until the next one is due."""
        found = {
            round(point[0]): None if point[1] is None else point[1] / scale
            for point in self.points.get(sli, ())
            if len(point) == 2 and point[0] is not None  # noqa: PLR2004 - second, value
        }
        return self._series(found, zero_ms, max(self.step, math.ceil(every_ms / 1000)))

    def _series(self, found: Mapping[int, float | None], zero_ms: int, hold: int = 0) -> Series:
        if not found or max(found) - min(found) > _MOST_STEP * 10:
            return EMPTY
        first, hold = min(found), hold or self.step
        values: list[float | None] = [None] * (max(found) - first + hold)
        for second, value in sorted(found.items()):
            values[second - first : second - first + hold] = [value] * hold
        return Series(start=zero_ms // 1000 + first, values=tuple(values))


def previous_of(run: Run) -> Previous | None:
    """Read the earlier run of a run; None when there was none, or when it cannot be read."""
    raw = run.previous
    if raw is None or not part(raw, "verdict"):
        return None
    step = number(raw, "step_seconds") or 1
    series = part(raw, "series")
    return Previous(
        run=text(raw, "run", 120),
        comparable=raw.get("comparable") is True,
        why=texts(raw, "why")[:20],
        verdict=part(raw, "verdict"),
        points={bounded(name): _points(series[name]) for name in series},
        step=round(min(max(step, 1), _MOST_STEP)),
    )


def _named(rows: Sequence[Json], name: str) -> Json:
    found = [raw for raw in rows if text(raw, "name") == name]
    return found[0] if found else {}


def _points(found: object) -> tuple[tuple[float | None, ...], ...]:
    rows = cast("Sequence[Any]", found) if isinstance(found, list | tuple) else ()
    return tuple(
        tuple(number({"": value}, "") for value in cast("Sequence[Any]", row))
        for row in rows
        if isinstance(row, list | tuple)
    )
