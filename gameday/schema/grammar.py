"""Two small languages: objectives (``p95 < 300ms``) and abort rules (``errors lose 1.5s of traffic beyond 50%``)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from gameday.schema.gauge import RATIO, Gauge, Operator, looks_like_gauge, parse_gauge
from gameday.schema.quantities import format_duration, parse_duration, parse_percent, shown

Kind = Literal["errors", "slow", "throughput", "bad_seconds", "gauge", "ratio", "sums"]
_EXPRESSION = re.compile(r"\s*(?P<metric>[A-Za-z_]\w*(?:\.\d+)?)\s*(?P<op><=|>=|<|>)\s*(?P<limit>\S(?:.*\S)?)\s*")
_PERCENTILE = re.compile(r"p(\d{2}(?:\.\d+)?)")
_LOSE = re.compile(r"(?P<metric>errors)\s+lose\s+(?P<lost>\S+)\s+of\s+traffic\s+beyond\s+(?P<beyond>\S+)")
_SILENT = re.compile(r"no\s+completion\s+for\s+(?P<window>\S+)")
_FOR = re.compile(r"(?P<expression>.+?)\s+for\s+(?P<window>\S+)")
METRICS = ("errors", "availability", "p50 … p99.9", "throughput", "bad_seconds")
_KINDS: dict[str, Kind] = {
    "errors": "errors",
    "availability": "errors",
    "throughput": "throughput",
    "bad_seconds": "bad_seconds",
}
_LONGEST = 200
"""Characters of one line: a bound for every pattern above."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One line of an objective, as counts: a request is bad or it is not, and at most ``budget`` of them may be.

    ``errors < 0.5%`` and ``availability > 99.5%`` are kind ``errors`` with budget 0.005. ``p95 < 300ms`` is kind
    ``slow``: failed, or not faster than ``slower_us``, at most 5 %. ``throughput > 95%`` compares completed / offered
    exactly. ``bad_seconds < 10%`` compares the share of bad seconds exactly. ``max(queue) < 1000`` is kind ``gauge``: the
    ``aggregate`` of the readings of ``sli``, compared exactly. ``ratio(api) < 0.5%`` is kind ``ratio``, a share of what the
    two counters of ``sli`` count, below it the bad share and above it (``> 99.5%``) the good one; ``ratio(cost) < 0.002`` is
    kind ``sums``, what one counter grew by per what another did, compared exactly.
    """

    text: str
    metric: str
    """As written: ``errors``, ``availability``, ``p95``, ``throughput``, ``bad_seconds``; of a gauge ``max(queue)``."""
    kind: Kind
    op: Operator
    limit: float
    """As written: a share (0.005 for 0.5 %), milliseconds for a percentile, and for a gauge a number in base units."""
    budget: float
    """Largest allowed share of bad requests (or of bad seconds, or of offered requests that did not complete)."""
    slower_us: int | None = None
    aggregate: str = ""
    """Of a gauge: ``max``, ``mean``, ``last``, ``p95``, ``slope`` (per second) or ``share``."""
    sli: str = ""
    """Of a gauge: a name under ``slis:``."""
    condition: tuple[Operator, float] | None = None
    """Of ``share(queue > 100)``: which of the readings count."""

    @property
    def exact(self) -> bool:
        """Compared exactly, without a confidence bound."""
        return self.kind in ("throughput", "bad_seconds", "gauge", "sums")

    @property
    def of_counters(self) -> bool:
        """Two counters of a source measure it."""
        return self.kind in ("ratio", "sums")

    @property
    def of_load(self) -> bool:
        """The load measures it, unless it is ``bad_seconds`` of an objective on counters."""
        return self.kind != "gauge" and not self.of_counters


@dataclass(frozen=True, slots=True)
class LoseRule:
    """Leaky bucket: stop when more than ``lost_ms`` worth of offered traffic is bad beyond the share ``beyond``."""

    text: str
    lost_ms: int
    beyond: float


@dataclass(frozen=True, slots=True)
class ForRule:
    """Stop when an objective expression does not hold, on pooled counts, over a whole ``window_ms``."""

    text: str
    criterion: Criterion
    window_ms: int


@dataclass(frozen=True, slots=True)
class SilentRule:
    """Stop when nothing completes for ``window_ms`` although requests are in flight or due."""

    text: str
    window_ms: int


AbortRule = LoseRule | ForRule | SilentRule


def parse_criterion(text: str) -> Criterion:
    """Read one objective expression; raise ValueError that says what would do."""
    short = len(text) <= _LONGEST
    if short and looks_like_gauge(text):
        return _gauge(text)
    match = _EXPRESSION.fullmatch(text) if short else None
    if match is None:
        raise ValueError(f"not an objective: {shown(text)}; write METRIC OP LIMIT, like errors < 0.5% or p95 < 300ms")
    metric, op, limit = match["metric"], match["op"], match["limit"]
    if percentile := _PERCENTILE.fullmatch(metric):
        return _latency(text, metric, op, limit, float(percentile[1]))
    if metric not in _KINDS:
        raise ValueError(f"unknown metric {shown(metric)}; the load measures {', '.join(METRICS)}")
    return _share(text, metric, op, limit)


def _gauge(text: str) -> Criterion:
    found = parse_gauge(text)
    kind, budget = _judged_as(text, found)
    return Criterion(
        text.strip(),
        f"{found.aggregate}({found.sli})",
        kind,
        found.op,
        found.limit,
        budget,
        aggregate=found.aggregate,
        sli=found.sli,
        condition=found.condition,
    )


def _judged_as(text: str, found: Gauge) -> tuple[Kind, float]:
    """Return the kind and the budget of what was read: a ratio in percent is counted, one without is compared."""
    upper = found.op in ("<", "<=")
    if found.aggregate == RATIO:
        if not text.rstrip().endswith("%"):
            return "sums", 0.0
        return "ratio", found.limit if upper else round(1 - found.limit, 12)
    return "gauge", found.limit if found.aggregate == "share" and upper else 0.0


def _latency(text: str, metric: str, op: str, limit: str, percentile: float) -> Criterion:
    if not 50 <= percentile <= 99.99:  # noqa: PLR2004 - the range that the message names
        raise ValueError(f"unknown metric {metric!r}; percentiles go from p50 to p99.99")
    if op not in ("<", "<="):
        raise ValueError(f"{metric} needs an upper limit: write {metric} < {limit}")
    ms = parse_duration(limit)
    if ms <= 0:
        raise ValueError(f"{metric} needs a limit longer than 0s")
    slower_us = ms * 1000 if op == "<" else ms * 1000 + 1
    budget = round(1 - percentile / 100, 12)
    return Criterion(text.strip(), metric, "slow", "<" if op == "<" else "<=", float(ms), budget, slower_us)


def _share(text: str, metric: str, op: str, limit: str) -> Criterion:
    upper = metric in ("errors", "bad_seconds")
    if upper != (op in ("<", "<=")):
        raise ValueError(
            f"{metric} needs {'an upper' if upper else 'a lower'} limit: write {metric} {'<' if upper else '>'} {limit}"
        )
    share = parse_percent(limit)
    if not 0 <= share <= 1 or (upper and share == 0 and op == "<") or (not upper and share == 1 and op == ">"):
        raise ValueError(f"{metric} can never be {op} {limit}")
    kind = _KINDS[metric]
    return Criterion(text.strip(), metric, kind, op, share, share if upper else round(1 - share, 12))  # type: ignore[arg-type]


def parse_abort(text: str) -> AbortRule:
    """Read one abort rule; raise ValueError that says what would do."""
    line = text.strip() if len(text) <= _LONGEST else ""
    if match := _LOSE.fullmatch(line):
        return LoseRule(line, _window(match["lost"]), _tolerated(match["beyond"]))
    if match := _SILENT.fullmatch(line):
        return SilentRule(line, _window(match["window"]))
    if match := _FOR.fullmatch(line):
        return ForRule(line, _guarded(parse_criterion(match["expression"])), _window(match["window"]))
    raise ValueError(
        f"not an abort rule: {shown(text)}; "
        "write one of: errors lose 1.5s of traffic beyond 50% | p95 < 2s for 10s | no completion for 5s"
    )


def _guarded(criterion: Criterion) -> Criterion:
    if criterion.of_counters:
        raise ValueError(
            "counters are known only after the phases, and an abort rule acts within them; write one on the load or on a gauge"
        )
    if criterion.kind == "bad_seconds":
        raise ValueError("an abort rule counts requests, not seconds; write errors lose 1.5s of traffic beyond 50%")
    return criterion


def _window(text: str) -> int:
    ms = parse_duration(text)
    if ms <= 0:
        raise ValueError("an abort rule needs a duration longer than 0s")
    return ms


def _tolerated(text: str) -> float:
    share = parse_percent(text)
    if share >= 1:
        raise ValueError(f"nothing can be bad beyond {text}; write a share below 100%")
    return share


def shown_ms(ms: float) -> str:
    """Write a latency limit as people do."""
    return format_duration(int(ms))
