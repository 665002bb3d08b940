"""Guards: what would have stopped the run, and what did."""

from __future__ import annotations

from dataclasses import dataclass

from gameday.model import Verdict
from gameday_reports import words
from gameday_reports.facts import Facts
from gameday_reports.proofs import injected
from gameday_reports.reading import text, texts


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardView:
    """One thing that could have stopped the run."""

    rule: str
    outcome: str
    tone: str


def rules(facts: Facts) -> tuple[str, ...]:
    """Return the abort rules of the file."""
    return texts(facts.experiment, "abort")


def tripped(facts: Facts) -> dict[str, str]:
    """Return which abort rules stopped the run: rule → what it said."""
    details = [
        text(event.data, "detail") for event in facts.run.of_kind("abort") if event.data.get("reason") == "guard"
    ]
    known = rules(facts)
    found: dict[str, str] = {}
    for detail in details:
        named = [rule for rule in known if rule in detail] or (list(known) if len(known) == 1 else ["a guard"])
        found[named[0]] = detail
    return found


def guard_views(facts: Facts) -> tuple[GuardView, ...]:
    """Describe the abort rules of the file, then the guards that are always on."""
    stopped = tripped(facts)
    views = [_guard(facts, rule, stopped.pop(rule, None)) for rule in rules(facts)]
    views += [
        GuardView(rule=rule, outcome=f"stopped the run: {detail}", tone="fail") for rule, detail in stopped.items()
    ]
    if not views:
        views.append(
            GuardView(
                rule="no abort rule in the file",
                outcome="nothing about the system would have stopped this run",
                tone="warn",
            )
        )
    return (*views, _watchdog(facts))


def _guard(facts: Facts, rule: str, stopped: str | None) -> GuardView:
    if stopped is not None:
        at = [event.at_ms for event in facts.run.of_kind("abort") if event.data.get("reason") == "guard"]
        return GuardView(
            rule=rule, outcome=f"stopped the run at {words.clock(at[0], precise=True)}: {stopped}", tone="fail"
        )
    if not any(injected(fault) for fault in facts.faults):
        return GuardView(rule=rule, outcome="never armed: nothing was injected", tone="none")
    return GuardView(rule=rule, outcome="watched, did not act", tone="pass" if facts.word is Verdict.PASS else "none")


def _watchdog(facts: Facts) -> GuardView:
    rule = "watchdog (reverts if the runner is lost)"
    lost = facts.run.of_kind("watchdog-lost")
    if lost:
        return GuardView(rule=rule, outcome=f"lost: {text(lost[0].data, 'error')}", tone="fail")
    if not facts.run.of_kind("watchdog-started"):
        return GuardView(
            rule=rule, outcome="never started", tone="warn" if any(map(injected, facts.faults)) else "none"
        )
    took = [event for event in facts.run.of_kind("revert-called") if event.data.get("by") == "watchdog"]
    return GuardView(
        rule=rule,
        outcome="took over and reverted" if took else "stood by, did not act",
        tone="warn" if took else "none",
    )
