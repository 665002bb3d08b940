"""What a Chaos Toolkit experiment did, and what became of its hypothesis: one row an activity, in the order in which they ended."""

from __future__ import annotations

from dataclasses import dataclass

from gameday.model import Json
from gameday_reports import words
from gameday_reports.facts import Facts
from gameday_reports.reading import number, part, parts, text

MOST = 200
"""Most activities that are shown; the journal has them all."""
_TONES = {"pass": "pass", "fail": "fail", "inconclusive": "warn"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityView:
    """One action or probe."""

    clock: str
    section: str
    name: str
    what: str
    status: str
    tone: str
    took: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosView:
    """One experiment."""

    fault: str
    ended: str
    hypothesis: str
    tone: str
    activities: tuple[ActivityView, ...]
    left_out: int


def chaos_views(facts: Facts) -> tuple[ChaosView, ...]:
    """Describe every Chaos Toolkit experiment of the run."""
    return tuple(_view(raw) for raw in parts(facts.verdict, "chaostoolkit"))


def _view(raw: Json) -> ChaosView:
    hypothesis, rows = part(raw, "hypothesis"), parts(raw, "activities")
    status = text(raw, "status")
    deviated = ", deviated" if raw.get("deviated") is True else ""
    return ChaosView(
        fault=text(raw, "fault"),
        ended=f"Chaos Toolkit's own word: {status}{deviated}" if status else "Chaos Toolkit never came to its own end",
        hypothesis=_hypothesis(hypothesis),
        tone=_TONES.get(text(hypothesis, "verdict"), "none"),
        activities=tuple(_activity(row) for row in rows[:MOST]),
        left_out=max(0, len(rows) - MOST),
    )


def _hypothesis(raw: Json) -> str:
    detail, during = text(raw, "detail"), int(number(raw, "iterations") or 0)
    looks = [f"{when} the method: {_met(raw.get(when))}" for when in ("before", "after")]
    if during:
        looks.insert(1, f"during it: {words.plural(int(number(raw, 'violations') or 0), 'violation')} in {during:,}")
    return "; ".join([*looks, *([detail] if detail else [])])


def _met(value: object) -> str:
    return "nobody looked" if value is None else "met" if value is True else "not met"


def _activity(raw: Json) -> ActivityView:
    status = text(raw, "status")
    return ActivityView(
        clock=words.clock(number(raw, "ended_ms") or 0, precise=True),
        section=text(raw, "section"),
        name=text(raw, "name"),
        what=text(raw, "type"),
        status=status,
        tone="pass" if status == "succeeded" else "fail",
        took=words.duration(1000 * (number(raw, "seconds") or 0.0)),
        error=text(raw, "error"),
    )
