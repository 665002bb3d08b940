"""SLIs from Prometheus: an expression as a gauge, or two counters as a ratio, fetched raw after the phases."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Any, Literal

from gameday.spi import Evidence, Line, ProbeError, QueryError, StaleError, World
from gameday.spi.probe import READ_MS
from gameday.spi.tally import Tally
from gameday_drivers.prometheus_api import Asking, items, member
from gameday_drivers.prometheus_tally import tally_counters, tally_gauge
from gameday_drivers.promql import counters, selectors, tokens

FETCH_MS = 10_000
FRESH_MS = 30_000
MOST_JOBS = 50
_PARTS = (("bad", "total"), ("good", "total"), ("sum", "per"))
_FORM = "write an expression, or {bad: EXPR, total: EXPR}, {good: EXPR, total: EXPR} or {sum: EXPR, per: EXPR}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusProbe:
    """Read an expression as it is now; or, of two counters, what they did over the whole run."""

    value: str | Mapping[str, Any] = field(
        metadata={"help": "an expression with one number; or {bad|good: EXPR, total: EXPR}, {sum: EXPR, per: EXPR}"}
    )
    absent: Literal["zero"] | None = field(
        default=None, metadata={"help": "zero: what has no series yet is zero, and not missing"}
    )
    fresh: int = field(
        default=FRESH_MS,
        metadata={"unit": "duration", "min": 1, "help": "how old the newest sample of a gauge may be: two scrapes"},
    )
    timeout_: int | None = field(
        default=None,
        metadata={"unit": "duration", "min": 1, "help": "how long a read may take; default: 5s, for counters 10s"},
    )

    name = "prometheus"

    def __post_init__(self) -> None:
        if isinstance(self.value, str):
            try:
                tokens(self.value)
            except ValueError as error:
                raise ValueError(f"value {error}") from None
            return
        if tuple(sorted(self.value)) not in {tuple(sorted(parts)) for parts in _PARTS}:
            raise ValueError(f"value has not the two members of a ratio; {_FORM}")
        for part, expression in self.value.items():
            if not isinstance(expression, str):
                raise ValueError(f"value has a {part} that is no expression; {_FORM}")  # noqa: TRY004 - the file
            try:
                counters(expression)
            except ValueError as error:
                raise ValueError(f"value has a {part} that {error}") from None

    @property
    def timeout(self) -> float:
        """Seconds for one read, or for the whole fetch."""
        default = READ_MS if isinstance(self.value, str) else FETCH_MS
        return (self.timeout_ or default) / 1000

    def read(self, world: World) -> float:
        """Return the one number of the expression; one of old samples is missing, as Prometheus repeats them for minutes."""
        if not isinstance(self.value, str):
            raise QueryError("two counters are no gauge: they are fetched after the phases")
        asking = Asking.of(world, self.timeout)
        kind, result = asking.instant(self.value)
        found = self._one(kind, result)
        if found is None:
            return 0.0
        self._check_fresh(asking)
        return found

    def _one(self, kind: str, result: Any) -> float | None:
        """Return the number of a result; None where there is no series, and that means zero."""
        if kind not in ("vector", "scalar"):
            raise QueryError(f"{self.value} is a {kind[:20]}, which is no number")
        rows = items(result)
        if kind == "vector" and not rows:
            if self.absent == "zero":
                return None
            raise ProbeError(f"{self.value} has no series")
        if kind == "vector" and len(rows) > 1:
            raise QueryError(f"{self.value} has {len(rows)} series; aggregate them, like sum(…)")
        pair = items(member(rows[0], "value")) if kind == "vector" else rows
        try:
            number = float(pair[1])
        except (TypeError, ValueError, IndexError):
            raise ProbeError(f"the answer about {self.value} cannot be read") from None
        if not math.isfinite(number):
            raise ProbeError(f"{self.value} is {number}, which is no number")
        return number

    def _check_fresh(self, asking: Asking) -> None:
        """Raise StaleError when a selector of the expression has no sample that is new enough."""
        for selector in selectors(str(self.value)):
            kind, result = asking.instant(f"time() - max(timestamp({selector}))")
            rows = items(result) if kind == "vector" else ()
            try:
                age = float(items(member(rows[0], "value"))[1]) if rows else 0.0
            except (TypeError, ValueError, IndexError):
                raise ProbeError(f"the answer about the age of {selector} cannot be read") from None
            if not age <= self.fresh / 1000:
                raise StaleError(
                    f"the newest sample of {selector} is {age:.0f} s old; fresh: allows {self.fresh / 1000:g} s"
                )

    def tally(self, world: World, seconds: int, beyond: str) -> Tally:
        """Return what was bad over the last ``seconds``, of two counters or of an expression that was ``beyond``."""
        asking = Asking.of(world, self.timeout)
        if isinstance(self.value, str):
            return tally_gauge(asking, self.value, seconds, beyond)
        return tally_counters(asking, {part: str(text) for part, text in self.value.items()}, seconds)

    def fetch(self, world: World, from_wall: float, to_wall: float) -> Evidence:
        """Return the raw samples of both counters, and ``up`` of the jobs that they are scraped from."""
        if isinstance(self.value, str):
            raise QueryError("an expression is a gauge, and no pair of counters")
        asking = Asking.of(world, self.timeout)
        ahead = asking.ahead()
        stretch = (from_wall + ahead, to_wall + ahead)
        parts = {
            part: [line for selector in counters(str(text)) for line in asking.ranged(selector, *stretch)]
            for part, text in self.value.items()
        }
        lines = [line for part in parts.values() for line in part]
        jobs = sorted({line.labels["job"] for line in lines if "`" not in line.labels.get("job", "`")})
        if jobs:
            either = "|".join(re.escape(job) for job in jobs[:MOST_JOBS])
            parts["up"] = asking.ranged(f"up{{job=~`{either}`}}", *stretch)
        return Evidence(
            parts=parts, interval=_interval(lines), ahead=ahead, facts={"fetched_wall": round(time.time(), 3)}
        )


def _interval(lines: list[Line]) -> float | None:
    """Return how far apart samples are: the median over all series."""
    apart = [later - earlier for line in lines for (earlier, _), (later, _) in pairwise(line.samples)]
    return median(apart) if apart else None
