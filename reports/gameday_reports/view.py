"""Run → ReportView: everything a report says, as display-ready text and plain series; pure, and every number computed."""

from __future__ import annotations

from dataclasses import dataclass

from gameday.model import Run, Verdict
from gameday_reports import words
from gameday_reports.charts.geometry import TimeAxis
from gameday_reports.charts.lanes import Lane, Mark
from gameday_reports.charts.panel import Panel
from gameday_reports.facts import Facts, facts_of
from gameday_reports.parts.faults import FaultView, fault_views
from gameday_reports.parts.findings import LINK, FindingView, finding_views, no_findings
from gameday_reports.parts.guards import GuardView, guard_views
from gameday_reports.parts.load import LoadView, load_view
from gameday_reports.parts.load_panels import generator_panels
from gameday_reports.parts.marks import marks
from gameday_reports.parts.objectives import ObjectiveView, objective_views
from gameday_reports.parts.origin import OriginView, origin_view
from gameday_reports.parts.panels import panels
from gameday_reports.parts.summary import SummaryView, summary_view
from gameday_reports.parts.timeline import Happening, happenings
from gameday_reports.parts.watched import lanes, watched
from gameday_reports.reading import PARAGRAPH, bounded, number, text, texts


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
        runbook_link=runbook if LINK.fullmatch(runbook) else "",
        source=text(run.plan, "source"),
        summary=summary,
        findings=finding_views(facts),
        no_findings=no_findings(facts.word),
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


def _when(facts: Facts) -> str:
    started, ended = number(facts.verdict, "started_wall"), number(facts.verdict, "ended_ms")
    if started is None or words.moment(started) is None:
        return "start time not known"
    length = "" if ended is None else f" · {words.duration(ended)}"
    until = "" if ended is None else f" to {words.utc(started + ended / 1000, '%H:%M:%S')}"
    return f"{words.utc(started)}{until} UTC{length}"
