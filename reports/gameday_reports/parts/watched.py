"""When each criterion was over its limit, second by second."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gameday.model import Json
from gameday_reports.charts.geometry import Span
from gameday_reports.charts.lanes import MOST_ROWS, Lane
from gameday_reports.charts.limits import Over
from gameday_reports.criteria import Limit, surely_over
from gameday_reports.facts import Facts
from gameday_reports.gauges import is_gauge, over_line
from gameday_reports.parts.cells import limit_of
from gameday_reports.parts.objectives import gauge_limits
from gameday_reports.reading import parts, text, texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One criterion of one objective, which requests it speaks of, and when it was over its limit."""

    objective: str
    endpoints: tuple[str, ...]
    criterion: Json
    over: Over

    def limit(self, phase: str) -> Limit | None:
        """Return what is allowed in a phase."""
        return limit_of(self.criterion, phase)


def watched(facts: Facts) -> tuple[Watched, ...]:
    """Return all criteria of all objectives, in the order of the file."""
    return tuple(
        Watched(
            objective=text(raw, "name", 60),
            endpoints=texts(raw, "endpoints"),
            criterion=criterion,
            over=_over(facts, texts(raw, "endpoints"), criterion),
        )
        for raw in facts.objectives
        for criterion in parts(raw, "criteria")
    )


def _over(facts: Facts, endpoints: tuple[str, ...], criterion: Json) -> Over:
    """Find the seconds whose middle lies in a phase and whose share of bad requests was over what that phase allowed."""
    if is_gauge(criterion):
        limits = gauge_limits(facts, criterion)
        seen = {limit.sli for _, _, limit in limits}
        return Over(sure=tuple(span for sli in sorted(seen) for span in over_line(facts.gauge(sli), limits)))
    sure: list[Span] = []
    perhaps: list[Span] = []
    start = facts.ledger.start
    for begin, end, phase in facts.regions():
        limit = limit_of(criterion, phase)
        if limit is None or limit.kind not in ("errors", "slow"):
            continue
        at = facts.ledger.between(begin, end)
        bad, total = facts.ledger.bad(endpoints, limit.slower_us, at), facts.ledger.total(endpoints, at)
        for second, (k, n) in enumerate(zip(bad, total, strict=True), start + at.start):
            if k > limit.budget * n:
                (sure if surely_over(k, n, limit.budget) else perhaps).append((second * 1000, second * 1000 + 1000))
    return Over(sure=tuple(sure), perhaps=tuple(perhaps))


def together(overs: Iterable[Over]) -> Over:
    """Merge: what is sure for one is sure for all."""
    every = tuple(overs)
    sure = {span for over in every for span in over.sure}
    perhaps = {span for over in every for span in over.perhaps} - sure
    return Over(sure=tuple(sorted(sure)), perhaps=tuple(sorted(perhaps)))


def lanes(criteria: Sequence[Watched]) -> tuple[Lane, ...]:
    """Return when each objective was over its limit, second by second, merged over its criteria."""
    by_name: dict[str, list[Over]] = {}
    for item in criteria:
        by_name.setdefault(item.objective, []).append(item.over)
    return tuple(Lane(name=name, over=together(overs)) for name, overs in list(by_name.items())[:MOST_ROWS])
