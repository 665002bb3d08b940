"""A comparison for a terminal or a log: plain lines, differences first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gameday.model import Run
from gameday_reports import words
from gameday_reports.comparison.compare import Comparison, Row, compare
from gameday_reports.comparison.interval import METHOD
from gameday_reports.comparison.sides import Side, side_of
from gameday_reports.reading import number, text


@dataclass(frozen=True, slots=True, kw_only=True)
class TextComparison:
    """Plain text, UTF-8."""

    name: str = "text"

    def render(self, before: Run, now: Run) -> bytes:
        """Render; raise ValueError for a run that was never judged."""
        lines = [_one_line(line) for line in _lines(compare(side_of(before), side_of(now)))]
        return ("\n".join(lines) + "\n").encode()


def said_of(row: Row) -> str:
    """Say how sure the difference of two shares is: ``+1.8 points (+1.5 to +2 points, beyond chance)``; empty where none is."""
    if not row.interval:
        return row.change
    sure = "" if row.beyond is None else ", beyond chance" if row.beyond else ", within chance"
    return f"{row.change} ({row.interval}{sure})"


def heading(side: Side) -> str:
    """Say which run it was: its name, verdict and time."""
    verdict = side.verdict
    when = words.utc(number(verdict, "started_wall"), "%Y-%m-%d %H:%M UTC")
    return f"{side.run}: {text(verdict, 'verdict')}, {when}"


def _lines(found: Comparison) -> Iterator[str]:
    yield f"before: {heading(found.before)}"
    yield f"now:    {heading(found.now)}"
    if not found.comparable:
        yield "NOT COMPARABLE: the experiments differ in what decides what is measured"
        yield from (f"  {line}" for line in found.why)
    yield from _part("not the same in both", [f"{one.name}: {one.before} -> {one.now}" for one in found.changes])
    differing = [row for row in found.rows if row.differs]
    yield from _part("what differs", [_row(row) for row in differing])
    same = len(found.rows) - len(differing)
    if same:
        yield f"the same: {words.plural(same, 'figure')}"
    statuses = (*found.findings.present, *found.findings.gone)
    yield from _part("findings", [f"{one.word:<17}{text(one.finding, 'title')}" for one in statuses])
    yield from _part("better", [one.title for one in found.findings.good])
    if any(row.interval for row in differing):
        yield METHOD


def _part(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield f"{title}:"
        yield from (f"  {line}" for line in lines)


def _row(row: Row) -> str:
    said = said_of(row)
    return f"{row.subject}, {row.measure}: {row.before} -> {row.now}" + (f"  {said}" if said else "")


def _one_line(line: str) -> str:
    """Keep a text of a run from making lines of its own."""
    return line.replace("\n", " ").replace("\r", " ").replace("\t", " ")
