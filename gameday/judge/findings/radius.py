"""Rule: a fault reached further, or stayed longer, than its plan said."""

from __future__ import annotations

from collections.abc import Iterator

from gameday.judge.findings.rule import Draft
from gameday.judge.words import listed, seconds
from gameday.model import Json

SLACK_MS = 2_000
"""Undoing takes its time: beyond this, and a tenth of the planned length, a fault was on for longer than planned."""


def find(document: Json) -> Iterator[Draft]:
    """Yield one finding for each fault that touched other targets than were planned, or was on for longer."""
    for fault in document["faults"]:
        beyond = [
            target for target in fault["targets"] if target not in (fault.get("planned_targets") or fault["targets"])
        ]
        if beyond:
            yield _further(fault, beyond)
        over = _over_ms(fault)
        if over is not None:
            yield _longer(fault, over)


def _over_ms(fault: Json) -> int | None:
    """Return how much longer than planned it was on; None when it was not, or that is not known."""
    called, reverted, planned = fault["called_ms"], fault["reverted_ms"], fault["planned_ms"]["for"]
    if not fault["reversible"] or called is None or reverted is None:
        return None
    over = int(reverted - called - planned)
    return over if over > SLACK_MS + planned // 10 else None


def _further(fault: Json, beyond: list[str]) -> Draft:
    return Draft(
        rule="radius",
        severity="medium",
        title=f"{fault['name']} touched {len(beyond)} target{'s' if len(beyond) > 1 else ''} that its plan did not name",
        saw=f"Planned: {listed(fault['planned_targets'])}. Touched as well: {listed(beyond)}.",
        matters="A blast radius that is larger than planned was agreed to by nobody.",
        next="Narrow the selector, or cap it, so that what is touched is what was planned.",
        phase=f"{fault['name']}:targets",
        faults=(fault["name"],),
    )


def _longer(fault: Json, over: int) -> Draft:
    planned = fault["planned_ms"]["for"]
    return Draft(
        rule="radius",
        severity="medium",
        title=f"{fault['name']} was on {seconds(over / 1000)} longer than planned",
        saw=f"It was on for {seconds((over + planned) / 1000)}, from its injection to its revert; {seconds(planned / 1000)} were planned.",
        matters="Users bear every second of it, and whoever agreed to this run agreed to less.",
        next=f"Look at how it was undone (by {fault['by'] or 'nobody known'}) in the timeline.",
        phase=f"{fault['name']}:length",
        faults=(fault["name"],),
    )
