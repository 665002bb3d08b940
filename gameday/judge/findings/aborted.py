"""Rule: the run was stopped before its end."""

from __future__ import annotations

from collections.abc import Iterator

from gameday.judge.findings.rule import Draft, started
from gameday.judge.words import seconds
from gameday.model import Json


def find(document: Json) -> Iterator[Draft]:
    """Yield one finding for an aborted run; an abort rule that acted shows a broken system, anything else a gap."""
    abort = document["abort"]
    if abort is None:
        return
    guard = abort["reason"] == "guard"
    called = [fault["called_ms"] for fault in document["faults"] if fault["called_ms"] is not None]
    since = f", {seconds((abort['at_ms'] - min(called)) / 1000)} after the first injection" if called else ""
    detail = abort["detail"] or abort["reason"]
    yield Draft(
        rule="aborted",
        severity="medium" if guard else "low",
        title=f"{'An abort rule stopped the run' if guard else 'The run was stopped'}: {detail}",
        saw=f"The run was stopped ({abort['reason']}: {detail}){since}.",
        matters="A run that did not come to its end proves only what is listed as broken.",
        next="Find out what stopped it before running it again.",
        phase=abort["reason"],
        faults=started(document),
    )
