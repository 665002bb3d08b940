"""The journal as a person tells it: one sentence for each event, with its time in the run and of the day."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gameday.model import Event
from gameday_reports import words
from gameday_reports.charts.marks import Mark
from gameday_reports.facts import Facts
from gameday_reports.parts.marks import marks
from gameday_reports.parts.sentences import say
from gameday_reports.reading import number, text

MOST = 400
"""Most entries; of a longer journal the middle is left out, and counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One entry of the timeline."""

    clock: str
    day: str
    """``2026-09-21T14:13:20Z``, for ``<time datetime>``; empty when unknown."""
    utc: str
    lane: str
    """Phase, fault, guard, alert, note, load, system or run: the word before the sentence."""
    tone: str
    text: str


def happenings(facts: Facts) -> tuple[Happening, ...]:
    """Tell the journal; measurements that only repeat that a fault is on are told once, with their number."""
    told = [_entry(event, *say(event)) for event in facts.run.events if not _repeated(event)]
    for fault, seen in sorted(_held(facts).items()):
        last = seen[-1]
        sentence = (
            f"{fault} measured as still on {words.plural(len(seen), 'time')} since it was proven; this is the last."
        )
        told.append(_entry(last, "fault", "none", sentence))
    told += [_alert(facts, mark) for mark in marks(facts) if mark.kind in ("fired", "resolved")]
    told.sort(key=lambda pair: pair[0])
    entries = [entry for _, entry in told]
    if len(entries) <= MOST:
        return tuple(entries)
    gap = Happening(
        clock="", day="", utc="", lane="run", tone="none",
        text=f"{len(entries) - MOST:,} more entries are left out here; journal.ndjson has them all.",
    )  # fmt: skip
    return (*entries[: MOST // 2], gap, *entries[-MOST // 2 :])


_Told = tuple[tuple[int, int], Happening]


def _repeated(event: Event) -> bool:
    return event.kind == "active" and event.data.get("when") == "hold" and event.data.get("active") is True


def _held(facts: Facts) -> dict[str, list[Event]]:
    held: dict[str, list[Event]] = {}
    for event in facts.run.events:
        if _repeated(event):
            held.setdefault(text(event.data, "fault"), []).append(event)
    return held


def _alert(facts: Facts, mark: Mark) -> _Told:
    wall = (number(facts.verdict, "started_wall") or math.nan) + mark.at_ms / 1000
    event = Event(seq=0, kind="alert", at_ms=mark.at_ms, wall=wall, data={})
    return _entry(
        event, "alert", "warn" if mark.kind == "fired" else "none", f"{mark.text[:1].upper()}{mark.text[1:]}."
    )


def _entry(event: Event, lane: str, tone: str, sentence: str) -> _Told:
    entry = Happening(
        clock=words.clock(event.at_ms, precise=True),
        day=words.utc(event.wall, "%Y-%m-%dT%H:%M:%SZ") if words.moment(event.wall) else "",
        utc=words.utc(event.wall, "%H:%M:%S"),
        lane=lane,
        tone=tone,
        text=sentence,
    )
    return (event.at_ms, event.seq), entry
