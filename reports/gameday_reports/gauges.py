"""Gauges in words and as lines: their numbers in the unit of the limit that the file gives them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gameday.model import GaugeSample, Json
from gameday_reports import words
from gameday_reports.reading import number, part, parts, text
from gameday_reports.series import EMPTY, Series

_CRITERION = re.compile(
    r"\s*(?P<aggregate>[A-Za-z]\w{0,15}(?:\.\d+)?)\s*\(\s*(?P<sli>[^\s()<>]+)"
    r"(?:\s*(?P<compare><=|>=|<|>)\s*(?P<than>[^\s()]+))?\s*\)\s*(?P<op><=|>=|<|>)\s*(?P<limit>\S+)\s*"
)
_NUMBER = re.compile(r"([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)([A-Za-z%]*)(/s)?")
_UNITS = {
    "": 1.0, "%": 0.01, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "B": 1.0,
    "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30, "TiB": 2.0**40,
}  # fmt: skip
"""What a unit of the file is in the base that probes report in (docs/adding-a-probe.md)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GaugeLimit:
    """One criterion on a gauge."""

    metric: str
    """As written: ``max(queue)``."""
    aggregate: str
    sli: str
    upper: bool
    """A reading over the line is bad, and not one below it."""
    line: float | None
    """Where the line is for one reading, in ``unit``; None for a slope, which has no such line."""
    allowed: str
    """As written: ``< 250ms``."""
    unit: str
    per: str
    """``/s`` where the file says so."""

    def shown(self, value: float | None) -> str:
        """Write the aggregate in the unit of its limit: ``310 ms``, ``1,840``."""
        if value is None:
            return words.UNKNOWN
        in_unit = value / _UNITS[self.unit]
        digits = f"{in_unit:,.4g}" if abs(in_unit) < 10_000 else f"{in_unit:,.0f}"  # noqa: PLR2004 - digits that fit
        return f"{digits}{self.unit if self.unit in ('', '%') else ' ' + self.unit}{self.per}"


def read_gauge_limit(written: str) -> GaugeLimit | None:
    """Read ``max(queue) < 1000``; None for what is no criterion on a gauge."""
    match = _CRITERION.fullmatch(written)
    if match is None:
        return None
    aggregate, sli, op, limit = match["aggregate"], match["sli"], match["op"], match["limit"]
    found = _NUMBER.fullmatch(limit)
    if found is None or found[2] not in _UNITS:
        return None
    share = aggregate == "share"
    than = _NUMBER.fullmatch(match["than"] or "")
    line = None if aggregate == "slope" else float(found[1])
    unit = found[2]
    upper = op in ("<", "<=")
    if share and than is not None and than[2] in _UNITS:
        over = (match["compare"] in (">", ">=")) == upper
        return GaugeLimit(
            metric=f"share({sli} {match['compare']} {match['than']})", aggregate=aggregate, sli=sli, upper=over,
            line=float(than[1]) * _UNITS[than[2]], allowed=f"{op} {limit}", unit="%", per="",
        )  # fmt: skip
    return GaugeLimit(
        metric=f"{aggregate}({sli})", aggregate=aggregate, sli=sli, upper=upper, line=line, allowed=f"{op} {limit}",
        unit=unit, per=found[3] or "",
    )  # fmt: skip


def is_gauge(criterion: Json) -> bool:
    """Whether a criterion of the verdict is on a gauge."""
    return any("coverage" in part(part(criterion, "phases"), phase) for phase in ("baseline", "fault", "recovery"))


def read(phase: Json) -> str:
    """Say what a gauge came to: ``max(queue) was 1,840``; ``nothing was read``."""
    limit, value = read_gauge_limit(text(phase, "criterion")), number(phase, "value")
    if limit is None or value is None:
        return "nothing was read" if not number(phase, "readings") else "not enough was read"
    return f"{limit.metric} was {limit.shown(value)}"


def coverage(phase: Json) -> str:
    """Say how much was read: ``11 of 12 readings``."""
    return f"{words.count(number(phase, 'readings'))} of {words.count(number(phase, 'due'))} readings"


def gauges_of(experiment: Json) -> dict[str, float]:
    """Return the interval of each SLI of the file, in milliseconds; one that cannot be read is a second."""
    found: dict[str, float] = {}
    for name in part(experiment, "slis"):
        every = text(part(part(experiment, "slis"), name), "every")
        spans = re.findall(r"(\d+(?:\.\d+)?)(ms|h|m|s)", every)
        ms = sum(float(size) * {"h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}[unit] for size, unit in spans)
        found[str(name)] = ms or 1_000.0
    return found


def gauge_series(samples: Iterable[GaugeSample], every_ms: float, scale: float = 1.0, *, upper: bool = True) -> Series:
    """Return a gauge as one value a second, divided by ``scale``.

    Of several readings in one second the worst is drawn, the greatest for an ``upper`` limit; a reading stands until the next one is
    due, and a reading that is missing leaves a gap.
    """
    worst = max if upper else min
    seconds: dict[int, float] = {}
    for sample in samples:
        if sample.value is None:
            continue
        first = sample.at_ms // 1000
        seconds[first] = worst(seconds.get(first, sample.value / scale), sample.value / scale)
        for second in range(first + 1, int((sample.at_ms + every_ms - 1) // 1000)):
            seconds.setdefault(second, sample.value / scale)
    if not seconds:
        return EMPTY
    start = min(seconds)
    return Series(start=start, values=tuple(seconds.get(second) for second in range(start, max(seconds) + 1)))


def over_line(
    series: Series, limits: Sequence[tuple[int, int, GaugeLimit]], scale: float = 1.0
) -> tuple[tuple[int, int], ...]:
    """Return the seconds (ms, ms) whose middle lies where a limit holds and whose reading is over its line."""
    spans: list[tuple[int, int]] = []
    for begin, end, limit in limits:
        line = base_line(limit)
        if line is None:
            continue
        for second, value in series.pairs():
            if value is not None and begin <= second * 1000 + 500 < end:
                beyond = value * scale > line if limit.upper else value * scale < line
                spans += [(second * 1000, second * 1000 + 1000)] if beyond else []
    return tuple(sorted(set(spans)))


def base_line(limit: GaugeLimit) -> float | None:
    """Return where the line of one reading is, in base units."""
    if limit.line is None or limit.aggregate == "share":
        return limit.line
    return limit.line * _UNITS[limit.unit]


def chart_unit(criteria: Iterable[Json], sli: str) -> tuple[str, float]:
    """Return the unit that a gauge is drawn in, and what it is in the base: that of the first limit that has one."""
    for criterion in criteria:
        limit = read_gauge_limit(text(criterion, "expect") or text(criterion, "during"))
        if limit is not None and limit.sli == sli and limit.aggregate != "share" and limit.unit:
            return limit.unit, _UNITS[limit.unit]
    return "", 1.0


def gauge_criteria(objectives: Iterable[Json]) -> list[tuple[Json, Json]]:
    """Return each criterion on a gauge with its objective."""
    return [(raw, criterion) for raw in objectives for criterion in parts(raw, "criteria") if is_gauge(criterion)]
