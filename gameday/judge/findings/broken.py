"""Rule: an objective was proven broken while the faults were on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gameday.judge.findings.rule import Draft, in_force, next_step, started
from gameday.judge.words import effect, headline, limit, listed, percent
from gameday.model import Json
from gameday.schema.experiment import Experiment
from gameday.schema.grammar import Criterion, parse_criterion


def find(document: Json, experiment: Experiment) -> Iterator[Draft]:
    """Yield one finding for each criterion that failed."""
    for objective in document["objectives"]:
        for criterion in objective["criteria"]:
            phases = criterion["phases"]
            if phases.get("fault", {}).get("result") == "fail":
                yield _draft(document, experiment, objective, phases)


def _draft(document: Json, experiment: Experiment, objective: Json, phases: dict[str, Any]) -> Draft:
    fault, onset = phases["fault"], phases["onset"]
    n, k = fault["n"] + onset["n"], fault["k"] + onset["k"]
    criterion = parse_criterion(fault["criterion"])
    where = objective["endpoints"]
    names = started(document)
    guarded = document["aborted_by"] == "guard"
    return Draft(
        rule="broken",
        severity="medium" if guarded else "high",
        title=f"{listed(names)}: {headline(criterion, where, k, n)}",
        saw=f"While {in_force(document)} on, {effect(criterion, where, k, n)}.{_before(criterion, phases)}",
        matters=f"{objective['name']} allows {limit(criterion.budget)} ({criterion.text}), and {k:,} of {n:,} were bad."
        + (" An abort rule ended the fault." if guarded else ""),
        next=next_step(
            experiment, "Look at the charts around the fault, and give those requests a fallback or a time limit."
        ),
        objective=objective["name"],
        phase=f"fault:{criterion.metric}",
        faults=names,
    )


def _before(criterion: Criterion, phases: dict[str, Any]) -> str:
    """Compare with the baseline, where it counted the same thing."""
    baseline = phases.get("baseline")
    if not baseline or not baseline["n"]:
        return ""
    before = parse_criterion(baseline["criterion"])
    if (before.kind, before.slower_us) != (criterion.kind, criterion.slower_us):
        return ""
    return f" Before the fault it was {percent(baseline['share'])}."
