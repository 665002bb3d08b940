"""Rule: an objective was proven broken while the faults were on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gameday.judge.findings.rule import Draft, in_force, started
from gameday.judge.gauges import keeps
from gameday.judge.words import effect, evidence, headline, is_gauge, limit, listed, percent, read, reading
from gameday.model import Json
from gameday.schema.grammar import Criterion, parse_criterion


def find(document: Json) -> Iterator[Draft]:
    """Yield one finding for each criterion that failed."""
    for objective in document["objectives"]:
        for criterion in objective["criteria"]:
            phases = criterion["phases"]
            if phases.get("fault", {}).get("result") == "fail":
                yield _draft(document, objective, phases)


def _draft(document: Json, objective: Json, phases: dict[str, Any]) -> Draft:
    fault, onset = phases["fault"], phases["onset"]
    if is_gauge(fault):
        return _gauge(document, objective, phases)
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
        next="Look at the charts around the fault, and give those requests a fallback or a time limit.",
        objective=objective["name"],
        phase=f"fault:{criterion.metric}",
        faults=names,
    )


def _gauge(document: Json, objective: Json, phases: dict[str, Any]) -> Draft:
    """Tell a gauge by its readings; the onset counts where it is what broke the limit."""
    fault, onset = phases["fault"], phases["onset"]
    criterion = parse_criterion(fault["criterion"])
    inside = fault["value"] is not None and not keeps(criterion, fault["value"])
    phase = fault if inside or onset["value"] is None or keeps(criterion, onset["value"]) else onset
    baseline, names = phases.get("baseline"), started(document)
    same = (
        baseline and baseline["value"] is not None and parse_criterion(baseline["criterion"]).metric == criterion.metric
    )
    before = f" Before the fault it was {reading(criterion, baseline['value'])}." if baseline and same else ""
    guarded = document["aborted_by"] == "guard"
    return Draft(
        rule="broken",
        severity="medium" if guarded else "high",
        title=f"{listed(names)}: {read(phase)}",
        saw=f"While {in_force(document)} on, {read(phase)}.{before}",
        matters=f"{objective['name']} asks for {criterion.text}; {evidence(phase)}."
        + (" An abort rule ended the fault." if guarded else ""),
        next="Look at the gauge's chart around the fault: what fills it, and what should drain it.",
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
