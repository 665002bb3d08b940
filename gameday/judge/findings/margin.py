"""Rule: an objective held with less than a tenth of its limit to spare."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gameday.judge.findings.rule import Draft, started
from gameday.judge.words import effect, is_gauge, listed, percent, read, seconds
from gameday.model import Json
from gameday.schema.grammar import parse_criterion

THIN = 0.10
"""Share of a limit below which what is left of it is called thin."""


def find(document: Json) -> Iterator[Draft]:
    """Yield one finding for each criterion that held with a thin margin while the fault was on, and each recovery just in time."""
    for objective in document["objectives"]:
        if objective["verdict"] != "pass":
            continue
        for criterion in objective["criteria"]:
            phase = criterion["phases"].get("fault")
            spare = margin(phase) if phase and phase.get("result") == "pass" else None
            if phase and spare is not None and spare < THIN:
                yield _held(document, objective, phase, spare)
        yield from _just_in_time(document, objective)


def margin(phase: Json) -> float | None:
    """Return the share of the limit that is left, 0 at the limit; None where there is no limit to divide by, or nothing was measured."""
    if is_gauge(phase):
        value, limit = phase["value"], phase["limit"]
        return None if value is None or not limit else float(abs(limit - value) / abs(limit))
    if not phase.get("n") or not phase.get("budget"):
        return None
    return float(1 - phase["k"] / phase["n"] / phase["budget"])


def _held(document: Json, objective: Json, phase: dict[str, Any], spare: float) -> Draft:
    criterion = parse_criterion(phase["criterion"])
    seen = read(phase) if is_gauge(phase) else effect(criterion, objective["endpoints"], phase["k"], phase["n"])
    return Draft(
        rule="margin",
        severity="low",
        title=f"{listed(started(document))}: {objective['name']} held with a margin of {_left(spare)}",
        saw=f"While the fault was on, {seen}: {_left(spare)} of the limit was left.",
        matters="A little more load, or a slightly worse fault, breaks it.",
        next="Decide whether that is enough room, and repeat the run: one that holds by so little may not hold each time.",
        objective=objective["name"],
        phase=f"fault:{criterion.metric}",
        faults=started(document),
    )


def _just_in_time(document: Json, objective: Json) -> Iterator[Draft]:
    recovery: Json = objective.get("recovery") or {}
    took, within = recovery.get("seconds"), recovery.get("within_ms") or 0
    if recovery.get("result") != "pass" or took is None or within <= 0 or within - took * 1000 >= THIN * within:
        return
    spare = max(0.0, 1 - took * 1000 / within)
    yield Draft(
        rule="margin",
        severity="low",
        title=f"{listed(started(document))}: {objective['name']} recovered just in time, after {seconds(took)}",
        saw=f"Steady state held again after {seconds(took)}; {seconds(within / 1000)} allowed, {_left(spare)} of it left.",
        matters="A slightly slower return breaks it.",
        next="Look at what the return waits for: probes, backoff, warm-up; and repeat the run.",
        objective=objective["name"],
        phase="recovery",
        faults=started(document),
    )


def _left(spare: float) -> str:
    return percent(spare) if spare > 0 else "nothing"
