"""Rule: steady state came back late, or never."""

from __future__ import annotations

from collections.abc import Iterator

from gameday.judge.findings.relapse import late, line
from gameday.judge.findings.rule import Draft, started
from gameday.judge.words import listed, seconds
from gameday.model import Json


def find(document: Json) -> Iterator[Draft]:
    """Yield one finding for each objective that was not back in time; one that was, and broke again, is another rule's."""
    for objective in document["objectives"]:
        recovery: Json = objective.get("recovery") or {}
        if recovery.get("result") == "fail" and late(recovery):
            yield _draft(document, objective)


def _draft(document: Json, objective: Json) -> Draft:
    recovery, name = objective["recovery"], objective["name"]
    within = seconds(recovery["within_ms"] / 1000)
    took = recovery["seconds"]
    if took is None:
        what, rest = "did not recover", f"it did not hold again before the run ended; {within} allowed"
    else:
        what, rest = f"took {seconds(took)} to recover", f"it held again after {seconds(took)}; {within} allowed"
    names, lost = started(document), "lost" if took is None else "late"
    return Draft(
        rule="recovery",
        severity="high",
        title=f"{listed(names)}: {name} {what}" + (f", {within} allowed" if "took" in what else ""),
        saw=f"After {listed(names)} was undone, steady state of {name} ({_expect(objective)}) was {lost}: {rest}.",
        matters=f"{recovery['bad_seconds']} seconds were over the {line(objective)} from the first injection to the end of the run.",
        next="Look at what still failed after the fault was proven gone: retries, pools, caches, breakers.",
        objective=name,
        phase="recovery",
        faults=names,
    )


def _expect(objective: Json) -> str:
    return listed([row["expect"] for row in objective["criteria"] if row["expect"]])
