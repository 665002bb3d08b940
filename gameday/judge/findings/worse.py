"""Rule: an objective is proven worse than the committed baseline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gameday.judge.findings.rule import Draft, started
from gameday.judge.words import limit, percent
from gameday.model import Json

_WHEN = {"baseline": "before the fault", "fault": "while the fault was on"}


def find(document: Json) -> Iterator[Draft]:
    """Yield one finding for each criterion and phase that is worse than the baseline allows."""
    for objective in document["objectives"]:
        for row in objective["criteria"]:
            held: dict[str, dict[str, Any]] = row.get("baseline") or {}
            for phase, told in held.items():
                if told["result"] == "fail":
                    yield _worse(document, objective, row["phases"][phase], phase, told["budget"])


def _worse(document: Json, objective: Json, counts: Json, phase: str, budget: float) -> Draft:
    share = percent(counts["k"] / counts["n"] if counts["n"] else 0.0)
    seen = f"{share} of requests ({counts['k']:,} of {counts['n']:,}) were bad {_WHEN[phase]}"
    return Draft(
        rule="worse",
        severity="medium",
        title=f"{objective['name']} is worse than the committed baseline",
        saw=f"{seen}; the baseline allows {limit(budget)} for {counts['criterion']}.",
        matters="Something got worse since that run, whether or not the objective itself is kept.",
        next="Compare the two runs (gameday compare) and undo what made it worse, or accept it: gameday judge RUN --write-baseline FILE.",
        objective=objective["name"],
        phase=f"baseline:{phase}:{counts['criterion']}",
        faults=started(document) if phase == "fault" else (),
    )
