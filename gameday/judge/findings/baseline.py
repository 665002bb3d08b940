"""Rule: steady state did not hold before anything was injected."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gameday.judge.findings.rule import Draft
from gameday.judge.gauges import keeps
from gameday.judge.words import effect, evidence, is_gauge, read
from gameday.model import Json
from gameday.schema.grammar import Criterion, parse_criterion


def find(document: Json) -> Iterator[Draft]:
    """Yield one finding for each criterion that kept the gate shut."""
    stopped = document["stopped"]
    if stopped is None or stopped["reason"] != "baseline":
        return
    for objective in document["objectives"]:
        for criterion in objective["criteria"]:
            phase = criterion["phases"].get("baseline")
            if phase and _shut(phase):
                yield _draft(objective, phase)


def _shut(phase: Json) -> bool:
    """Whether this criterion kept the gate shut: broken, unknown, or too small to prove and over its budget as it is."""
    if is_gauge(phase):
        value, small = phase["value"], phase["reason"] in ("too-short", "too-few")
        kept = small and value is not None and keeps(parse_criterion(phase["criterion"]), float(value))
        return bool(phase["result"] != "pass" and not kept)
    unheard = "counters" in phase and phase["reason"] in ("no-data", "query-error", "stale", "too-short")
    return bool(unheard or phase["result"] == "fail" or phase["n"] == 0 or phase["k"] > phase["budget"] * phase["n"])


def _draft(objective: Json, phase: Json) -> Draft:
    criterion = parse_criterion(phase["criterion"])
    seen = _seen(criterion, objective, dict(phase))
    return Draft(
        rule="baseline",
        severity="medium",
        title=f"{objective['name']} did not hold before the fault: {seen}",
        saw=f"In the baseline, {seen}. Nothing was injected.",
        matters="A system that is not in its steady state cannot show that it keeps it.",
        next="Bring the system to its steady state, or make the objective honest, and run again.",
        objective=objective["name"],
        phase=f"baseline:{criterion.metric}",
    )


def _seen(criterion: Criterion, objective: Json, phase: dict[str, Any]) -> str:
    if is_gauge(phase):
        return f"{read(phase)} ({evidence(phase)})"
    return effect(criterion, objective["endpoints"], phase["k"], phase["n"]) if phase["n"] else "nothing was measured"
