"""Rule: an objective is neither proven kept nor proven broken for want of evidence about it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gameday.judge.binomial import pass_limit, samples_needed
from gameday.judge.findings.rule import Draft, started
from gameday.judge.words import effect, evidence, is_gauge, read
from gameday.model import Json
from gameday.schema.grammar import parse_criterion

_OWN = ("near-limit", "too-few", "no-data")
_OF_GAUGES = {
    "no-data": "Find out why the probe could not be read, and give it a time-out that it can keep.",
    "query-error": "Correct what the probe asks for: its source answers, but not with that number.",
    "stale": "Find out why the probe could not be read towards the end of the phase.",
    "too-short": "A longer fault phase, or a shorter interval of the probe.",
    "too-few": "A longer fault phase, or a shorter interval of the probe.",
}

_OF_COUNTERS = {
    "no-data": "Find out why the source has no whole record of that phase.",
    "query-error": "Correct what the source is asked for: it answers, but not with these counters.",
    "stale": "Find out why its target was not scraped towards the end of the phase.",
    "too-short": "A phase of at least four scrapes, or a shorter scrape interval.",
}


def find(document: Json) -> Iterator[Draft]:
    """Yield one finding for each criterion without a result while the fault was on, and each recovery too short to judge."""
    if document["stopped"] or document["abort"]:
        return
    for objective in document["objectives"]:
        for criterion in objective["criteria"]:
            phase = criterion["phases"].get("fault")
            if phase and phase["result"] == "inconclusive" and is_gauge(phase) and phase["reason"] in _OF_GAUGES:
                yield _gauge(document, objective, phase)
            elif phase and phase["result"] == "inconclusive" and (phase["reason"] in _OWN or "counters" in phase):
                yield _phase(document, objective, phase)
        if objective["recovery"] and objective["recovery"]["reason"] in (
            "too-short",
            "no-data",
            "stale",
            "query-error",
        ):
            yield _recovery(document, objective)


def _phase(document: Json, objective: Json, phase: dict[str, Any]) -> Draft:
    criterion = parse_criterion(phase["criterion"])
    seen = effect(criterion, objective["endpoints"], phase["k"], phase["n"]) if phase["n"] else "nothing was measured"
    return Draft(
        rule="unsure",
        severity="low",
        title=f"{objective['name']} is not proven ({phase['reason']}): {seen}",
        saw=f"While the fault was on, {seen}. {_scraped(phase) or _needed(phase)}",
        matters="An objective that is not proven is not kept.",
        next=_OF_COUNTERS.get(phase["reason"], "More traffic, a longer fault phase, or an honest budget.")
        if "counters" in phase
        else "More traffic, a longer fault phase, or an honest budget.",
        objective=objective["name"],
        phase=f"fault:{criterion.metric}",
        faults=started(document),
    )


def _gauge(document: Json, objective: Json, phase: dict[str, Any]) -> Draft:
    criterion = parse_criterion(phase["criterion"])
    return Draft(
        rule="unsure",
        severity="low",
        title=f"{objective['name']} is not proven ({phase['reason']}): {read(phase)}",
        saw=f"While the fault was on, {read(phase)}; {evidence(phase)}.",
        matters="An objective that is not proven is not kept, and a gauge that was not read proves nothing.",
        next=_OF_GAUGES[phase["reason"]],
        objective=objective["name"],
        phase=f"fault:{criterion.metric}",
        faults=started(document),
    )


def _scraped(phase: dict[str, Any]) -> str:
    """Say how well counters were scraped, where that is what is missing."""
    counters = phase.get("counters")
    if not counters or phase["reason"] not in _OF_COUNTERS:
        return ""
    error = f": {counters['error']}" if counters["error"] else ""
    return f"Of {counters['due']:,} scrapes {counters['scrapes']:,} are there{error}."


def _needed(phase: dict[str, Any]) -> str:
    needed = samples_needed(phase["budget"])
    if needed is None:
        return "A budget of zero cannot be proven by any number of requests."
    if phase["n"] < needed:
        return f"{phase['n']:,} requests cannot prove it; {needed:,} without a bad one would."
    return f"Of {phase['n']:,} at most {pass_limit(phase['n'], phase['budget']):,} may be bad for proof."


def _recovery(document: Json, objective: Json) -> Draft:
    reason = objective["recovery"]["reason"]
    short = reason == "too-short"
    why = "ended too early to judge it" if short else "was not measured well enough"
    return Draft(
        rule="unsure",
        severity="low",
        title=f"{objective['name']}: the recovery phase cannot tell whether it recovered",
        saw=f"It is not shown that steady state held again: the recovery phase {why} ({reason}).",
        matters="An objective that is not proven is not kept.",
        next="A longer recovery phase." if short else "Find out why there is no data, and run again.",
        objective=objective["name"],
        phase="recovery",
        faults=started(document),
    )
