"""One HTML file: no JavaScript, no network, readable by a manager, by on-call and by the one who debugs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined

from gameday.model import Run
from gameday_reports.charts.lanes import draw_lanes
from gameday_reports.charts.panel import draw_panel
from gameday_reports.charts.spark import draw_spark
from gameday_reports.charts.svg import Svg
from gameday_reports.reading import visible
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
    template = _environment().get_template("report.html.j2")
    return template.render(
        view=view,
        css=Svg(_css()),
        panels=[draw_panel(panel, view.axis) for panel in view.panels],
        lanes=draw_lanes(view.axis, view.lanes, view.marks),
        load_panels=[draw_panel(panel, view.axis) for panel in view.load_panels],
        sparks={row.anchor: draw_spark(row.trend, view.axis, row.allowed) for row in view.objectives},
    )


@cache
def _css() -> str:
    """Return the style sheet, one line a rule, without comments; it is ours, and holds nothing of a run."""
    source = files("gameday_reports").joinpath("templates/report.css").read_text(encoding="utf-8")
    return "\n".join(
        line.strip() for line in source.splitlines() if line.strip() and not line.lstrip().startswith("/*")
    )


@cache
def _environment() -> Environment:
    return Environment(
        autoescape=True,  # select_autoescape() would not escape *.html.j2
        undefined=StrictUndefined,
        finalize=_finalize,
        loader=PackageLoader("gameday_reports"),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _finalize(value: object) -> object:
    """Take the power from every text that is not markup of ours, before it is escaped."""
    return visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value
