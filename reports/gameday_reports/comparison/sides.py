"""One side of a comparison: a run, read whole, or what previous.json keeps of one."""

from __future__ import annotations

from dataclasses import dataclass, field

from gameday.model import Json, Run
from gameday_reports.reading import part, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What a comparison needs of a run."""

    run: str
    verdict: Json
    plan: Json = field(default_factory=dict[str, object])
    """plan.json; of a previous run only its digest and environment are known."""

    @property
    def digest(self) -> str:
        """SHA-256 of its experiment file."""
        return text(self.plan, "digest") or text(self.verdict, "digest")


def side_of(run: Run) -> Side:
    """Return a judged run as a side; raise ValueError for one that was never judged."""
    if run.verdict is None:
        raise ValueError(f"{run.name} has no verdict.json: judge it first")
    return Side(run=run.name, verdict=run.verdict, plan=run.plan)


def side_of_previous(previous: Json) -> Side:
    """Return the run that previous.json keeps."""
    plan = {"digest": text(previous, "digest"), "environment": part(previous, "environment")}
    return Side(run=text(previous, "run"), verdict=part(previous, "verdict"), plan=plan)
