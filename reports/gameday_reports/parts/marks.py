"""What happened at one moment, as marks on the time axis: stops, alerts and notes."""

from __future__ import annotations

from gameday.model import Json
from gameday_reports.charts.marks import Mark
from gameday_reports.facts import Facts
from gameday_reports.reading import number, part, text

_STOPS = {"abort": "the run was stopped", "load-lost": "the load was lost", "watchdog-lost": "the watchdog was lost"}


def marks(facts: Facts) -> tuple[Mark, ...]:
    """Return what stopped the run, the alerts of its objectives and its notes, in order of time."""
    found = [
        Mark(at_ms=event.at_ms, text=f"{_STOPS[event.kind]}: {text(event.data, 'detail') or text(event.data, 'error')}")
        for event in facts.run.of_kind(*_STOPS)
    ]
    found += [
        Mark(at_ms=event.at_ms, text=f"note: {text(event.data, 'text', 160)}", kind="note")
        for event in facts.run.of_kind("note")
    ]
    found += [mark for raw in facts.objectives for mark in _alert(facts, part(raw, "alert"))]
    return tuple(sorted(found, key=lambda mark: mark.at_ms))


def _alert(facts: Facts, alert: Json) -> list[Mark]:
    """Place an alert: ``fired_ms`` counts from the proven injection, ``resolved_ms`` from the last revert."""
    name, fired, resolved = text(alert, "name", 80), number(alert, "fired_ms"), number(alert, "resolved_ms")
    proven, reverted = proven_ms(facts), reverted_ms(facts)
    found: list[Mark] = []
    if fired is not None and proven is not None:
        found.append(Mark(at_ms=round(proven + fired), text=f"alert {name} fired", kind="fired"))
    if resolved is not None and reverted is not None:
        found.append(Mark(at_ms=round(reverted + resolved), text=f"alert {name} resolved", kind="resolved"))
    return found


def proven_ms(facts: Facts) -> float | None:
    """Return when the first fault was proven on, in ms of the run."""
    return min((ms for raw in facts.faults if (ms := number(raw, "proven_ms")) is not None), default=None)


def reverted_ms(facts: Facts) -> float | None:
    """Return when the last fault was proven gone, in ms of the run."""
    return max((ms for raw in facts.faults if (ms := number(raw, "reverted_ms")) is not None), default=None)
