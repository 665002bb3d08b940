"""The trend of each hypothesis over its runs: what they came to, since when it fails, and how long ago it last passed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gameday.gamedays.ledger.facts import RunFacts

DAY = 86_400.0
_FAILING = ("fail", "dirty")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trend:
    """One hypothesis and its runs."""

    runs: tuple[RunFacts, ...]
    """Oldest first; never empty."""

    @property
    def latest(self) -> RunFacts:
        """Its newest run."""
        return self.runs[-1]

    @property
    def last_pass(self) -> RunFacts | None:
        """The newest run that passed."""
        return next((run for run in reversed(self.runs) if run.verdict == "pass"), None)

    @property
    def first_failing(self) -> RunFacts | None:
        """The first run that failed since the last that passed; None while nothing failed since."""
        passed = self.last_pass
        since = self.runs[self.runs.index(passed) + 1 :] if passed else self.runs
        return next((run for run in since if run.verdict in _FAILING), None)

    def days_since_pass(self, now: float) -> float | None:
        """Return how old the last pass is, in days; None without one."""
        passed = self.last_pass
        return None if passed is None else max(0.0, (now - passed.started) / DAY)

    @property
    def objectives(self) -> tuple[str, ...]:
        """Every objective that any of its runs had, in the order of the latest that had it."""
        return tuple(dict.fromkeys(one.name for run in reversed(self.runs) for one in run.objectives))


def trends(runs: Iterable[RunFacts]) -> tuple[Trend, ...]:
    """Return the trend of every hypothesis, by name."""
    groups: dict[str, list[RunFacts]] = {}
    for run in sorted(runs, key=lambda run: run.order):
        groups.setdefault(run.hypothesis, []).append(run)
    return tuple(sorted((Trend(runs=tuple(group)) for group in groups.values()), key=lambda one: one.latest.name))


def matching(found: Sequence[Trend], named: str) -> tuple[Trend, ...]:
    """Return those that are called so: by the whole title, else by the file's path, else by words in the title."""
    wanted = named.casefold().strip()
    exact = [one for one in found if wanted in (one.latest.title.casefold(), one.latest.name.casefold())]
    sources = [one for one in found if one.latest.source and _same_file(one.latest.source, named)]
    return tuple(exact or sources or [one for one in found if wanted in one.latest.name.casefold()])


def _same_file(source: str, named: str) -> bool:
    """Whether two paths end alike: runs are started from here and there."""
    parts, wanted = ([part for part in path.split("/") if part not in ("", ".")] for path in (source, named))
    n = min(len(parts), len(wanted))
    return n > 0 and parts[-n:] == wanted[-n:]
