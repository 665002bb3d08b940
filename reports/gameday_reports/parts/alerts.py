"""An objective on an alert in words: when it had to fire and to resolve, and when it did."""

from __future__ import annotations

from gameday.model import Json
from gameday_reports import words
from gameday_reports.parts.cells import TONES, Cell
from gameday_reports.reading import number, text


def asked(alert: Json) -> str:
    """Say what was asked of it: ``fires within 1 min 30 s``."""
    within = number(alert, "within_ms")
    if text(alert, "fires") == "never":
        return "never fires"
    return "fires" if within is None else f"fires within {words.duration(within)}"


def before_cell(alert: Json) -> Cell:
    """Say whether it was already firing before the fault, when it would tell nothing of the fault."""
    if alert.get("before") is True:
        return Cell(value="firing already", tone="warn", note="so it can tell nothing of the fault")
    return Cell(value="silent")


def during_cell(alert: Json) -> Cell:
    """Say when it fired, from the proven injection."""
    fired, word = number(alert, "fired_ms"), text(alert, "result")
    exact = number(alert, "resolution_ms")
    return Cell(
        value="did not fire" if fired is None else f"fired after {words.duration(fired)}",
        counted="" if not exact else f"exact to {words.duration(exact)}",
        result=words.outcome(word, text(alert, "reason")) if word else "",
        tone=TONES.get(word, "none"),
    )


def after_cell(alert: Json) -> Cell:
    """Say when it resolved, from the last revert."""
    resolved, within = number(alert, "resolved_ms"), number(alert, "resolves_within_ms")
    if number(alert, "fired_ms") is None:
        return Cell(value="nothing to resolve")
    limit = "" if within is None else f"limit {words.duration(within)}"
    return Cell(
        value="not resolved" if resolved is None else f"resolved after {words.duration(resolved)}", counted=limit
    )
