"""One HTML file: no JavaScript, no network, readable by a manager, by on-call and by the one who debugs."""

from __future__ import annotations

from dataclasses import dataclass

from gameday.model import Run
from gameday_reports.charts.lanes import draw_lanes
from gameday_reports.charts.marks import MARKS, shape
from gameday_reports.charts.panel import draw_panel
from gameday_reports.charts.spark import draw_spark
from gameday_reports.charts.svg import Svg
from gameday_reports.parts.data import MOST_BYTES
from gameday_reports.parts.zooms import Zoom
from gameday_reports.templating import environment, stylesheet
from gameday_reports.view import ReportView, report_view

STYLE = "report.css"
"""The style sheet beside a page that may hold none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlReport:
    """The report that people read."""

    name: str = "html"
    filename: str = "report.html"

    def render(self, run: Run) -> bytes:
        """Render as UTF-8; the same run gives the same bytes; raise ValueError for a run that was never judged."""
        return render_view(report_view(run)).encode()

    def render_linked(self, run: Run) -> dict[str, bytes]:
        """Render with the style sheet beside the page, for a server whose policy allows none inside (Jenkins); nothing is embedded."""
        page = render_view(report_view(run), linked=STYLE)
        return {self.filename: page.encode(), STYLE: stylesheet("report.css").encode()}


def render_view(view: ReportView, *, linked: str = "") -> str:
    """Fill the template with a view; its figures are embedded where the page stays small with them.

    With ``linked`` the page names that file as its style sheet, and neither that nor figures are inside.
    """
    template = environment().get_template("report.html.j2")
    kinds = {mark.kind for mark in view.marks}
    drawn = {
        "css": stylesheet("report.css"),
        "linked": linked,
        "charts": [(draw_panel(figure.panel, view.axis, view.marks), figure) for figure in view.figures],
        "mark_key": [(shape(kind, 11.0, 6.0), said) for kind, said in MARKS.items() if kind in kinds],
        "lanes": draw_lanes(view.axis, view.lanes, view.marks),
        "load_charts": [(draw_panel(figure.panel, view.axis, view.marks), figure) for figure in view.load_figures],
        "zooms": {zoom.fault: (_zoomed(zoom), zoom) for zoom in view.zooms},
        "sparks": {row.anchor: draw_spark(row.trend, view.axis, row.allowed) for row in view.objectives},
    }
    page = template.render(view=view, embed=False, **drawn)
    if not linked and view.data.csv and len(page.encode()) + len(view.data.csv) < MOST_BYTES:
        return template.render(view=view, embed=True, **drawn)
    return page


def _zoomed(zoom: Zoom) -> list[Svg]:
    return [draw_panel(panel, zoom.axis, zoom.marks) for panel in zoom.panels]
