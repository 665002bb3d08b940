"""Rule: a fault ran, but what it proves is missing."""

from __future__ import annotations

from collections.abc import Iterator

from gameday.judge.findings.rule import Draft
from gameday.model import Json

_NEXT = {
    "fault-unproven": "Check that the fault is where the system's traffic really passes, and that it can be measured there.",
    "action-failed": "Fix what the error names, and run again.",
    "too-short": "Run again to the end.",
}


def find(document: Json) -> Iterator[Draft]:
    """Yield one finding for each fault that is inconclusive."""
    for fault in document["faults"]:
        if fault["verdict"] == "inconclusive" and fault["reason"] in _NEXT:
            yield Draft(
                rule="unproven",
                severity="low",
                title=f"{fault['name']} is not proven: {fault['detail']}",
                saw=f"{fault['name']} ({fault['driver']}): {fault['detail']}.",
                matters="What held while a fault was not proven to be there says nothing about that fault.",
                next=_NEXT[fault["reason"]],
                phase=fault["name"],
                faults=(fault["name"],),
            )
