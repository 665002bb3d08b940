"""What happened at one moment, as marks on the time axis."""

from __future__ import annotations

from gameday_reports.charts.lanes import Mark
from gameday_reports.facts import Facts
from gameday_reports.reading import text


def marks(facts: Facts) -> tuple[Mark, ...]:
    """Return what stopped the run, or should have been noticed."""
    kinds = {"abort": "the run was stopped", "load-lost": "the load was lost", "watchdog-lost": "the watchdog was lost"}
    events = facts.run.of_kind(*kinds)
    return tuple(
        Mark(at_ms=event.at_ms, text=f"{kinds[event.kind]}: {text(event.data, 'detail') or text(event.data, 'error')}")
        for event in events
    )
