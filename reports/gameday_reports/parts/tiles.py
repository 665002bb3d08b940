"""The four figures of the first screen: budget, detection, mitigation or recovery, and what changed."""

from __future__ import annotations

from dataclasses import dataclass

from gameday.model import Json
from gameday_reports import words
from gameday_reports.facts import Facts
from gameday_reports.parts.marks import proven_ms
from gameday_reports.parts.objectives import budget_note
from gameday_reports.parts.since import since
from gameday_reports.proofs import injected
from gameday_reports.reading import number, part, text

_RECOVERED = {"pass": "none", "fail": "fail"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One figure."""

    name: str
    value: str
    note: str
    tone: str = "none"


def tiles(facts: Facts) -> tuple[Tile, ...]:
    """Return the four figures, in the order a reader asks for them."""
    return (budget_tile(facts), detect_tile(facts), recovery_tile(facts), change_tile(facts))


def budget_tile(facts: Facts) -> Tile:
    """Say how much of its error budget the worst objective used."""
    name = "Error budget used, worst objective"
    used = [
        (share, index)
        for index, raw in enumerate(facts.objectives)
        if (share := number(part(raw, "budget"), "used")) is not None
    ]
    if not used:
        return Tile(name=name, value="not counted", note="no objective with a budget was measured")
    share, index = max(used, key=lambda pair: (pair[0], -pair[1]))
    worst = facts.objectives[index]
    note = f"{text(worst, 'name', 60)}: {budget_note(part(worst, 'budget'))}"
    return Tile(name=name, value=words.budget(share), note=note, tone="fail" if share > 1 else "none")


def detect_tile(facts: Facts) -> Tile:
    """Say how long it took until an alert fired, from the proven injection."""
    name = "Time to detect"
    measured = part(part(facts.verdict, "times"), "detect")
    ms, source = number(measured, "ms"), text(measured, "source", 80)
    if ms is None and not source:
        return Tile(name=name, value="not measured", note="no alert is an objective of this experiment")
    if proven_ms(facts) is None:
        return Tile(name=name, value="not judged", note="no fault was proven on")
    alerts = [part(raw, "alert") for raw in facts.objectives if part(raw, "alert")]
    within = next((found for raw in alerts if (found := number(raw, "within_ms")) is not None), None)
    limit = "" if within is None else f" · limit {words.duration(within)}"
    if ms is None:
        judged = any(text(raw, "result") == "fail" for raw in alerts)
        return Tile(name=name, value="not reached", note=f"{source}{limit}", tone="fail" if judged else "warn")
    late = within is not None and ms > within
    return Tile(
        name=name,
        value=words.duration(ms),
        note=f"{source}{limit}{_was(facts, 'detect')}",
        tone="fail" if late else "none",
    )


def recovery_tile(facts: Facts) -> Tile:
    """Say how long it took until the alert resolved, or else until the slowest objective came back."""
    mitigated = part(part(facts.verdict, "times"), "mitigate")
    source = text(mitigated, "source", 80)
    if source.endswith("resolved"):
        ms = number(mitigated, "ms")
        value = "not reached" if ms is None else words.duration(ms)
        note = f"{source}, from the proven injection on{_was(facts, 'mitigate')}"
        return Tile(name="Time to mitigate", value=value, note=note, tone="fail" if ms is None else "none")
    name = "Time to recover, slowest objective"
    judged = [
        (raw, part(raw, "recovery")) for raw in facts.objectives if number(part(raw, "recovery"), "from_ms") is not None
    ]
    if not judged:
        there = any(map(injected, facts.faults))
        why = "the run did not reach its recovery" if there else "nothing was injected"
        return Tile(name=name, value="not judged", note=why)
    slowest, recovery = max(judged, key=lambda pair: _seconds(pair[1]))
    within, seconds = number(recovery, "within_ms"), number(recovery, "seconds")
    limit = "" if within is None or within <= 0 else f" · limit {words.duration(within)}"
    return Tile(
        name=name,
        value=_reached(seconds),
        note=f"{text(slowest, 'name', 60)}{limit}{_was(facts, 'recover')}",
        tone=_RECOVERED.get(text(recovery, "result"), "warn"),
    )


def _seconds(recovery: Json) -> float:
    seconds = number(recovery, "seconds")
    return float("inf") if seconds is None else seconds


def _reached(seconds: float | None) -> str:
    return "not reached" if seconds is None else "at once" if not seconds else words.duration(seconds * 1000)


def _was(facts: Facts, key: str) -> str:
    """Say what it was the last time, where that can be set beside it."""
    if facts.previous is None or not facts.previous.comparable:
        return ""
    before = part(part(facts.previous.verdict, "times"), key)
    if not text(before, "source"):
        return ""
    ms = number(before, "ms")
    return f" · was {_reached(None if ms is None else ms / 1000)}"


def change_tile(facts: Facts) -> Tile:
    """Say what became worse and better since the last run."""
    found = since(facts)
    if found is None:
        return Tile(
            name="Change since the last run", value="no earlier run", note="the next run will be set beside this one"
        )
    name = "Change since the last run"
    if not found.comparable:
        return Tile(
            name=name,
            value="not comparable",
            note=found.why[0] if found.why else f"the experiment was changed since {found.day}",
        )
    counts = ((found.worse, "worse"), (found.unproven, "not proven any more"), (found.better, "better"))
    moved = [f"{len(names)} {word}" for names, word in counts if names]
    findings = f"{words.plural(found.fresh, 'new finding')}, {found.fixed} fixed · last run {found.day} UTC"
    value = ", ".join(moved) or "no objective changed"
    return Tile(
        name=name, value=value, note=findings, tone="fail" if found.worse else "warn" if found.unproven else "none"
    )
