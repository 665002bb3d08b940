"""Rule: the hypothesis of a Chaos Toolkit experiment was not met."""

from __future__ import annotations

from collections.abc import Iterator

from gameday.judge.chaostoolkit import HYPOTHESIS
from gameday.judge.findings.rule import Draft
from gameday.model import Json


def find(document: Json) -> Iterator[Draft]:
    """Yield one finding for each experiment whose hypothesis failed."""
    for played in document.get("chaostoolkit") or ():
        hypothesis = played["hypothesis"]
        if hypothesis["verdict"] == "fail":
            yield Draft(
                rule="hypothesis",
                severity="medium" if document["aborted_by"] == "guard" else "high",
                title=f"{played['fault']}: the steady state was lost",
                saw=f"The hypothesis did not hold: {hypothesis['detail']}.",
                matters="What the experiment calls normal was not so while, or after, its method was carried out.",
                next="Look at what that probe measures, at the times of the activities in the timeline.",
                objective=HYPOTHESIS,
                phase=played["fault"],
                faults=(played["fault"],),
            )
