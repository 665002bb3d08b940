"""Rule: steady state did not hold before anything was injected."""

from __future__ import annotations

from collections.abc import Iterator

from gameday.judge.findings.rule import Draft, next_step
from gameday.judge.words import effect
from gameday.model import Json
from gameday.schema.experiment import Experiment
from gameday.schema.grammar import parse_criterion


def find(document: Json, experiment: Experiment) -> Iterator[Draft]:
    """Yield one finding for each criterion that kept the gate shut."""
    stopped = document["stopped"]
    if stopped is None or stopped["reason"] != "baseline":
        return
    for objective in document["objectives"]:
        for criterion in objective["criteria"]:
            phase = criterion["phases"].get("baseline")
            if phase and (phase["result"] == "fail" or phase["n"] == 0 or phase["k"] > phase["budget"] * phase["n"]):
                yield _draft(experiment, objective, phase)


def _draft(experiment: Experiment, objective: Json, phase: Json) -> Draft:
    criterion = parse_criterion(phase["criterion"])
    seen = effect(criterion, objective["endpoints"], phase["k"], phase["n"]) if phase["n"] else "nothing was measured"
    return Draft(
        rule="baseline",
        severity="medium",
        title=f"{objective['name']} did not hold before the fault: {seen}",
        saw=f"In the baseline, {seen}. Nothing was injected.",
        matters="A system that is not in its steady state cannot show that it keeps it.",
        next=next_step(
            experiment, "Bring the system to its steady state, or make the objective honest, and run again."
        ),
        objective=objective["name"],
        phase=f"baseline:{criterion.metric}",
    )
