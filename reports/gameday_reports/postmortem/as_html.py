"""A postmortem as one HTML page: no JavaScript, no network, in the look of the reports."""

from __future__ import annotations

from dataclasses import dataclass

from gameday.model import GameDay
from gameday_reports.postmortem.story import story
from gameday_reports.templating import environment, stylesheet


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlPostmortem:
    """One file."""

    name: str = "html"
    filename: str = "report.html"

    def render(self, day: GameDay) -> bytes:
        """Render as UTF-8."""
        page = environment().get_template("postmortem.html.j2")
        return page.render(css=stylesheet("report.css", "site/site.css"), story=story(day)).encode()
