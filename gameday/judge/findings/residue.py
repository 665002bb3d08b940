"""Rule: a fault may still be there."""

from __future__ import annotations

from collections.abc import Iterator

from gameday.judge.findings.rule import Draft
from gameday.judge.words import listed
from gameday.model import Json


def find(document: Json) -> Iterator[Draft]:
    """Yield one finding for each fault that is not proven undone."""
    for fault in document["faults"]:
        if fault["residue"]:
            targets = listed(fault["targets"]) or "its targets"
            yield Draft(
                rule="residue",
                severity="high",
                title=f"{fault['name']} is not proven undone",
                saw=f"{fault['name']} ({fault['driver']}) on {targets}: {fault['detail']}.",
                matters="The system may still be broken by this run.",
                next=f"Run `{fault['residue']}`.",
                phase=fault["name"],
                faults=(fault["name"],),
            )
