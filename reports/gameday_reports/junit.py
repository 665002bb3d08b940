"""JUnit XML for CI: a testcase for each objective, fault proof, revert and guard, and one for the verdict itself.

CI systems show ``skipped`` as green, so the testcase ``verdict`` is red whenever the verdict is not pass.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from gameday.model import Run
from gameday_reports import words
from gameday_reports.facts import Facts, facts_of
from gameday_reports.junit_cases import Case, cases_of
from gameday_reports.reading import bounded, number, text, texts

_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold (https://www.w3.org/TR/xml/#charsets)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JUnitReport:
    """The report that CI systems read."""

    name: str = "junit"
    filename: str = "junit.xml"

    def render(self, run: Run) -> bytes:
        """Render as UTF-8; the same run gives the same bytes; raise ValueError for a run that was never judged."""
        return self.render_together([run])

    def render_together(self, runs: Sequence[Run]) -> bytes:
        """Render several runs, a suite each."""
        told = [(facts, cases_of(facts)) for facts in map(facts_of, runs)]
        root = Element("testsuites", {"name": "gameday", **_tally(told)})
        for facts, cases in told:
            _suite(root, facts, cases)
        indent(root)
        written: bytes = tostring(root, encoding="utf-8", xml_declaration=False)
        return b'<?xml version="1.0" encoding="utf-8"?>\n' + written + b"\n"


def _clean(value: str) -> str:
    return _XML.sub("\ufffd", value)


def _tally(told: Sequence[tuple[Facts, Sequence[Case]]]) -> dict[str, str]:
    """Count the cases of one suite, or of all of them."""
    cases = [case for _, some in told for case in some]
    ended_ms = sum(number(facts.verdict, "ended_ms") or 0 for facts, _ in told)
    return {
        "tests": str(len(cases)),
        "failures": str(sum(case.status == "failure" for case in cases)),
        "errors": str(sum(case.status == "error" for case in cases)),
        "skipped": str(sum(case.status == "skipped" for case in cases)),
        "time": f"{ended_ms / 1000:.3f}",
    }


def _suite(root: Element, facts: Facts, cases: Sequence[Case]) -> None:
    title = _clean(text(facts.verdict, "title") or bounded(facts.run.name))
    suite = SubElement(root, "testsuite", {"name": title, **_tally([(facts, cases)])})
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


def _testcase(suite: Element, case: Case, title: str, source: str) -> None:
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
