"""Which findings are open now: followed through every run of a hypothesis, from the first that had one to the one that proves it gone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from gameday.model import Json
from gameday_reports import words
from gameday_reports.comparison.statuses import WORDS, Status, proves_gone, severity_rank
from gameday_reports.reading import number, part, parts, text
from gameday_reports.site.hypotheses import Hypothesis


@dataclass(frozen=True, slots=True, kw_only=True)
class Open:
    """One finding that no later run proves to be gone."""

    hypothesis: Hypothesis
    finding: Json
    status: Status
    first: Json
    """The record of the first run that had it, since it was last fixed."""
    last: Json
    """The record of the last run that had it."""
    times: int = 1
    """How many runs had it since."""

    @property
    def word(self) -> str:
        """Its status as people read it."""
        return WORDS[self.status]

    @property
    def remark(self) -> Json:
        """What people added to it, as the latest run of its hypothesis knows it, or else the last that had it."""
        fingerprint = text(self.finding, "fingerprint", 120)
        return part(part(self.hypothesis.latest, "remarks"), fingerprint) or part(
            part(self.last, "remarks"), fingerprint
        )

    @property
    def due(self) -> date | None:
        """The day by which something should be done about it."""
        try:
            return date.fromisoformat(text(self.remark, "due", 20))
        except ValueError:
            return None


def open_findings(found: Iterable[Hypothesis]) -> tuple[Open, ...]:
    """Return the open findings of every hypothesis, the most severe first, then the oldest; good news is not open."""
    everything = [one for hypothesis in found for one in _of_one(hypothesis)]
    serious = [one for one in everything if text(one.finding, "severity") != "info"]
    return tuple(
        sorted(serious, key=lambda one: (severity_rank(one.finding), number(one.first, "started_wall") or 0.0))
    )


def _of_one(hypothesis: Hypothesis) -> Iterable[Open]:
    known: dict[str, Open] = {}
    fixed: set[str] = set()
    for record in hypothesis.runs:
        present = {text(raw, "fingerprint", 120): raw for raw in parts(record, "findings")}
        for fingerprint in [name for name in known if name not in present]:
            if proves_gone(known[fingerprint].finding, record):
                fixed.add(fingerprint)
                del known[fingerprint]
            else:
                known[fingerprint] = replace(known[fingerprint], status="unproven")
        for fingerprint, raw in present.items():
            before = known.get(fingerprint)
            if before is None:
                status: Status = "regressed" if fingerprint in fixed else "new"
                known[fingerprint] = Open(hypothesis=hypothesis, finding=raw, status=status, first=record, last=record)
            else:
                status = _again(severity_rank(before.finding), severity_rank(raw))
                known[fingerprint] = replace(before, finding=raw, status=status, last=record, times=before.times + 1)
    return known.values()


def _again(before: int, now: int) -> Status:
    return "regressed" if now < before else "improved" if now > before else "unchanged"


def overdue(found: Iterable[Open], now: float) -> tuple[Open, ...]:
    """Return those whose day has passed, the longest overdue first."""
    today = (words.moment(now) or datetime.fromtimestamp(0, UTC)).date()
    late = [(due, one) for one in found if (due := one.due) is not None and due < today]
    return tuple(one for _, one in sorted(late, key=lambda pair: (pair[0], pair[1].hypothesis.name)))
