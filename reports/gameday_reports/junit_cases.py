"""What a run is in test cases: one for each objective, fault proof, revert and guard, and one for the verdict itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gameday.model import Json, Verdict
from gameday_reports import gauges, words
from gameday_reports.facts import Facts
from gameday_reports.parts.guards import rules, tripped
from gameday_reports.proofs import PROOFS, UNDOS, injected, replaced_of, undo_of
from gameday_reports.reading import PARAGRAPH, number, part, parts, text, texts

Status = Literal["passed", "failure", "error", "skipped"]
_BROKE = (
    "query-error",
    "load-generator",
    "action-failed",
    "not-ready",
    "no-data",
    "stale",
    "runner-lost",
    "watchdog-lost",
)
"""Reasons that mean that something of the measurement broke, not that there was too little of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test case."""

    name: str
    status: Status
    message: str
    kind: str = ""
    line: float | None = None


def cases_of(facts: Facts) -> list[Case]:
    """Return all cases of a run, the verdict last."""
    return [*_objectives(facts), *_faults(facts), *_guards(facts), _verdict(facts)]


def _objectives(facts: Facts) -> list[Case]:
    return [_objective(raw) for raw in facts.objectives]


def _objective(raw: Json) -> Case:
    word, reason = text(raw, "verdict"), text(raw, "reason")
    status: Status = "skipped"
    if word == "pass":
        status = "passed"
    elif word == "fail":
        status = "failure"
    elif reason in _BROKE:
        status = "error"
    said = [words.outcome(word, reason), *_counted(raw), *_alerted(part(raw, "alert"))]
    return Case(
        name=f"objective {text(raw, 'name')}",
        status=status,
        message="; ".join(said),
        kind=reason,
        line=number(raw, "line"),
    )


def _counted(raw: Json) -> list[str]:
    said: list[str] = []
    for criterion in parts(raw, "criteria"):
        for phase in ("baseline", "onset", "fault"):
            judged = part(part(criterion, "phases"), phase)
            n, k = number(judged, "n"), number(judged, "k")
            if "coverage" in judged and (phase != "onset" or number(judged, "readings")):
                said.append(f"{phase} ({text(judged, 'criterion')}): {gauges.read(judged)}, {gauges.coverage(judged)}")
            if n is not None:
                asked = text(judged, "criterion") or text(criterion, "during") or text(criterion, "expect")
                said.append(f"{phase} ({asked}): {words.count(k)} of {words.count(n)} bad")
    recovery = part(raw, "recovery")
    if number(recovery, "from_ms") is not None:
        seconds = number(recovery, "seconds")
        said.append("recovery not reached" if seconds is None else f"recovered after {words.duration(seconds * 1000)}")
    return said


def _alerted(alert: Json) -> list[str]:
    if not alert:
        return []
    fired, resolved, error = number(alert, "fired_ms"), number(alert, "resolved_ms"), text(alert, "error")
    said = [f"alert {text(alert, 'name')} {'never fired' if fired is None else f'fired after {words.duration(fired)}'}"]
    if fired is not None:
        said.append("it did not resolve" if resolved is None else f"it resolved after {words.duration(resolved)}")
    return [*said, *([f"its source said: {error}"] if error else [])]


def _faults(facts: Facts) -> list[Case]:
    cases: list[Case] = []
    for raw in facts.faults:
        name, detail = text(raw, "name"), text(raw, "detail", 600)
        cases.append(_proof(raw, f"fault {name} is proven on", detail))
        cases.append(_undo(raw, f"fault {name} is proven gone", detail))
        if part(raw, "recovered"):
            cases.append(_replaced(raw, f"what fault {name} took away is replaced"))
    return cases


def _proof(raw: Json, name: str, detail: str) -> Case:
    proof = text(raw, "proof")
    said = PROOFS.get(proof, (proof, ""))[0]
    if not injected(raw):
        return Case(name=name, status="skipped", message="never injected", kind="never-injected")
    status: Status = "passed" if proof == "proven" else "skipped" if proof == "no-check" else "error"
    return Case(name=name, status=status, message=f"{said}. {detail}", kind=proof)


def _undo(raw: Json, name: str, detail: str) -> Case:
    undo = undo_of(raw)
    said = UNDOS.get(undo, (undo, ""))[0]
    status: Status = "passed" if undo == "proven" else "skipped" if undo in ("reported", "not-needed") else "error"
    return Case(name=name, status=status, message=f"{said}. {detail}", kind=undo)


def _replaced(raw: Json, name: str) -> Case:
    result = text(part(raw, "recovered"), "result")
    said, tone, numbers = replaced_of(raw)
    status: Status = {"pass": "passed", "none": "skipped"}.get(tone, "error")  # type: ignore[assignment]
    return Case(name=name, status=status, message=f"{said}. {numbers}", kind=result)


def _guards(facts: Facts) -> list[Case]:
    stopped = tripped(facts)
    known = [*rules(facts), *(rule for rule in stopped if rule not in rules(facts))]
    armed = any(injected(fault) for fault in facts.faults)
    return [_guard(rule, stopped.get(rule), armed=armed) for rule in known]


def _guard(rule: str, stopped: str | None, *, armed: bool) -> Case:
    name = f"guard {rule}"
    if stopped is not None:
        return Case(name=name, status="failure", message=f"stopped the run: {stopped}", kind="guard")
    if not armed:
        return Case(name=name, status="skipped", message="nothing was injected", kind="never-armed")
    return Case(name=name, status="passed", message="watched, did not act")


def _verdict(facts: Facts) -> Case:
    said = f"{words.VERDICTS[facts.word]}. {text(facts.verdict, 'summary', PARAGRAPH)}"
    reasons = [words.reason(word) for word in texts(facts.verdict, "reasons")]
    commands = [text(raw, "command", 600) for raw in parts(facts.verdict, "residue")]
    message = " ".join(
        [said, *(f"{reason}." for reason in reasons), *(f"Run: {command}" for command in commands if command)]
    )
    status: Status = "error"
    if facts.word is Verdict.PASS:
        status = "passed"
    elif facts.word is Verdict.FAIL:
        status = "failure"
    return Case(name="verdict", status=status, message=message, kind=facts.word.word)
