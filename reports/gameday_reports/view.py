"""Run → ReportView: everything a report says, as display-ready text and plain series; pure, and every number computed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gameday.model import Json, Run, Verdict
from gameday_reports import words
from gameday_reports.charts import TimeAxis
from gameday_reports.charts_lanes import Lane, Mark
from gameday_reports.charts_panel import Panel
from gameday_reports.facts import Facts, facts_of
from gameday_reports.faults import FaultView, GuardView, fault_views, guard_views
from gameday_reports.generator import LoadView, load_view
from gameday_reports.happenings import Happening, happenings
from gameday_reports.objectives import ObjectiveView, objective_views
from gameday_reports.origin import OriginView, origin_view
from gameday_reports.panels import generator_panels, lanes, marks, panels, watched
from gameday_reports.reading import PARAGRAPH, bounded, number, parts, text, texts
from gameday_reports.summary import SummaryView, summary_view

_SEVERITIES = {"high": "fail", "medium": "warn", "low": "none", "info": "pass"}
_LINK = re.compile(r"https?://[^\s\"'<>]{1,2000}", re.IGNORECASE)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportView:
    """A whole report."""

    page_title: str
    verdict: Verdict
    title: str
    hypothesis: str
    run: str
    when: str
    owner: str
    tags: tuple[str, ...]
    runbook: str
    runbook_link: str
    """The runbook when it is an http or https address, and empty when it is a path or anything else."""
    source: str
    summary: SummaryView
    findings: tuple[FindingView, ...]
    no_findings: str
    """What to say when there are none: an inconclusive run found nothing because it proved nothing."""
    objectives: tuple[ObjectiveView, ...]
    axis: TimeAxis
    panels: tuple[Panel, ...]
    lanes: tuple[Lane, ...]
    marks: tuple[Mark, ...]
    timeline: tuple[Happening, ...]
    faults: tuple[FaultView, ...]
    guards: tuple[GuardView, ...]
    load: LoadView
    load_panels: tuple[Panel, ...]
    origin: OriginView


def report_view(run: Run) -> ReportView:
    """Describe a judged run; raise ValueError for one that was never judged."""
    facts = facts_of(run)
    experiment, summary = facts.experiment, summary_view(facts)
    title = text(facts.verdict, "title") or text(experiment, "title") or bounded(run.name)
    runbook, criteria = text(experiment, "runbook"), watched(facts)
    return ReportView(
        page_title=f"{summary.headline} · {title}",
        verdict=facts.word,
        title=title,
        hypothesis=text(experiment, "hypothesis", PARAGRAPH),
        run=bounded(run.name),
        when=_when(facts),
        owner=text(experiment, "owner", 120),
        tags=texts(experiment, "tags")[:20],
        runbook=runbook,
        runbook_link=runbook if _LINK.fullmatch(runbook) else "",
        source=text(run.plan, "source"),
        summary=summary,
        findings=tuple(_finding(facts, raw, index) for index, raw in enumerate(parts(facts.verdict, "findings"), 1)),
        no_findings=_no_findings(facts.word),
        objectives=objective_views(facts),
        axis=facts.axis,
        panels=panels(facts, criteria),
        lanes=lanes(criteria),
        marks=marks(facts),
        timeline=happenings(facts),
        faults=fault_views(facts),
        guards=guard_views(facts),
        load=load_view(facts),
        load_panels=generator_panels(facts),
        origin=origin_view(facts),
    )


def _no_findings(word: Verdict) -> str:
    if word is Verdict.PASS:
        return "No findings: every objective was kept, and nothing else needs a decision."
    return "No findings. That is no good news: this run did not end as planned, and the summary says why."


def _when(facts: Facts) -> str:
    started, ended = number(facts.verdict, "started_wall"), number(facts.verdict, "ended_ms")
    if started is None or words.moment(started) is None:
        return "start time not known"
    length = "" if ended is None else f" · {words.duration(ended)}"
    until = "" if ended is None else f" to {words.utc(started + ended / 1000, '%H:%M:%S')}"
    return f"{words.utc(started)}{until} UTC{length}"


def _finding(facts: Facts, raw: Json, index: int) -> FindingView:
    severity = text(raw, "severity").lower()
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
