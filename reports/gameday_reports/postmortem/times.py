"""Times to detect and to mitigate: from people's marks and from alerts, each counted from the proven injection, and said which.

A mark belongs to the last run whose fault was on before it, and counts until the next one's. The first ``paged`` or ``noticed``
is a detection, the first ``mitigated`` after the injection a mitigation.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from gameday.model import Event, GameDay
from gameday_reports import words
from gameday_reports.postmortem.agenda import experiments, first_injected, person, title_of
from gameday_reports.reading import number, part, text

DETECTED = ("paged", "noticed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """What one experiment showed of both."""

    title: str
    detect: tuple[str, ...]
    """A line for each source: ``1 min 12 s: noticed by ana@example.com``."""
    mitigate: tuple[str, ...]
    by_person: bool
    by_alert: bool


def times(day: GameDay) -> tuple[Times, ...]:
    """Return them for each run whose fault was proven on, in order."""
    runs = [(item, verdict, at) for item, verdict, _ in experiments(day) if (at := first_injected(verdict)) is not None]
    ends = [*(at for _, _, at in runs), inf][1:]
    found: list[Times] = []
    for (item, verdict, at), end in zip(runs, ends, strict=True):
        marks = [mark for mark in day.of_kind("mark") if at <= _said_at(mark) < end]
        noticed, mitigated = _first(marks, DETECTED, at), _first(marks, ("mitigated",), at)
        alert, resolved = (part(part(verdict, "times"), key) for key in ("detect", "mitigate"))
        by_alert = _machine(number(alert, "ms"), text(alert, "source"))
        steady = _machine(number(resolved, "ms"), text(resolved, "source"))
        found.append(
            Times(
                title=title_of(item, verdict),
                detect=tuple(line for line in (noticed, by_alert) if line),
                mitigate=tuple(line for line in (mitigated, steady) if line),
                by_person=bool(noticed),
                by_alert=bool(by_alert),
            )
        )
    return tuple(found)


def _said_at(mark: Event) -> float:
    """When it was said, which may be before it was written down."""
    at = number(mark.data, "at")
    return mark.wall if at is None else at


def _first(marks: list[Event], names: tuple[str, ...], since: float) -> str:
    """Say who was first, and after how long; empty when nobody was."""
    said = sorted((mark for mark in marks if text(mark.data, "mark", 20) in names), key=_said_at)
    if not said:
        return ""
    after = words.duration((_said_at(said[0]) - since) * 1000)
    return f"{after}: {text(said[0].data, 'mark', 20)} by {person(said[0].data) or 'somebody'}"


def _machine(ms: float | None, source: str) -> str:
    return f"{words.duration(ms)}: {source}" if ms is not None else ""
