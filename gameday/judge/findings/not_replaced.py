"""Rule: what a fault took away was not replaced before the run was over, or nobody knows."""

from __future__ import annotations

from collections.abc import Iterator

from gameday.judge.findings.rule import Draft
from gameday.model import Json


def find(document: Json) -> Iterator[Draft]:
    """Yield one finding for each fault whose victims were expected back and were not seen to come."""
    for fault in document["faults"]:
        found: Json = fault.get("recovered") or {}
        if found.get("result") not in ("not-recovered", "unknown"):
            continue
        known, name = found["result"] == "not-recovered", fault["name"]
        yield Draft(
            rule="not-replaced",
            severity="medium" if known else "low",
            title=f"{name}: {found['lost'] - found['back']} of {found['lost']} were not replaced"
            if known
            else f"{name}: it is not known whether what was lost was replaced",
            saw=f"{name} ({fault['driver']}): {found['detail']}.",
            matters="What is not replaced is missing at the next failure: the redundancy that this run relied on was used up.",
            next="Find out what the missing ones wait for: room on a node, an image, a readiness check, a quota."
            if known
            else "Find out why it could not be seen, and run again.",
            phase=name,
            faults=(name,),
        )
