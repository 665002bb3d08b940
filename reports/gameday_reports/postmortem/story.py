"""All that a postmortem says, before it is written as a page or as Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from gameday.model import GameDay, Json
from gameday_reports import words
from gameday_reports.postmortem.actions import Action, actions
from gameday_reports.postmortem.agenda import (
    HIDDEN,
    Item,
    experiments,
    items,
    outcome,
    prerequisites,
    revealed,
    title_of,
)
from gameday_reports.postmortem.impact import Impact, impacts
from gameday_reports.postmortem.lessons import Lessons, lessons
from gameday_reports.postmortem.timeline import MOST, Entry, timeline
from gameday_reports.postmortem.times import Times, times
from gameday_reports.reading import PARAGRAPH, bounded, number, part, parts, text, texts

HEADLINES = {
    "pass": "Passed", "fail": "Failed", "inconclusive": "Inconclusive", "aborted": "Aborted", "dirty": "DIRTY: a fault may still be on"
}  # fmt: skip
UNFINISHED = "Not finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class Residue:
    """A fault that may still be on, and what finishes the job."""

    fault: str
    run: str
    targets: str
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One game day."""

    name: str
    title: str
    goal: str
    headline: str
    tone: str
    summary: str
    reasons: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    residues: tuple[Residue, ...]
    prerequisites: tuple[Item, ...]
    agenda: tuple[Item, ...]
    impacts: tuple[Impact, ...]
    times: tuple[Times, ...]
    lessons: Lessons
    actions: tuple[Action, ...]
    timeline: tuple[Entry, ...]
    more: int
    """Entries of the timeline that are left out."""
    head: str


def story(day: GameDay) -> Story:
    """Read a day's folder as people tell it."""
    verdict, file = day.verdict or {}, part(day.day, "file")
    word = text(verdict, "verdict", 20)
    finished = day.closed and bool(verdict)
    entries = timeline(day)
    return Story(
        name=bounded(day.name),
        title=text(verdict, "title") or text(file, "title") or bounded(day.name),
        goal=text(file, "goal", PARAGRAPH),
        headline=HEADLINES.get(word, word) if finished or word == "dirty" else UNFINISHED,
        tone=outcome(word)[1] if finished or word == "dirty" else "warn",
        summary=text(verdict, "summary", PARAGRAPH) if revealed(day) else next(iter(_reasons(day)), ""),
        reasons=_reasons(day),
        facts=_facts(verdict, file),
        residues=_residues(day),
        prerequisites=prerequisites(day),
        agenda=items(day),
        impacts=impacts(day),
        times=times(day),
        lessons=lessons(day),
        actions=actions(day),
        timeline=entries[:MOST],
        more=max(0, len(entries) - MOST),
        head=day.head,
    )


def _reasons(day: GameDay) -> tuple[str, ...]:
    """Say each; of what is blind and may not be told yet, only that it is one."""
    verdict, told = day.verdict or {}, revealed(day)
    blind = {number(raw, "index") for raw in parts(verdict, "items") if raw.get("blind") is True}
    return tuple(
        f"{HIDDEN}: {text(raw, 'reason', 60)}"
        if not told and text(raw, "section", 20) == "agenda" and number(raw, "index") in blind
        else text(raw, "says", PARAGRAPH) or text(raw, "reason", 60)
        for raw in parts(verdict, "reasons")
    )


def _facts(verdict: Json, file: Json) -> tuple[tuple[str, str], ...]:
    began, ended = number(verdict, "started_wall"), number(verdict, "ended_wall")
    lasted = words.duration((ended - began) * 1000) if began is not None and ended is not None else ""
    rows = [
        ("Began", f"{words.utc(began)} UTC" if began is not None else ""),
        ("Lasted", lasted),
        ("Environment", text(file, "environment")),
        *((role.capitalize(), _people(people)) for role, people in part(file, "roles").items()),
    ]
    return tuple((bounded(name, 40), said) for name, said in rows if said)


def _people(value: object) -> str:
    return (
        ", ".join(bounded(one, 120) for one in cast("list[object]", value))
        if isinstance(value, list | tuple)
        else bounded(value, 120)
    )


def _residues(day: GameDay) -> tuple[Residue, ...]:
    """Return them of every run, a blind one's, too: safety is no secret."""
    told = {path: title_of(item, verdict) for item, verdict, path in experiments(day)}
    found: list[Residue] = []
    for path, run in day.runs.items():
        verdict: Mapping[str, object] = run.verdict or {}
        found += [
            Residue(
                fault=text(raw, "fault"),
                run=told.get(path, path),
                targets=", ".join(texts(raw, "targets")),
                command=text(raw, "command", PARAGRAPH),
            )
            for raw in parts(verdict, "residue")
        ]
    return tuple(found)
