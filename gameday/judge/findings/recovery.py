"""Rule: steady state came back late, never, or was lost again."""

from __future__ import annotations

from collections.abc import Iterator

from gameday.judge.findings.rule import Draft, next_step, started
from gameday.judge.words import listed, seconds
from gameday.model import Json
from gameday.schema.experiment import Experiment


def find(document: Json, experiment: Experiment) -> Iterator[Draft]:
    """Yield one finding for each objective whose recovery failed."""
    for objective in document["objectives"]:
        recovery = objective["recovery"]
        if recovery["result"] == "fail":
            yield _draft(document, experiment, objective)


def _draft(document: Json, experiment: Experiment, objective: Json) -> Draft:
    recovery, name = objective["recovery"], objective["name"]
    within = seconds(recovery["within_ms"] / 1000)
    took = recovery["seconds"]
    if took is None:
        what, rest = "did not recover", f"it did not hold again before the run ended; {within} allowed"
    elif took * 1000 > recovery["within_ms"]:
        what, rest = f"took {seconds(took)} to recover", f"it held again after {seconds(took)}; {within} allowed"
    else:
        what, rest = "recovered and broke again", f"it held again after {seconds(took)}, and was then broken again"
    names = started(document)
    return Draft(
        rule="recovery",
        severity="high",
        title=f"{listed(names)}: {name} {what}" + (f", {within} allowed" if "took" in what else ""),
        saw=f"After {listed(names)} was undone, steady state of {name} ({_expect(objective)}) was late or lost: {rest}.",
        matters=f"{recovery['bad_seconds']} seconds were over the {_line(objective)} from the first injection to the end of the run.",
        next=next_step(
            experiment, "Look at what still failed after the fault was proven gone: retries, pools, caches, breakers."
        ),
        objective=name,
        phase="recovery",
        faults=names,
    )


def _line(objective: Json) -> str:
    """Name what a second can be over: requests have a budget, a gauge has a limit."""
    counted = any("n" in phase for row in objective["criteria"] for phase in row["phases"].values())
    return "budget" if counted else "limit"


def _expect(objective: Json) -> str:
    return listed([row["expect"] for row in objective["criteria"] if row["expect"]])
