"""Whether the load generator itself did its work: if not, nothing that it measured proves anything about the system."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from gameday.judge.planned import planned_arrivals
from gameday.judge.windows import SLOT_MS, Window
from gameday.model import Json, LoadRow, Run, Tick
from gameday.schema.experiment import LoadProfile

LATE_SHARE = 0.01
"""More than this share of requests left over 50 ms late: the 99th percentile of the schedule's lag is over 50 ms."""
CPU = 0.8
GAP_MS = 3000
COVERAGE = 0.95
_TICK_MS = 1000
_SLACK = 2
"""Arrivals by which the edges of a window may cut a constant rate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The load generator's account of itself over the judged windows."""

    problems: tuple[str, ...] = ()
    """Each makes every objective inconclusive (``load-generator``), whatever it measured."""
    gaps: tuple[str, ...] = ()
    """Each keeps objectives from passing, but leaves what is proven broken."""
    late_share: float = 0.0
    lag_p99_ms: float = 0.0
    cpu: float = 0.0


def check_windows(run: Run, windows: Sequence[Window], profile: LoadProfile, *, covered: bool = True) -> Health:
    """Check ticks, lost workers, generator errors and coverage of the planned arrivals in each window by itself.

    Users of the closed model plan no arrivals: only what they did counts.
    """
    load, problems = run.load, list[str]()
    for window in _told(windows):
        problems += _ticks(window, _of(load.ticks, window))
    for window in windows:
        problems += _rows(window, load.rows, planned_arrivals(run, window, profile) if covered else 0.0)
    seen = list({tick.at_ms: tick for window in windows for tick in _of(load.ticks, window)}.values())
    due = _due(seen)
    return Health(
        problems=tuple(problems),
        late_share=sum(tick.late for tick in seen) / due if due else 0.0,
        lag_p99_ms=max((tick.lag_p99_ms for tick in seen), default=0.0),
        cpu=sum(tick.cpu for tick in seen) / len(seen) if seen else 0.0,
    )


def check_run(run: Run, windows: Sequence[Window], profile: LoadProfile) -> Health:
    """Check a whole run: its windows, that the stream came to its end, and that every arrival has an outcome."""
    stopped = run.of_kind("load-stopped")
    last: Json = stopped[-1].data if stopped else {}
    drained, offered = last.get("drained") is True, last.get("offered")
    found = check_windows(run, windows, profile, covered=drained or not stopped)
    problems, gaps = list(found.problems), list[str]()
    lost = run.of_kind("load-lost")
    if lost:
        problems.append(f"the load generator was lost: {lost[0].data.get('error', 'no reason given')}")
    if not run.load.said_bye:
        problems.append("the load generator's stream broke off before its last message")
    missing = offered - sum(row.count for row in run.load.rows) if isinstance(offered, int) else None
    if missing is None:
        gaps.append("how many requests the load made was not recorded")
    elif drained and missing:
        problems.append(f"{abs(missing)} {'arrivals have no outcome' if missing > 0 else 'outcomes have no arrival'}")
    elif not drained:
        gaps.append(f"the load was stopped before every request had its outcome ({max(missing, 0)} have none)")
    return Health(
        problems=tuple(problems),
        gaps=tuple(gaps),
        late_share=found.late_share,
        lag_p99_ms=found.lag_p99_ms,
        cpu=found.cpu,
    )


def _told(windows: Sequence[Window]) -> list[Window]:
    """Return what the ticks are held against: a 99th percentile needs more than the second or so of an onset.

    Its arrivals count with those of the fault phase; by itself, one pause of 65 ms would be too late for any rate.
    """
    onset = next((window for window in windows if window.name == "onset"), None)
    fault = next((window for window in windows if window.name == "fault"), None)
    if onset is None or fault is None:
        return list(windows)
    both = Window(fault.name, min(onset.from_ms, fault.from_ms), fault.to_ms, (*onset.spans, *fault.spans))
    return [both if window is fault else window for window in windows if window is not onset]


def _due(ticks: Iterable[Tick]) -> int:
    """Count the arrivals whose lag the ticks tell of: a capped one has a lag too."""
    return sum(tick.started + tick.capped for tick in ticks)


def _of(ticks: Iterable[Tick], window: Window) -> list[Tick]:
    """Return the ticks whose second overlaps the window: a tick tells of the second before it."""
    return [tick for tick in ticks if window.from_ms < tick.at_ms < window.to_ms + _TICK_MS]


def _ticks(window: Window, ticks: list[Tick]) -> list[str]:
    if not ticks:
        return [f"{window.name}: the generator reported nothing"] if window.slots * SLOT_MS >= 2 * _TICK_MS else []
    problems: list[str] = []
    due, late = _due(ticks), sum(tick.late for tick in ticks)
    if late > LATE_SHARE * due:
        problems.append(f"{window.name}: {late} of {due} requests left more than 50 ms late")
    cpu = sum(tick.cpu for tick in ticks) / len(ticks)
    if cpu > CPU:
        problems.append(f"{window.name}: the generator used {100 * cpu:.0f}% of a core")
    lost = max(tick.missing for tick in ticks)
    if lost:
        problems.append(f"{window.name}: {lost} of the load's generators {'was' if lost == 1 else 'were'} lost")
    times = [window.from_ms, *sorted(tick.at_ms for tick in ticks), window.to_ms]
    gap = max(after - before for before, after in pairwise(times))
    if gap > GAP_MS:
        problems.append(f"{window.name}: the generator was silent for {gap / 1000:.1f} s")
    return problems


def _rows(window: Window, rows: Sequence[LoadRow], planned: float) -> list[str]:
    slots = {slot for first, end in window.spans for slot in range(first, end)}
    inside = [row for row in rows if row.slot in slots]
    errors = sum(row.count for row in inside if row.kind == "generator")
    problems = [f"{window.name}: {errors} requests failed in the generator itself"] if errors else []
    offered = sum(row.count for row in inside)
    if window.name != "onset" and offered < COVERAGE * planned - _SLACK:
        problems.append(f"{window.name}: {offered} of {planned:.0f} planned arrivals have an outcome")
    return problems
