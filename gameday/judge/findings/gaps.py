"""Rule: an objective held, but not everything that should have been read was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gameday.judge.findings.rule import Draft, started
from gameday.judge.words import evidence, is_gauge
from gameday.model import Json


def find(document: Json) -> Iterator[Draft]:
    """Yield one finding for each gauge that was judged in the fault phase with readings missing."""
    for objective in document["objectives"]:
        for criterion in objective["criteria"]:
            phase = criterion["phases"].get("fault")
            if phase and is_gauge(phase) and phase["result"] == "pass" and phase["readings"] < phase["due"]:
                yield _draft(document, objective, phase)


def _draft(document: Json, objective: Json, phase: dict[str, Any]) -> Draft:
    missing = phase["due"] - phase["readings"]
    return Draft(
        rule="gaps",
        severity="low",
        title=f"{objective['name']} held with gaps: {missing:,} of {phase['due']:,} readings of {phase['sli']} are missing",
        saw=f"While the fault was on, {evidence(phase)}.",
        matters="A tenth of the readings may be missing before nothing is proven; what was between them is not known.",
        next="Give the probe a time-out that it can keep, or a source that the fault does not touch.",
        objective=objective["name"],
        phase=f"gaps:{phase['sli']}",
        faults=started(document),
    )
