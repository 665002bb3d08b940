"""This run beside the one before it: what is not the same first, then each figure that both have; shown, never judged."""

from __future__ import annotations

from dataclasses import dataclass

from gameday_reports.comparison import METHOD, Comparison, Row, compare, side_of, side_of_previous
from gameday_reports.facts import Facts
from gameday_reports.parts.since import Since, since

MOST_ROWS = 60
"""Most figures that differ; ``gameday compare`` prints all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonView:
    """Both runs."""

    since: Since
    same_file: bool
    whole: Comparison
    rows: tuple[Row, ...]
    """Figures that differ; where the runs are not comparable only results, for their numbers mean something else."""
    same: int
    """Figures that are the same in both."""
    left_out: int
    method: str = METHOD


def comparison_view(facts: Facts) -> ComparisonView | None:
    """Set the run beside the one before it; None without one."""
    found, previous = since(facts), facts.run.previous
    if found is None or previous is None:
        return None
    whole = compare(side_of_previous(previous), side_of(facts.run), why=() if found.comparable else found.why or ("?",))
    rows = [row for row in whole.rows if found.comparable or row.measure == "verdict"]
    differ = [row for row in rows if row.differs]
    return ComparisonView(
        since=found,
        same_file=bool(whole.now.digest) and whole.now.digest == whole.before.digest,
        whole=whole,
        rows=tuple(differ[:MOST_ROWS]),
        same=len(rows) - len(differ),
        left_out=max(0, len(differ) - MOST_ROWS),
    )
