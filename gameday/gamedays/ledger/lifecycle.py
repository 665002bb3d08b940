"""What became of each finding, by a pure function of the runs in the order in which they began.

A finding is open from the first run that has it. It is closed only by a later run of the same hypothesis that passed, proved the finding's
objective, and does not have it any more: an inconclusive run, and one that failed elsewhere, close nothing. A run after that which has it
again reopens it. One fingerprint in several combinations of a matrix is one finding, open while it is open in any of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Literal

from gameday.gamedays.ledger.facts import Occurrence, RunFacts, Statement
from gameday.gamedays.ledger.people import said_of
from gameday.judge.findings.rule import SEVERITIES

State = Literal["reopened", "open", "closed"]
STATES: tuple[State, ...] = ("reopened", "open", "closed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding over all runs."""

    fingerprint: str
    experiment: str
    state: State
    latest: Occurrence
    """As the last run that had it tells it."""
    worst: str
    """The highest severity that it ever had."""
    first: RunFacts
    last: RunFacts
    """The last run that had it."""
    times: int
    """How many runs had it."""
    reopened: int
    """How often it came back after it was closed."""
    closed_by: RunFacts | None
    """The run that closed it; None while it is open anywhere."""
    unproven: int
    """Runs since the last that had it which did not have it, and did not prove it gone; 0 when it is closed."""
    open_in: tuple[str, ...]
    """The hypotheses in which it is open."""
    said: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def is_open(self) -> bool:
        """Whether something is left to be done."""
        return self.state != "closed"

    @property
    def due(self) -> date | None:
        """The day by which something should be done about it."""
        try:
            return date.fromisoformat(self.said.get("due", ""))
        except ValueError:
            return None

    @property
    def changed(self) -> bool:
        """Whether the run that closed it was of another file than the last that had it: its objective may be an easier one."""
        return self.closed_by is not None and self.closed_by.digest != self.last.digest

    def overdue(self, now: float) -> bool:
        """Whether it is open and its day is over, in UTC."""
        return self.is_open and self.due is not None and self.due < datetime.fromtimestamp(now, UTC).date()


@dataclass(slots=True)
class _Track:
    """One fingerprint in one hypothesis, on the way through its runs."""

    first: RunFacts
    last: RunFacts
    latest: Occurrence
    severities: set[str]
    times: int = 1
    reopened: int = 0
    closed_by: RunFacts | None = None
    unproven: int = 0

    def again(self, run: RunFacts, found: Occurrence) -> None:
        self.reopened += self.closed_by is not None
        self.last, self.latest, self.closed_by = run, found, None
        self.times, self.unproven = self.times + 1, 0
        self.severities.add(found.severity)

    def absent(self, run: RunFacts) -> None:
        if self.closed_by is not None:
            return
        if proves_gone(self.latest, run):
            self.closed_by, self.unproven = run, 0
        else:
            self.unproven += 1


def findings_of(runs: Iterable[RunFacts], statements: Iterable[Statement] = ()) -> tuple[Finding, ...]:
    """Return every finding, open ones first, then the most severe, then the oldest."""
    tracks: dict[str, dict[str, _Track]] = {}
    by_hypothesis: dict[str, list[RunFacts]] = {}
    for run in sorted(runs, key=lambda run: run.order):
        by_hypothesis.setdefault(run.hypothesis, []).append(run)
    for hypothesis, series in by_hypothesis.items():
        for fingerprint, track in _followed(series).items():
            tracks.setdefault(fingerprint, {})[hypothesis] = track
    said = said_of(statements)
    found = [_merged(name, list(of.values()), said.get(name, {})) for name, of in tracks.items()]
    return tuple(
        sorted(found, key=lambda one: (not one.is_open, _rank(one.latest.severity), one.first.order, one.fingerprint))
    )


def proves_gone(finding: Occurrence, run: RunFacts) -> bool:
    """Whether a run that does not have a finding closes it: it passed, and proved the objective that the finding is about."""
    proven = {one.name for one in run.objectives if one.verdict == "pass"}
    return run.verdict == "pass" and (not finding.objective or finding.objective in proven)


def _followed(series: Sequence[RunFacts]) -> dict[str, _Track]:
    known: dict[str, _Track] = {}
    for run in series:
        present = {one.fingerprint: one for one in sorted(run.findings, key=lambda one: -_rank(one.severity))}
        for fingerprint, found in present.items():
            if fingerprint in known:
                known[fingerprint].again(run, found)
            elif found.severity != "info":
                known[fingerprint] = _Track(first=run, last=run, latest=found, severities={found.severity})
        for fingerprint in known.keys() - present.keys():
            known[fingerprint].absent(run)
    return known


def _merged(fingerprint: str, tracks: Sequence[_Track], said: Mapping[str, str]) -> Finding:
    open_ = [one for one in tracks if one.closed_by is None]
    shown = max(open_ or tracks, key=lambda one: one.last.order)
    state: State = "closed" if not open_ else "reopened" if any(one.reopened for one in open_) else "open"
    closers = [one.closed_by for one in tracks if one.closed_by is not None]
    return Finding(
        fingerprint=fingerprint,
        experiment=shown.last.title,
        state=state,
        latest=shown.latest,
        worst=min((name for one in tracks for name in one.severities), key=_rank),
        first=min((one.first for one in tracks), key=lambda run: run.order),
        last=max((one.last for one in tracks), key=lambda run: run.order),
        times=sum(one.times for one in tracks),
        reopened=sum(one.reopened for one in tracks),
        closed_by=None if open_ else max(closers, key=lambda run: run.order),
        unproven=max((one.unproven for one in open_), default=0),
        open_in=tuple(sorted(one.last.name for one in open_)),
        said=said,
    )


def _rank(severity: str) -> int:
    known = [str(one) for one in SEVERITIES]
    return known.index(severity) if severity in known else len(known)
