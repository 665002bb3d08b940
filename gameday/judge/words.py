"""Counts and criteria in words: every number in a sentence comes from here, and from the counts alone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from gameday.model import Json
from gameday.schema.gauge import parse_number
from gameday.schema.grammar import Criterion, parse_criterion
from gameday.schema.units import format_duration

_ALMOST_NONE, _ALMOST_ALL = 0.01, 99.0
_NEARLY_ALL = 1.25
"""Below one in this many, "1 in 1.1" says less than the two counts."""
_LIMIT = re.compile(r"(<=|>=|<|>)\s*\S*?([A-Za-z%]*)(/s)?\s*$")
_DIGITS = 4
_WHOLE = 9.95
"""From this percentage, or this ratio, on a fraction says nothing more."""


def percent(share: float) -> str:
    """Write a share with two significant digits and never as none or all of it unless it is: ``0.52%``, ``>99%``."""
    if share in (0.0, 1.0):
        return f"{100 * share:.0f}%"
    value = 100 * share
    if value < _ALMOST_NONE:
        return "<0.01%"
    if value > _ALMOST_ALL:
        return ">99%"
    return f"{value:.0f}%" if value >= _WHOLE else f"{value:.2g}%"


def limit(share: float) -> str:
    """Write a limit exactly as it is: ``0.5%``."""
    return f"{100 * share:.10g}%"


def one_in(k: int, n: int) -> str:
    """Write a share as people count: ``1 in 1.6``, ``1 in 48``, ``240 of 252``, ``every one``, ``none``."""
    if k == 0:
        return "none"
    if k == n:
        return "every one"
    ratio = n / k
    if ratio < _NEARLY_ALL:
        return f"{k:,} of {n:,}"
    return f"1 in {ratio:.1f}".removesuffix(".0") if ratio < _WHOLE else f"1 in {ratio:,.0f}"


def seconds(value: float) -> str:
    """Write seconds without a needless fraction: ``3 s``, ``2.5 s``."""
    return f"{value:.1f}".removesuffix(".0") + " s"


def listed(names: Sequence[str]) -> str:
    """Join names: ``a``, ``a and b``, ``a, b and c``."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def went_wrong(criterion: Criterion, *, several: bool) -> str:
    """Say what makes a request bad: ``failed or was slower than 300ms``."""
    if criterion.kind == "slow":
        return f"failed or {'were' if several else 'was'} slower than {format_duration(int(criterion.limit))}"
    return "got no answer" if criterion.kind == "throughput" else "failed"


def who(criterion: Criterion, endpoints: Sequence[str]) -> str:
    """Say whose requests a criterion counts: ``browse requests``, ``requests``, ``requests that api counts``."""
    if criterion.sli:
        return f"requests that {criterion.sli} counts"
    return f"{listed(endpoints)} requests" if endpoints else "requests"


def effect(criterion: Criterion, endpoints: Sequence[str], k: int, n: int) -> str:
    """Say what users saw: ``62% of browse requests (1 in 1.6) failed or were slower than 300ms; 5% allowed``."""
    share, allowed = percent(k / n if n else 0.0), f"{limit(criterion.budget)} allowed"
    if criterion.kind == "bad_seconds":
        return f"{share} of the seconds were bad ({k} of {n}); {allowed}"
    whose = who(criterion, endpoints)
    if k in (0, n):
        return f"{'none of' if k == 0 else 'all'} {n:,} {whose} {went_wrong(criterion, several=True)}; {allowed}"
    return f"{share} of {whose} ({one_in(k, n)}) {went_wrong(criterion, several=True)}; {allowed}"


def headline(criterion: Criterion, endpoints: Sequence[str], k: int, n: int) -> str:
    """Say the same as a title: ``browse failed or was slower than 300ms for 62% of requests (1 in 1.6), 5% allowed``."""
    share, allowed = percent(k / n if n else 0.0), f"{limit(criterion.budget)} allowed"
    if criterion.kind == "bad_seconds":
        return f"{share} of the seconds were bad ({k} of {n}), {allowed}"
    subject = criterion.sli or (listed(endpoints) if endpoints else "the system")
    wrong = went_wrong(criterion, several=len(endpoints) > 1)
    return f"{subject} {wrong} for {share} of requests ({one_in(k, n)}), {allowed}"


def is_gauge(phase: Json) -> bool:
    """Whether a phase of a criterion in verdict.json is that of a gauge."""
    return "coverage" in phase


def reading(criterion: Criterion, value: float) -> str:
    """Write a gauge's number in the unit of its limit: ``310ms`` where the limit is ``250ms``, ``1,840`` where it has none."""
    match = _LIMIT.search(criterion.text)
    unit, per = (match[2], match[3] or "") if match else ("", "")
    shown = value / parse_number(f"1{unit}")
    digits = f"{shown:,.{_DIGITS}g}" if abs(shown) < 10**_DIGITS else f"{shown:,.0f}"
    return f"{digits}{unit}{per}"


def allowed(criterion: Criterion) -> str:
    """Write a gauge's limit as the file has it: ``< 1000``."""
    match = _LIMIT.search(criterion.text)
    return match[0].strip() if match else f"{criterion.op} {criterion.limit:g}"


def read(phase: dict[str, Any]) -> str:
    """Say what was read of a gauge in a phase: ``max(queue) was 1,840; < 1000 allowed``, ``nothing was read of queue``."""
    criterion = parse_criterion(phase["criterion"])
    if phase["value"] is None:
        return f"nothing was read of {phase['sli']}" if not phase["readings"] else f"{criterion.metric} cannot be told"
    return f"{criterion.metric} was {reading(criterion, phase['value'])}; {allowed(criterion)} allowed"


def evidence(phase: dict[str, Any]) -> str:
    """Say how well a gauge was read: ``11 of 12 readings are there``, with what the last failed one said."""
    error = f"; the last error: {phase['error']}" if phase["error"] else ""
    return f"{phase['readings']:,} of {phase['due']:,} readings are there{error}"
