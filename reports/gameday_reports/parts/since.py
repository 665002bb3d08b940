"""What has changed since the last run: objectives and findings, by name and fingerprint; shown, never judged."""

from __future__ import annotations

from dataclasses import dataclass

from gameday.model import Json
from gameday_reports import words
from gameday_reports.comparison import Statuses, statuses
from gameday_reports.facts import Facts
from gameday_reports.reading import number, parts, text

_RANKS = {"pass": 0, "inconclusive": 1, "aborted": 1, "fail": 2, "dirty": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gone:
    """A finding that only the last run had."""

    title: str
    word: str
    """``Fixed``, or ``Not proven fixed``."""
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """This run beside the one before it."""

    run: str
    day: str
    comparable: bool
    why: tuple[str, ...]
    worse: tuple[str, ...]
    """Objectives that are broken now, and were not the last time."""
    unproven: tuple[str, ...]
    """Objectives that were kept the last time, and of which nothing is proven now."""
    better: tuple[str, ...]
    fresh: int
    """Findings that the last run did not have."""
    fixed: int
    gone: tuple[Gone, ...]
    good: tuple[str, ...]
    """What is better beyond chance."""


def since(facts: Facts) -> Since | None:
    """Set a run beside the one before it; None without one."""
    previous = facts.previous
    if previous is None:
        return None
    moves = [
        (text(raw, "name", 60), _rank(raw) - _rank(before), _rank(raw))
        for raw in facts.objectives
        if (before := previous.objective(text(raw, "name")))
    ]
    found = finding_statuses(facts)
    return Since(
        run=previous.run,
        day=words.utc(number(previous.verdict, "started_wall"), "%Y-%m-%d"),
        comparable=previous.comparable,
        why=previous.why,
        worse=tuple(name for name, move, rank in moves if move > 0 and rank > 1),
        unproven=tuple(name for name, move, rank in moves if move > 0 and rank <= 1),
        better=tuple(name for name, move, _ in moves if move < 0),
        fresh=sum(one.status in ("new", "regressed") for one in found.present),
        fixed=sum(one.status == "fixed" for one in found.gone),
        gone=tuple(
            Gone(title=text(one.finding, "title"), word=one.word, tone="pass" if one.status == "fixed" else "warn")
            for one in found.gone
        ),
        good=tuple(news.title for news in found.good),
    )


def _rank(raw: Json) -> int:
    return _RANKS.get(text(raw, "verdict"), 1)


def finding_statuses(facts: Facts) -> Statuses:
    """Set the findings beside those of the earlier runs; nothing without one."""
    if facts.previous is None:
        return Statuses()
    earlier = parts(facts.run.previous or {}, "earlier")
    return statuses(facts.verdict, facts.previous.verdict, earlier=earlier, comparable=facts.previous.comparable)
