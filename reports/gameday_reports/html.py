"""One HTML file: no JavaScript, no network, readable by a manager, by on-call and by the one who debugs."""

from __future__ import annotations

from dataclasses import dataclass

from gameday.model import Run
from gameday_reports.charts.lanes import draw_lanes
from gameday_reports.charts.panel import draw_panel
from gameday_reports.charts.spark import draw_spark
from gameday_reports.templating import environment, stylesheet
from gameday_reports.view import ReportView, report_view


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlReport:
    """The report that people read."""

    name: str = "html"
    filename: str = "report.html"

    def render(self, run: Run) -> bytes:
        """Render as UTF-8; the same run gives the same bytes; raise ValueError for a run that was never judged."""
        return render_view(report_view(run)).encode()


def render_view(view: ReportView) -> str:
    """Fill the template with a view."""
    template = environment().get_template("report.html.j2")
    return template.render(
        view=view,
        css=stylesheet("report.css"),
        panels=[draw_panel(panel, view.axis) for panel in view.panels],
        lanes=draw_lanes(view.axis, view.lanes, view.marks),
        load_panels=[draw_panel(panel, view.axis) for panel in view.load_panels],
        sparks={row.anchor: draw_spark(row.trend, view.axis, row.allowed) for row in view.objectives},
    )
