"""The report in Markdown: for a merge request, a wiki, a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gameday.model import Run
from gameday_reports.markdown_parts import PARTS, alarm, identity, summary
from gameday_reports.markdown_text import escape
from gameday_reports.view import ReportView, report_view


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkdownReport:
    """The report as Markdown, in the reading order of the page."""

    name: str = "markdown"
    filename: str = "report.md"

    def render(self, run: Run) -> bytes:
        """Render as UTF-8; the same run gives the same bytes; raise ValueError for a run that was never judged."""
        return self.render_together([run])

    def render_together(self, runs: Sequence[Run]) -> bytes:
        """Render several runs below each other."""
        return "\n".join(line for run in runs for line in document(report_view(run))).encode()


def document(view: ReportView, level: int = 1) -> list[str]:
    """Return the whole report as lines, its title a heading of this level."""
    lines = heading(view, level)
    for title, part in PARTS:
        found = part(view)
        lines += [f"{'#' * (level + 1)} {title}", "", *found] if found else []
    return lines


def heading(view: ReportView, level: int) -> list[str]:
    """Return what comes first: verdict and title, what may still be on, the summary, which run it is."""
    found = view.summary
    title = f"{'#' * level} {found.symbol} {escape(found.headline)} · {escape(view.title)}"
    return [title, "", *alarm(view), *summary(view), *identity(view)]
