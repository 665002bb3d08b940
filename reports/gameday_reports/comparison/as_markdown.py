"""A comparison as Markdown: for a merge request, a wiki or a chat."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gameday.model import Run
from gameday_reports import words
from gameday_reports.comparison.as_text import heading, said_of
from gameday_reports.comparison.compare import Comparison, Row, compare
from gameday_reports.comparison.interval import METHOD
from gameday_reports.comparison.sides import side_of
from gameday_reports.markdown_text import escape, folded, strong, table
from gameday_reports.reading import text


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkdownComparison:
    """Markdown, UTF-8."""

    name: str = "markdown"

    def render(self, before: Run, now: Run) -> bytes:
        """Render; raise ValueError for a run that was never judged."""
        return ("\n".join(_document(compare(side_of(before), side_of(now)))).rstrip("\n") + "\n").encode()


def _document(found: Comparison) -> list[str]:
    differing = [row for row in found.rows if row.differs]
    same = [row for row in found.rows if not row.differs]
    lines = [
        f"# {escape(text(found.now.verdict, 'title')) or 'Comparison'}",
        "",
        f"- before: {escape(heading(found.before))}",
        f"- now: {escape(heading(found.now))}",
        "",
    ]
    if not found.comparable:
        lines += ["**Not comparable:** the experiments differ in what decides what is measured.", ""]
        lines += [*(f"- {escape(line)}" for line in found.why), ""]
    if found.changes:
        lines += ["## Not the same in both", ""]
        rows = [(escape(one.name), escape(one.before), escape(one.now)) for one in found.changes]
        lines += table(("what", "before", "now"), rows)
    lines += ["## What differs", "", *(_rows(differing) if differing else ["Nothing that was measured.", ""])]
    if same:
        lines += folded(f"{words.plural(len(same), 'figure')} the same", _rows(same))
    statuses = [(one.word, text(one.finding, "title")) for one in (*found.findings.present, *found.findings.gone)]
    if statuses or found.findings.good:
        lines += ["## Findings", ""]
        lines += [f"- {strong(word)}: {escape(title)}" for word, title in statuses]
        lines += [*(f"- {strong('Better')}: {escape(one.title)}" for one in found.findings.good), ""]
    return [*lines, escape(METHOD), ""]


def _rows(rows: Iterable[Row]) -> list[str]:
    cells = [tuple(map(escape, (row.subject, row.measure, row.before, row.now, said_of(row)))) for row in rows]
    return table(("of", "figure", "before", "now", "difference"), cells)
