"""What went well, what did not, and where we were lucky: by rules over what was recorded, each with the number that it rests on.

Lucky is what held although nothing of ours made it hold: a limit that was nearly reached, a breakage that a person saw and no
alert did, an undo that needed another than the runner, something that worked only when it was tried again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gameday.model import GameDay, Json
from gameday_reports import words
from gameday_reports.postmortem.agenda import experiments, items, person, prerequisites, revealed, title_of
from gameday_reports.postmortem.times import times
from gameday_reports.reading import PARAGRAPH, number, part, parts, text

NEAR = 0.8
"""Part of an allowance from which what is left counts as luck."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """One sentence each."""

    well: tuple[str, ...]
    badly: tuple[str, ...]
    lucky: tuple[str, ...]
    said: tuple[str, ...]
    """What people noted, with who said it and when."""


def lessons(day: GameDay) -> Lessons:
    """Return what the records show; people add the rest."""
    runs = [(title_of(item, verdict), verdict) for item, verdict, _ in experiments(day)]
    return Lessons(
        well=(*_kept(day), *(line for title, verdict in runs for line in _well(title, verdict))),
        badly=(*_missed(day), *(line for title, verdict in runs for line in _badly(title, verdict))),
        lucky=(
            *_retried(day),
            *_unalarmed(day, runs),
            *(line for title, verdict in runs for line in _lucky(title, verdict)),
        ),
        said=tuple(_said(day)),
    )


def _said(day: GameDay) -> Iterator[str]:
    for event in day.of_kind("note"):
        at = number(event.data, "at")
        when = words.utc(event.wall if at is None else at, "%H:%M")
        yield f"“{text(event.data, 'text', PARAGRAPH)}” ({person(event.data) or 'somebody'}, {when} UTC)"


def _kept(day: GameDay) -> Iterator[str]:
    done = [item for item in items(day) if item.kind == "Step" and item.tone == "pass"]
    if done:
        shown = sum(bool(item.evidence) for item in done)
        yield f"{words.plural(len(done), 'step')} of people done in time, {shown} with evidence."
    for one in times(day):
        if one.by_alert:
            yield f"{one.title}: an alert told of it ({one.detect[-1]})."


def _well(title: str, verdict: Json) -> Iterator[str]:
    proven = [raw for raw in parts(verdict, "objectives") if text(raw, "verdict", 20) == "pass"]
    if proven:
        total = len(parts(verdict, "objectives"))
        yield f"{title}: {len(proven)} of {words.plural(total, 'objective')} proven to hold."
    back = [found for raw in proven if (found := number(part(raw, "recovery"), "seconds")) is not None]
    if back and max(back) > 0:
        yield f"{title}: steady state was back {words.duration(max(back) * 1000)} after the fault was undone."
    if text(verdict, "verdict", 20) == "aborted" and not parts(verdict, "residue"):
        yield f"{title}: the abort stopped it, and every fault is proven undone."


def _missed(day: GameDay) -> Iterator[str]:
    for item in (*prerequisites(day), *items(day)):
        if item.tone != "pass" and not item.kind.startswith("Experiment"):
            yield f"{item.kind} “{item.title}”: {item.outcome.lower()}{f' ({item.why})' if item.why else ''}."
    for event in day.of_kind("resumed"):
        if text(event.data, "after", 20) == "crash":
            yield f"The day was interrupted at {words.utc(event.wall, '%H:%M:%S')} UTC and resumed."
    if day.torn:
        yield "The end of the journal is torn: what was said last may be missing here."


def _badly(title: str, verdict: Json) -> Iterator[str]:
    if not verdict:
        yield f"{title}: its run folder could not be read, so nothing is known of it."
    for raw in parts(verdict, "findings"):
        yield f"{title}: {text(raw, 'saw', 600) or text(raw, 'title')}"
    if text(verdict, "verdict", 20) == "inconclusive":
        yield f"{title}: nothing was proven. {text(verdict, 'summary', 600)}"


def _retried(day: GameDay) -> Iterator[str]:
    for index, raw in enumerate(parts(day.verdict or {}, "items"), 1):
        if (
            len(parts(raw, "runs")) > 1
            and text(raw, "outcome", 20) == "pass"
            and (revealed(day) or raw.get("blind") is not True)
        ):
            yield f"Item {index} passed only when it was run again ({words.plural(len(parts(raw, 'runs')), 'run')})."


def _unalarmed(day: GameDay, runs: list[tuple[str, Json]]) -> Iterator[str]:
    broken = {title for title, verdict in runs if text(verdict, "verdict", 20) in ("fail", "aborted")}
    for one in times(day):
        if one.title in broken and one.by_person and not one.by_alert:
            yield f"{one.title}: a person saw it ({one.detect[0]}); no alert that was watched fired."


def _lucky(title: str, verdict: Json) -> Iterator[str]:
    for raw in parts(verdict, "objectives"):
        if text(raw, "verdict", 20) != "pass":
            continue
        for criterion in parts(raw, "criteria"):
            fault = part(part(criterion, "phases"), "fault")
            n, k, budget = number(fault, "n"), number(fault, "k"), number(fault, "budget")
            if n and k is not None and budget and k / n / budget >= NEAR:
                used = words.percent(k / n / budget)
                yield f"{title}: {text(raw, 'name', 80)} held with {used} of its allowance used up ({text(fault, 'criterion', 120)})."
    for fault in parts(verdict, "faults"):
        if text(fault, "by", 40) not in ("", "runner") and text(fault, "undo", 20) == "proven":
            yield f"{title}: {text(fault, 'name', 80)} was undone by the {text(fault, 'by', 40)}, not by the runner."
