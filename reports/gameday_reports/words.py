"""Numbers, times and the closed lists of the verdict as people read them; never rounded to a better result."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from gameday.model import Reason, Verdict

UNKNOWN = "not known"
TIMES = "\N{MULTIPLICATION SIGN}"
_MINUTE_MS, _HOUR_MS = 60_000, 3_600_000

VERDICTS = {
    Verdict.PASS: "Passed",
    Verdict.INCONCLUSIVE: "Inconclusive",
    Verdict.FAIL: "Failed",
    Verdict.ABORTED: "Aborted",
    Verdict.DIRTY: "DIRTY: a fault may still be on",
}
RESULTS = {
    "pass": "Kept", "fail": "Broken", "inconclusive": "Not judged", "aborted": "Stopped early", "dirty": "Dirty"
}  # fmt: skip
REASONS = {
    Reason.PROVEN: "proven",
    Reason.BROKEN: "an objective is proven broken",
    Reason.NEAR_LIMIT: "too close to its limit to decide with this many requests",
    Reason.TOO_FEW: "too few requests to prove it",
    Reason.TOO_SHORT: "the phase was too short to prove it",
    Reason.NO_DATA: "no data",
    Reason.STALE: "the data was too old",
    Reason.QUERY_ERROR: "a probe could not be read",
    Reason.BASELINE: "the steady state did not hold before the fault, so nothing was injected",
    Reason.LOAD_GENERATOR: "the load generator could not keep up, so its numbers prove nothing",
    Reason.NOT_READY: "the system was not ready",
    Reason.ACTION_FAILED: "a fault could not be injected",
    Reason.FAULT_UNPROVEN: "a fault was never proven to be on",
    Reason.NOT_RECOVERED: "what a fault took away was not replaced before the run was over",
    Reason.SKIPPED: "a part of the run was skipped",
    Reason.ALERT_BEFORE: "the alert was firing before the fault",
    Reason.GUARD: "an abort rule stopped the run",
    Reason.PERSON: "a person stopped the run",
    Reason.SIGNAL: "a signal stopped the run",
    Reason.RUNNER_LOST: "the runner ended before the run was over",
    Reason.WATCHDOG_LOST: "the watchdog was lost, so the run stopped itself",
    Reason.RESIDUE: "a fault could not be proven gone",
    Reason.REFUSED: "the run was refused and nothing was touched",
    Reason.POLICY: "the policy of this environment does not allow it",
}


def reason(word: str) -> str:
    """Say a reason of the closed list in words; an unknown one as it is written."""
    try:
        return REASONS[Reason(word)]
    except (ValueError, KeyError):
        return word


def outcome(result: str, why: str) -> str:
    """Say a result with its reason: ``Kept, proven``, ``Not judged: no data``."""
    said = RESULTS.get(result, result)
    return f"{said}, proven" if why in (Reason.PROVEN, Reason.BROKEN) else f"{said}: {reason(why)}"


def budget(used: float | None) -> str:
    """Write the used part of an error budget: ``27%``, and from ten budgets on 14 times."""
    return percent(used) if used is None or used < 9.995 else f"{used:,.3g}{TIMES}"  # noqa: PLR2004 - what rounds to less than 10


def count(number: float | None) -> str:
    """Write a count: ``12,000``."""
    return UNKNOWN if number is None else f"{round(number):,}"


def plural(number: int, one: str, many: str = "") -> str:
    """Write a count with its noun: ``1 fault``, ``2 faults``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def percent(share: float | None) -> str:
    """Write a share as ``2.1%``; what is not exactly 0 or 1 is never shown as 0% or 100%."""
    if share is None or not math.isfinite(share):
        return UNKNOWN
    value = share * 100
    if 0 < value < 0.01:  # noqa: PLR2004 - a hundredth of a percent is the last digit shown
        return "<0.01%"
    if 99.99 < value < 100:  # noqa: PLR2004 - likewise
        return ">99.99%"
    if value >= 100:  # noqa: PLR2004 - all of it, or more than the budget
        return f"{value:,.0f}%"
    if value > 99:  # noqa: PLR2004 - where 0.01% matters
        return f"{value:.2f}".rstrip("0").rstrip(".") + "%"
    return f"{value:.3g}%" if value >= 1 else f"{value:.2g}%"


def duration(ms: float | None) -> str:
    """Write a length of time: ``850 ms``, ``3.2 s``, ``42 s``, ``1 min 12 s``, ``2 h 5 min``."""
    if ms is None or not math.isfinite(ms):
        return UNKNOWN
    if ms < 1_000:  # noqa: PLR2004 - below a second
        return f"{round(ms)} ms"
    if ms < 9_950:  # noqa: PLR2004 - what rounds to less than 10.0
        return f"{ms / 1000:.1f}".removesuffix(".0") + " s"
    seconds = round(ms / 1000)
    if seconds < 60:  # noqa: PLR2004 - seconds in a minute
        return f"{seconds} s"
    if seconds < 3600:  # noqa: PLR2004 - seconds in an hour
        return _two(seconds // 60, "min", seconds % 60, "s")
    return _two(seconds // 3600, "h", seconds % 3600 // 60, "min")


def _two(big: int, big_unit: str, small: int, small_unit: str) -> str:
    return f"{big} {big_unit} {small} {small_unit}" if small else f"{big} {big_unit}"


def latency(ms: float | None) -> str:
    """Write a latency with three significant digits: ``0.42 ms``, ``212 ms``, ``1.41 s``."""
    if ms is None or not math.isfinite(ms):
        return UNKNOWN
    if ms >= 999.5:  # noqa: PLR2004 - what rounds to a second
        return f"{ms / 1000:.2f} s" if ms < 9_995 else f"{ms / 1000:,.1f} s"  # noqa: PLR2004 - three digits
    return f"{ms:.0f} ms" if ms >= 99.5 else f"{ms:.3g} ms"  # noqa: PLR2004 - three digits


def rate(per_second: float | None) -> str:
    """Write arrivals per second: ``100/s``."""
    return UNKNOWN if per_second is None else f"{per_second:,.4g}/s" if per_second < 1_000 else f"{per_second:,.0f}/s"  # noqa: PLR2004 - digits


def clock(ms: float, *, precise: bool = False) -> str:
    """Write a time of the run: ``1:12`` or ``1:01:12``, with ``.345`` when ``precise``."""
    total = max(0, round(ms)) if precise else max(0, int(ms // 1000) * 1000)
    hours, rest = divmod(total, _HOUR_MS)
    minutes, rest = divmod(rest, _MINUTE_MS)
    seconds = f"{rest // 1000:02d}" + (f".{rest % 1000:03d}" if precise else "")
    return f"{hours}:{minutes:02d}:{seconds}" if hours else f"{minutes}:{seconds}"


def moment(wall: float | None) -> datetime | None:
    """Return seconds since the epoch as a UTC time, or None when no calendar holds it."""
    if wall is None or not math.isfinite(wall):
        return None
    try:
        return datetime.fromtimestamp(wall, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def utc(wall: float | None, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """Write a wall-clock time in UTC: ``2026-09-21 14:13:20``; the caller says ``UTC`` once."""
    time = moment(wall)
    return UNKNOWN if time is None else time.strftime(form)
