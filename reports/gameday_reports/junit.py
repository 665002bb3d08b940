"""JUnit XML for CI: a testcase for each objective, fault proof, revert and guard, and one for the verdict itself.

CI systems show ``skipped`` as green, so the testcase ``verdict`` is red whenever the verdict is not pass.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from gameday.model import Json, Run, Verdict
from gameday_reports import gauges, words
from gameday_reports.facts import Facts, facts_of
from gameday_reports.parts.guards import rules, tripped
from gameday_reports.proofs import PROOFS, UNDOS, injected, undo_of
from gameday_reports.reading import PARAGRAPH, bounded, number, part, parts, text, texts

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
_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold (https://www.w3.org/TR/xml/#charsets)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    name: str
    status: Status
    message: str
    kind: str = ""
    line: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JUnitReport:
    """The report that CI systems read."""

    name: str = "junit"
    filename: str = "junit.xml"

    def render(self, run: Run) -> bytes:
        """Render as UTF-8; the same run gives the same bytes; raise ValueError for a run that was never judged."""
        facts = facts_of(run)
        cases = [*_objectives(facts), *_faults(facts), *_guards(facts), _verdict(facts)]
        root = Element("testsuites", name="gameday")
        _suite(root, facts, cases)
        indent(root)
        written: bytes = tostring(root, encoding="utf-8", xml_declaration=False)
        return b'<?xml version="1.0" encoding="utf-8"?>\n' + written + b"\n"


def _clean(value: str) -> str:
    return _XML.sub("\ufffd", value)


def _suite(root: Element, facts: Facts, cases: list[_Case]) -> None:
    seconds = f"{(number(facts.verdict, 'ended_ms') or 0) / 1000:.3f}"
    tally = {
        "tests": str(len(cases)),
        "failures": str(sum(case.status == "failure" for case in cases)),
        "errors": str(sum(case.status == "error" for case in cases)),
        "skipped": str(sum(case.status == "skipped" for case in cases)),
        "time": seconds,
    }
    root.attrib.update(tally)
    title = _clean(text(facts.verdict, "title") or bounded(facts.run.name))
    suite = SubElement(root, "testsuite", {"name": title, **tally})
    started = number(facts.verdict, "started_wall")
    if words.moment(started) is not None:
        suite.set("timestamp", words.utc(started, "%Y-%m-%dT%H:%M:%S"))
    properties = SubElement(suite, "properties")
    for name, value in _properties(facts):
        SubElement(properties, "property", name=name, value=_clean(value))
    for case in cases:
        _testcase(suite, case, title, _clean(text(facts.run.plan, "source")))


def _properties(facts: Facts) -> tuple[tuple[str, str], ...]:
    verdict = facts.verdict
    return (
        ("run", bounded(facts.run.name)),
        ("verdict", facts.word.word),
        ("reasons", ", ".join(texts(verdict, "reasons"))),
        ("seed", text(verdict, "seed")),
        ("digest", text(verdict, "digest")),
        ("journal_head", text(verdict, "journal_head") or bounded(facts.run.head)),
    )


def _testcase(suite: Element, case: _Case, title: str, source: str) -> None:
    element = SubElement(suite, "testcase", classname=title, name=_clean(case.name))
    if source:
        element.set("file", source)
    if case.line is not None:
        element.set("line", f"{case.line:.0f}")
    if case.status == "passed":
        SubElement(element, "system-out").text = _clean(case.message)
    else:
        result = SubElement(element, case.status, message=_clean(case.message))
        if case.kind:
            result.set("type", _clean(case.kind))


def _objectives(facts: Facts) -> list[_Case]:
    return [_objective(raw) for raw in facts.objectives]


def _objective(raw: Json) -> _Case:
    word, reason = text(raw, "verdict"), text(raw, "reason")
    status: Status = "skipped"
    if word == "pass":
        status = "passed"
    elif word == "fail":
        status = "failure"
    elif reason in _BROKE:
        status = "error"
    said = [words.outcome(word, reason), *_counted(raw)]
    return _Case(
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


def _faults(facts: Facts) -> list[_Case]:
    cases: list[_Case] = []
    for raw in facts.faults:
        name, detail = text(raw, "name"), text(raw, "detail", 600)
        cases.append(_proof(raw, f"fault {name} is proven on", detail))
        cases.append(_undo(raw, f"fault {name} is proven gone", detail))
    return cases


def _proof(raw: Json, name: str, detail: str) -> _Case:
    proof = text(raw, "proof")
    said = PROOFS.get(proof, (proof, ""))[0]
    if not injected(raw):
        return _Case(name=name, status="skipped", message="never injected", kind="never-injected")
    status: Status = "passed" if proof == "proven" else "skipped" if proof == "no-check" else "error"
    return _Case(name=name, status=status, message=f"{said}. {detail}", kind=proof)


def _undo(raw: Json, name: str, detail: str) -> _Case:
    undo = undo_of(raw)
    said = UNDOS.get(undo, (undo, ""))[0]
    status: Status = "passed" if undo == "proven" else "skipped" if undo in ("reported", "not-needed") else "error"
    return _Case(name=name, status=status, message=f"{said}. {detail}", kind=undo)


def _guards(facts: Facts) -> list[_Case]:
    stopped = tripped(facts)
    known = [*rules(facts), *(rule for rule in stopped if rule not in rules(facts))]
    armed = any(injected(fault) for fault in facts.faults)
    return [_guard(rule, stopped.get(rule), armed=armed) for rule in known]


def _guard(rule: str, stopped: str | None, *, armed: bool) -> _Case:
    name = f"guard {rule}"
    if stopped is not None:
        return _Case(name=name, status="failure", message=f"stopped the run: {stopped}", kind="guard")
    if not armed:
        return _Case(name=name, status="skipped", message="nothing was injected", kind="never-armed")
    return _Case(name=name, status="passed", message="watched, did not act")


def _verdict(facts: Facts) -> _Case:
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
    return _Case(name="verdict", status=status, message=message, kind=facts.word.word)
