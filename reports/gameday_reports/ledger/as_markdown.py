"""The findings of a ledger for a wiki, a merge request or a weekly review: a table, then each open one with its evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gameday.model import Json
from gameday_reports.ledger.evidence import evidence
from gameday_reports.markdown_text import code, escape, joined, table
from gameday_reports.reading import parts, text

_HEAD = ("finding", "state", "severity", "what", "owner", "due", "ticket")


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkdownFindings:
    """CommonMark with tables."""

    name: str = "md"

    def render(self, document: Json) -> bytes:
        """Render as UTF-8."""
        found = parts(document, "findings")
        open_ = [raw for raw in found if text(raw, "state") != "closed"]
        late = sum(raw.get("overdue") is True for raw in found)
        said = f"{len(open_)} open, {len(found) - len(open_)} closed" + (f"; {late} overdue" if late else "")
        lines = ["# Findings", "", f"{said}. As of {escape(text(document, 'at'))}.", "", *_table(found)]
        for raw in open_:
            lines += _section(raw)
        return ("\n".join(lines).rstrip("\n") + "\n").encode("utf-8", "backslashreplace")


def _table(found: Sequence[Json]) -> list[str]:
    return table(_HEAD, (_row(raw) for raw in found)) if found else []


def _row(raw: Json) -> tuple[str, ...]:
    due = escape(text(raw, "due")) + (" **overdue**" if raw.get("overdue") is True else "")
    return (
        code(text(raw, "fingerprint")),
        escape(text(raw, "state")),
        escape(text(raw, "severity")),
        escape(joined(text(raw, "experiment"), text(raw, "title"), by=": ")),
        escape(text(raw, "owner")),
        due,
        escape(text(raw, "ticket")),
    )


def _section(raw: Json) -> Iterator[str]:
    yield f"## {escape(text(raw, 'title'))}"
    yield ""
    yield from evidence(raw)
