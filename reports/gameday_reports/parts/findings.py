"""Findings: what was seen, why it matters, what to do, and where the evidence is."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gameday.model import Json, Verdict
from gameday_reports.facts import Facts
from gameday_reports.parts.since import finding_statuses
from gameday_reports.reading import PARAGRAPH, parts, text, texts

_SEVERITIES = {"high": "fail", "medium": "warn", "low": "none", "info": "pass"}


LINK = re.compile(r"https?://[^\s\"'<>]{1,2000}", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A link into the report."""

    anchor: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    """One finding: what was seen, why it matters, what to do."""

    anchor: str
    number: str
    severity: str
    tone: str
    title: str
    saw: str
    matters: str
    next: str
    evidence: tuple[Evidence, ...]
    fingerprint: str
    status: str
    """Against the earlier runs: ``New``, ``Regressed``, ``Unchanged``, ``Improved``; empty without any."""
    cause: str
    """What people found out; a machine states only what it saw."""
    note: str
    owner: str
    due: str
    ticket: str


def no_findings(word: Verdict) -> str:
    """Say what it means that there are none."""
    if word is Verdict.PASS:
        return "No findings: every objective was kept, and nothing else needs a decision."
    return "No findings. That is no good news: this run did not end as planned, and the summary says why."


def _finding(facts: Facts, raw: Json, index: int, status: str) -> FindingView:
    severity = text(raw, "severity").lower()
    remark = facts.run.remarks.get(text(raw, "fingerprint"), {})
    return FindingView(
        anchor=f"finding-{index}",
        number=text(raw, "id", 12) or f"F{index}",
        severity=severity.capitalize() or "Finding",
        tone=_SEVERITIES.get(severity, "warn"),
        title=text(raw, "title"),
        saw=text(raw, "saw", PARAGRAPH),
        matters=text(raw, "matters", PARAGRAPH),
        next=text(raw, "next", PARAGRAPH),
        evidence=_evidence(facts, raw),
        fingerprint=text(raw, "fingerprint", 120),
        status=status,
        cause=text(remark, "cause", PARAGRAPH),
        note=text(remark, "note", PARAGRAPH),
        owner=text(remark, "owner", 120),
        due=text(remark, "due", 40),
        ticket=text(remark, "ticket"),
    )


def _evidence(facts: Facts, raw: Json) -> tuple[Evidence, ...]:
    about, faults = raw.get("objective"), texts(raw, "faults")
    links = [
        Evidence(anchor=f"objective-{index}", label=f"objective {text(objective, 'name', 80)}")
        for index, objective in enumerate(facts.objectives, 1)
        if about is not None and objective.get("name") == about
    ]
    links += [
        Evidence(anchor=f"fault-{index}", label=f"fault {text(fault, 'name', 80)}")
        for index, fault in enumerate(facts.faults, 1)
        if text(fault, "name") in faults
    ]
    return (*links, Evidence(anchor="charts", label="charts"), Evidence(anchor="timeline", label="timeline"))


def finding_views(facts: Facts) -> tuple[FindingView, ...]:
    """Describe all findings, in the order of the verdict."""
    found = finding_statuses(facts)
    return tuple(
        _finding(facts, raw, index, found.of(text(raw, "fingerprint")))
        for index, raw in enumerate(parts(facts.verdict, "findings"), 1)
    )
