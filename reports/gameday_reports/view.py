"""Run → ReportView: everything a report says, as display-ready text and plain series; pure, and every number computed."""

from __future__ import annotations

from dataclasses import dataclass

from gameday.model import Run, Verdict
from gameday_reports import words
from gameday_reports.charts.geometry import TimeAxis
from gameday_reports.charts.lanes import Lane
from gameday_reports.charts.marks import Mark
from gameday_reports.charts.panel import Panel
from gameday_reports.facts import Facts, facts_of
from gameday_reports.parts.actions import ActionsView, actions_view
from gameday_reports.parts.chaostoolkit import ChaosView, chaos_views
from gameday_reports.parts.comparison import ComparisonView, comparison_view
from gameday_reports.parts.data import DataView, data_view
from gameday_reports.parts.faults import FaultView, fault_views
from gameday_reports.parts.figures import Figure, figure
from gameday_reports.parts.findings import LINK, FindingView, finding_views, no_findings
from gameday_reports.parts.guards import GuardView, guard_views
from gameday_reports.parts.load import LoadView, load_view
from gameday_reports.parts.load_panels import generator_panels
from gameday_reports.parts.marks import marks
from gameday_reports.parts.objectives import ObjectiveView, objective_views
from gameday_reports.parts.origin import OriginView, origin_view
from gameday_reports.parts.panels import panels
from gameday_reports.parts.since import Since, since
from gameday_reports.parts.summary import SummaryView, summary_view
from gameday_reports.parts.timeline import Happening, happenings
from gameday_reports.parts.watched import lanes, watched
from gameday_reports.parts.zooms import Zoom, zooms
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
    since: Since | None
    findings: tuple[FindingView, ...]
    no_findings: str
    """What to say when there are none: an inconclusive run found nothing because it proved nothing."""
    actions: ActionsView
    objectives: tuple[ObjectiveView, ...]
    axis: TimeAxis
    figures: tuple[Figure, ...]
    lanes: tuple[Lane, ...]
    marks: tuple[Mark, ...]
    timeline: tuple[Happening, ...]
    faults: tuple[FaultView, ...]
    more_faults: tuple[FaultView, ...]
    """Those of hundreds that have a line of their own, but no details."""
    zooms: tuple[Zoom, ...]
    chaos: tuple[ChaosView, ...]
    """Chaos Toolkit experiments; mostly none."""
    guards: tuple[GuardView, ...]
    load: LoadView
    load_figures: tuple[Figure, ...]
    comparison: ComparisonView | None
    origin: OriginView
    data: DataView

    @property
    def panels(self) -> tuple[Panel, ...]:
        """The charts of the whole run, in their order on the page."""
        return tuple(figure.panel for figure in self.figures)


def report_view(run: Run) -> ReportView:
    """Describe a judged run; raise ValueError for one that was never judged."""
    facts = facts_of(run)
    experiment, summary = facts.experiment, summary_view(facts)
    title = text(facts.verdict, "title") or text(experiment, "title") or bounded(run.name)
    runbook, criteria = text(experiment, "runbook"), watched(facts)
    drawn, happened = panels(facts, criteria), marks(facts)
    faults, more = fault_views(facts)
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
        since=since(facts),
        findings=finding_views(facts),
        no_findings=no_findings(facts.word),
        actions=actions_view(facts),
        objectives=objective_views(facts),
        axis=facts.axis,
        figures=tuple(figure(facts, panel) for panel in drawn),
        lanes=lanes(criteria),
        marks=happened,
        timeline=happenings(facts),
        faults=faults,
        more_faults=more,
        zooms=zooms(facts, drawn, happened),
        chaos=chaos_views(facts),
        guards=guard_views(facts),
        load=load_view(facts),
        load_figures=tuple(figure(facts, panel) for panel in generator_panels(facts)),
        comparison=comparison_view(facts),
        origin=origin_view(facts),
        data=data_view(facts),
    )


def _when(facts: Facts) -> str:
    started, ended = number(facts.verdict, "started_wall"), number(facts.verdict, "ended_ms")
    if started is None or words.moment(started) is None:
        return "start time not known"
    length = "" if ended is None else f" · {words.duration(ended)}"
    until = "" if ended is None else f" to {words.utc(started + ended / 1000, '%H:%M:%S')}"
    return f"{words.utc(started)}{until} UTC{length}"
