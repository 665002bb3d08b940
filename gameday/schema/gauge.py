"""What an objective may say of a gauge: ``max(queue) < 1000``, ``p95(lag) < 250ms``, ``slope(queue) < 5/s``, ``share(queue > 100) < 5%``.

Numbers may carry a unit of the base that probes report in: seconds (``250ms`` is 0.25), bytes (``64MiB``), shares (``5%`` is
0.05).
"""

from __future__ import annotations

import math
import re
from typing import Literal, NamedTuple, cast

from gameday.schema.quantities import parse_percent, shown

Operator = Literal["<", "<=", ">", ">="]
RATIO = "ratio"
"""What is written where a gauge has its aggregate, of an SLI that is two counters."""
AGGREGATES = ("max", "mean", "last", "p50 … p99.9", "slope", "share")
_PERCENTILE = re.compile(r"p(\d{2}(?:\.\d+)?)")
_EXPRESSION = re.compile(
    r"\s*(?P<aggregate>[A-Za-z]\w{0,15}(?:\.\d{1,4})?)\s*\(\s*(?P<sli>[A-Za-z0-9][\w.-]*)"
    r"(?:\s*(?P<compare><=|>=|<|>)\s*(?P<than>[^\s()]+))?\s*\)"
    r"\s*(?P<op><=|>=|<|>)\s*(?P<limit>\S+)\s*"
)
_NUMBER = re.compile(r"(?P<number>[-+]?\d{1,15}(?:\.\d{1,15})?(?:[eE][-+]?\d{1,2})?)\s*(?P<unit>[A-Za-z%]*)")
_UNITS = {
    "": 1.0, "%": 0.01, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "B": 1.0,
    "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30, "TiB": 2.0**40,
}  # fmt: skip


class Gauge(NamedTuple):
    """One expression on a gauge, read."""

    aggregate: str
    """``max``, ``mean``, ``last``, ``p95``, ``slope`` (per second) or ``share``; ``ratio`` of two counters."""
    sli: str
    op: Operator
    limit: float
    condition: tuple[Operator, float] | None
    """Of ``share``: which of the readings count."""


def looks_like_gauge(text: str) -> bool:
    """Whether a line speaks of a gauge, well or badly written."""
    return "(" in text


def parse_gauge(text: str) -> Gauge:
    """Read one expression; raise ValueError that says what would do."""
    match = _EXPRESSION.fullmatch(text)
    if match is None:
        raise ValueError(
            f"not an objective on a gauge: {shown(text)}; write AGGREGATE(SLI) OP NUMBER, like max(queue) < 1000"
        )
    aggregate, sli, op, limit = match["aggregate"], match["sli"], _operator(match, "op"), match["limit"]
    if aggregate == RATIO:
        return _ratio(match)
    percentile = _PERCENTILE.fullmatch(aggregate)
    if percentile is None and aggregate not in AGGREGATES:
        raise ValueError(f"unknown aggregate {shown(aggregate)}; a gauge has {', '.join(AGGREGATES)}")
    if percentile is not None and not 50 <= float(percentile[1]) <= 99.99:  # noqa: PLR2004 - the range that is named
        raise ValueError(f"unknown aggregate {shown(aggregate)}; percentiles go from p50 to p99.99")
    if aggregate == "share":
        return _share(match)
    if match["compare"]:
        raise ValueError(f"{aggregate} takes no comparison; write {aggregate}({sli}) {op} {limit}")
    number = limit.removesuffix("/s") if aggregate == "slope" else limit
    return Gauge(aggregate, sli, op, parse_number(number), None)


def _ratio(match: re.Match[str]) -> Gauge:
    """Read ``ratio(api) < 0.5%``, a share of what is counted, or ``ratio(cost) < 0.002``, one sum per another."""
    sli, op, limit = match["sli"], _operator(match, "op"), match["limit"]
    if match["compare"]:
        raise ValueError(f"ratio takes no comparison; write ratio({sli}) {op} {limit}")
    if not limit.endswith("%"):
        return Gauge(RATIO, sli, op, parse_number(limit), None)
    share = parse_percent(limit)
    if not 0 <= share <= 1 or (share == 0 and op == "<") or (share == 1 and op == ">"):
        raise ValueError(f"a share can never be {op} {limit}")
    return Gauge(RATIO, sli, op, share, None)


def _share(match: re.Match[str]) -> Gauge:
    sli, op, limit = match["sli"], _operator(match, "op"), match["limit"]
    if not match["compare"]:
        raise ValueError(f"share needs a comparison; write share({sli} > 100) {op} {limit}")
    share = parse_percent(limit)
    if not 0 <= share <= 1 or (share == 0 and op == "<") or (share == 1 and op == ">"):
        raise ValueError(f"a share can never be {op} {limit}")
    return Gauge("share", sli, op, share, (_operator(match, "compare"), parse_number(match["than"])))


def _operator(match: re.Match[str], group: str) -> Operator:
    return cast("Operator", match[group])


def parse_number(text: str) -> float:
    """Read ``1000``, ``250ms`` (0.25), ``64MiB`` or ``5%`` (0.05) in base units; raise ValueError that says what would do."""
    match = _NUMBER.fullmatch(text)
    if match is None or match["unit"] not in _UNITS:
        raise ValueError(f"not a number: {shown(text)}; write one like 1000, 250ms, 64MiB or 5%")
    number = round(float(match["number"]) * _UNITS[match["unit"]], 12)
    if not math.isfinite(number):
        raise ValueError(f"not a number: {shown(text)}; write a smaller one")
    return number
