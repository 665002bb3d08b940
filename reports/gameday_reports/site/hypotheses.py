"""Records → hypotheses: the runs of one experiment (and one combination of its matrix) together, and what the latest one proves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

from gameday.model import Json
from gameday_reports.reading import number, part, parts, text

DAY = 86_400
State = Literal["dirty", "failing", "aborted", "inconclusive", "stale", "proven"]
STATES: tuple[State, ...] = ("dirty", "failing", "aborted", "inconclusive", "stale", "proven")
"""The most serious first: the order of the matrix."""
_OF_VERDICTS: dict[str, State] = {"dirty": "dirty", "fail": "failing", "aborted": "aborted", "pass": "proven"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hypothesis:
    """One experiment, and all runs of it that the site has."""

    title: str
    variant: tuple[tuple[str, str], ...]
    runs: tuple[Json, ...]
    """Records, oldest first."""
    state: State

    @property
    def latest(self) -> Json:
        """Its newest run."""
        return self.runs[-1]

    @property
    def name(self) -> str:
        """Its title, with the combination of the matrix."""
        return self.title + (
            f" ({', '.join(f'{name}={value}' for name, value in self.variant)})" if self.variant else ""
        )

    @property
    def anchor(self) -> str:
        """A name for links."""
        return "h-" + sha256(self.name.encode("utf-8", "backslashreplace")).hexdigest()[:12]

    @property
    def tightest(self) -> Json:
        """The objective of the latest run that came nearest to its limit, or furthest beyond; empty where none has one."""
        known = [raw for raw in parts(self.latest, "objectives") if number(raw, "margin") is not None]
        return min(known, key=lambda raw: number(raw, "margin") or 0.0) if known else {}

    @property
    def budget_used(self) -> float | None:
        """The share of its error budget that the worst objective of the latest run used."""
        used = [used for raw in parts(self.latest, "objectives") if (used := number(raw, "budget_used")) is not None]
        return max(used, default=None)


def hypotheses(records: Sequence[Json], *, now: float, stale_days: int) -> tuple[Hypothesis, ...]:
    """Group records by title and variant; the most serious first, then by name. What only checked the steady state tests nothing."""
    groups: dict[tuple[str, tuple[tuple[str, str], ...]], list[Json]] = {}
    tests = [record for record in records if record.get("check") is not True]
    for record in sorted(tests, key=lambda raw: (number(raw, "started_wall") or 0.0, text(raw, "run"))):
        variant = part(record, "variant")
        key = text(record, "title"), tuple(sorted((name, text(variant, name)) for name in variant))
        groups.setdefault(key, []).append(record)
    found = [
        Hypothesis(title=title, variant=variant, runs=tuple(runs), state=_state(runs[-1], now, stale_days))
        for (title, variant), runs in groups.items()
    ]
    return tuple(sorted(found, key=lambda one: (STATES.index(one.state), one.name)))


def _state(latest: Json, now: float, stale_days: int) -> State:
    """Say what the latest run proves now: a pass that is too old, or of unknown age, proves nothing any more."""
    state = _OF_VERDICTS.get(text(latest, "verdict"), "inconclusive")
    if state != "proven":
        return state
    started = number(latest, "started_wall")
    return "stale" if started is None or now - started > stale_days * DAY else "proven"


def standing(found: Sequence[Hypothesis]) -> str:
    """Say it in one line: ``14 of 22 proven; 5 failing, 2 inconclusive, 1 stale``."""
    counts = Counter(one.state for one in found)
    rest = [f"{counts[state]} {state}" for state in STATES if state != "proven" and counts[state]]
    return f"{counts['proven']} of {len(found)} proven" + (f"; {', '.join(rest)}" if rest else "")
