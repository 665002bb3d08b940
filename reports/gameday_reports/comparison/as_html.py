"""A comparison as one HTML page: no JavaScript, no network, in the look of the reports."""

from __future__ import annotations

from dataclasses import dataclass

from gameday.model import Run, Verdict
from gameday_reports import words
from gameday_reports.comparison.as_text import said_of
from gameday_reports.comparison.compare import compare
from gameday_reports.comparison.interval import METHOD
from gameday_reports.comparison.sides import Side, side_of
from gameday_reports.reading import number, text
from gameday_reports.templating import environment, stylesheet

_TONES = {"pass": "pass", "fail": "fail", "dirty": "fail", "aborted": "warn", "inconclusive": "warn"}


@dataclass(frozen=True, slots=True, kw_only=True)
class SideView:
    """One of the two runs."""

    run: str
    word: str
    tone: str
    when: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlComparison:
    """One file."""

    name: str = "html"

    def render(self, before: Run, now: Run) -> bytes:
        """Render as UTF-8; raise ValueError for a run that was never judged."""
        found = compare(side_of(before), side_of(now))
        page = environment().get_template("site/comparison.html.j2")
        return page.render(
            css=stylesheet("report.css", "site/site.css"),
            title=text(found.now.verdict, "title"),
            sides=(("Before", _side(found.before)), ("Now", _side(found.now))),
            found=found,
            differing=[(row, said_of(row)) for row in found.rows if row.differs],
            same=[(row, said_of(row)) for row in found.rows if not row.differs],
            findings=[
                (one.word, text(one.finding, "title")) for one in (*found.findings.present, *found.findings.gone)
            ],
            method=METHOD,
        ).encode()


def _side(side: Side) -> SideView:
    word = text(side.verdict, "verdict", 20)
    known = {verdict.word: verdict for verdict in Verdict}
    return SideView(
        run=side.run,
        word=words.VERDICTS[known[word]] if word in known else word,
        tone=_TONES.get(word, "none"),
        when=words.utc(number(side.verdict, "started_wall"), "%Y-%m-%d %H:%M UTC"),
        summary=text(side.verdict, "summary"),
    )
