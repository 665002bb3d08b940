"""What runs and game days took from error budgets: their own counts of bad requests and bad seconds, added up over a stretch of days.

Requests are those of the load or of the counters that the run itself judged by. An SLO that several objectives of one run say is debited
once in it, by the objective that took most: they may have counted the same requests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gameday.gamedays.ledger.facts import Debit, RunFacts
from gameday.gamedays.ledger.trend import DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one run took from one account."""

    account: str
    """The name of an SLO, or the hypothesis and its objective."""
    run: RunFacts
    debit: Debit


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What all runs of the stretch took from one SLO, or from one objective."""

    name: str
    slo: bool
    target: float | None
    window_ms: int | None
    entries: tuple[Entry, ...]
    """Oldest first."""

    @property
    def bad(self) -> int:
        """Bad requests."""
        return sum(entry.debit.bad for entry in self.entries)

    @property
    def total(self) -> int:
        """Requests that counted."""
        return sum(entry.debit.total for entry in self.entries)

    @property
    def bad_seconds(self) -> int:
        """Seconds whose share of bad requests exceeded the budget."""
        return sum(entry.debit.bad_seconds or 0 for entry in self.entries)

    @property
    def outage_ms(self) -> int:
        """How long everything would have had to fail for as much."""
        return sum(entry.debit.outage_ms or 0 for entry in self.entries)

    @property
    def share(self) -> float | None:
        """The share of the SLO's whole budget that this is, by its newest target and window; None for what has none."""
        if self.target is None or self.window_ms is None or self.target >= 1:
            return None
        return self.outage_ms / ((1 - self.target) * self.window_ms)

    @property
    def days(self) -> dict[str, int]:
        """Game day → the milliseconds of full outage that its runs took together."""
        found: dict[str, int] = {}
        for entry in self.entries:
            if entry.run.day:
                found[entry.run.day] = found.get(entry.run.day, 0) + (entry.debit.outage_ms or 0)
        return found


def accounts(runs: Iterable[RunFacts], *, now: float, days: float) -> tuple[Account, ...]:
    """Return what the runs that began in the last ``days`` days took; SLOs first, then by how much."""
    groups: dict[tuple[bool, str], list[Entry]] = {}
    for run in sorted(runs, key=lambda run: run.order):
        if run.started >= now - days * DAY:
            for entry in _entries(run):
                groups.setdefault((bool(entry.debit.slo), entry.account), []).append(entry)
    found = [
        Account(
            name=name,
            slo=slo,
            target=entries[-1].debit.target,
            window_ms=entries[-1].debit.window_ms,
            entries=tuple(entries),
        )
        for (slo, name), entries in groups.items()
    ]
    return tuple(sorted(found, key=lambda one: (not one.slo, -one.outage_ms, one.name)))


def _entries(run: RunFacts) -> Iterator[Entry]:
    most: dict[str, Debit] = {}
    for debit in run.debits:
        account = debit.slo or f"{run.name}: {debit.objective}"
        known = most.get(account)
        if known is None or (debit.outage_ms or 0, debit.bad) > (known.outage_ms or 0, known.bad):
            most[account] = debit
    for account, debit in most.items():
        yield Entry(account=account, run=run, debit=debit)
