"""Rule: steady state was back, and lost again."""

from __future__ import annotations

from collections.abc import Iterator

from gameday.judge.findings.rule import Draft, started
from gameday.judge.words import listed, seconds
from gameday.model import Json


def late(recovery: Json) -> bool:
    """Whether steady state came back after its time, or never."""
    took = recovery.get("seconds")
    return took is None or took * 1000 > max(recovery.get("within_ms") or 0, 0)


def line(objective: Json) -> str:
    """Name what a second can be over: requests have a budget, a gauge has a limit."""
    counted = any("n" in phase for row in objective["criteria"] for phase in row["phases"].values())
    return "budget" if counted else "limit"


def find(document: Json) -> Iterator[Draft]:
    """Yield one finding for each objective that recovered in time and broke again: high where that is proven, low where it only showed."""
    for objective in document["objectives"]:
        recovery: Json = objective.get("recovery") or {}
        lost = recovery.get("result") == "fail" or (recovery.get("result") == "pass" and recovery.get("relapses"))
        if lost and not late(recovery):
            yield _draft(document, objective, recovery)


def _draft(document: Json, objective: Json, recovery: Json) -> Draft:
    names, name, times = started(document), objective["name"], recovery["relapses"] or 1
    broken = recovery["result"] == "fail"
    again = "recovered and broke again" if broken else "recovered, and faltered again for a moment"
    return Draft(
        rule="relapse",
        severity="high" if broken else "low",
        title=f"{listed(names)}: {name} {again}",
        saw=f"Steady state of {name} held again {seconds(recovery['seconds'])} after {listed(names)} was undone, and was lost "
        f"{'once' if times == 1 else f'{times} times'} after that.",
        matters=f"{recovery['bad_seconds']} seconds were over the {line(objective)} from the first injection to the end of the run; "
        "what comes back in waves is consistent with retries, a backlog or a cold cache.",
        next="Look at the second wave in the charts: what arrives then that did not arrive before the fault.",
        objective=name,
        phase="relapse",
        faults=names,
    )
