"""Rule: an alert that should have told people stayed silent, was late, did not end, or fired for nothing."""

from __future__ import annotations

from collections.abc import Iterator

from gameday.judge.findings.rule import Draft, in_force, started
from gameday.judge.words import listed, seconds
from gameday.model import Json


def find(document: Json) -> Iterator[Draft]:
    """Yield one finding for each alert that failed; one that already fired, or could not be read, is no failure of the alert."""
    for objective in document["objectives"]:
        alert = objective.get("alert")
        if alert and alert.get("result") == "fail":
            yield _draft(document, objective, alert)


def _draft(document: Json, objective: Json, alert: Json) -> Draft:
    names = started(document)
    what, saw, step = _told(document, alert)
    return Draft(
        rule="alert",
        severity="high",
        title=f"{listed(names)}: alert {alert['name']} {what}",
        saw=saw,
        matters=f"{objective['name']} relies on it: who is paged too late, or for nothing, cannot mitigate.",
        next=step,
        objective=objective["name"],
        phase="alert",
        faults=names,
    )


def _told(document: Json, alert: Json) -> tuple[str, str, str]:
    """Return what it did, what was seen of it, and the next step."""
    fired, within = alert.get("fired_ms"), alert.get("within_ms")
    resolved, allowed = alert.get("resolved_ms"), alert.get("resolves_within_ms")
    if alert.get("fires") == "never":
        at = "" if fired is None else f", {_ms(fired)} after the fault was proven"
        return (
            "fired, and should not have",
            f"{alert['name']} fired{at}; it should stay silent.",
            "Find out which of its terms the fault touches, and narrow it.",
        )
    if fired is None:
        return (
            "stayed silent",
            f"While {in_force(document)} on, {alert['name']} never fired; {_ms(within)} allowed.",
            "Compare its window, its `for` and its threshold with how long and how badly this fault is felt.",
        )
    if within is not None and fired > within:
        return (
            f"was late: {_ms(fired)} to fire, {_ms(within)} allowed",
            f"{alert['name']} fired {_ms(fired)} after the fault was proven; {_ms(within)} allowed.",
            "A shorter window or `for`, or a faster-burning pair of windows.",
        )
    ended = "did not end" if resolved is None else f"took {_ms(resolved)} to end"
    return (
        f"{ended}, {_ms(allowed)} allowed",
        f"After the fault was undone, {alert['name']} {ended}; {_ms(allowed)} allowed.",
        "Look at its longest window: what has recovered is still in it.",
    )


def _ms(value: object) -> str:
    return seconds(value / 1000) if isinstance(value, int | float) else "the time"
