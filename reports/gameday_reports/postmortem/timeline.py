"""What happened, in order of the time at which it happened or was said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from gameday.model import Event, GameDay, Json
from gameday_reports import words
from gameday_reports.postmortem.agenda import (
    HIDDEN,
    KINDS,
    Evidence,
    evidence,
    experiments,
    outcome,
    person,
    revealed,
    title_of,
)
from gameday_reports.reading import PARAGRAPH, number, parts, text

MOST = 600
"""Entries that are shown; more are counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the timeline."""

    wall: float
    when: str
    what: str
    tone: str
    who: str
    evidence: tuple[Evidence, ...]


def timeline(day: GameDay) -> tuple[Entry, ...]:
    """Return every entry, oldest first."""
    found = [entry for event in day.events for entry in _of(day, event)]
    found += [entry for item, verdict, _ in experiments(day) for entry in _faults(title_of(item, verdict), verdict)]
    return tuple(sorted(found, key=lambda entry: entry.wall))


def _entry(wall: float, what: str, tone: str = "none", who: str = "", shown: tuple[Evidence, ...] = ()) -> Entry:
    return Entry(wall=wall, when=words.utc(wall, "%H:%M:%S"), what=what, tone=tone, who=who, evidence=shown)


def _of(day: GameDay, event: Event) -> Iterator[Entry]:
    told = _TELL.get(event.kind)
    decided = (
        event.kind == "item-ended" and text(event.data, "kind", 20) == "go_no_go"
    )  # its decision has a line of its own
    if told is not None and not decided:
        yield told(day, event)


def _opened(_: GameDay, event: Event) -> Entry:
    return _entry(event.wall, "The day begins.", who=person(event.data))


def _prerequisite(_: GameDay, event: Event) -> Entry:
    said, tone = outcome(text(event.data, "outcome", 20))
    what = f"Prerequisite “{text(event.data, 'title')}”: {said.lower()}{_because(event)}"
    return _entry(event.wall, what, tone, person(event.data))


def _began(day: GameDay, event: Event) -> Entry:
    return _entry(event.wall, f"{_item(day, event.data)} begins.")


def _ended(day: GameDay, event: Event) -> Entry:
    said, tone = outcome(text(event.data, "outcome", 20))
    what = f"{_item(day, event.data)}: {said.lower()}{_because(event)}"
    return _entry(event.wall, what, tone, person(event.data), evidence(event.data))


def _decided(_: GameDay, event: Event) -> Entry:
    said, tone = outcome(text(event.data, "decision", 20))
    return _entry(event.wall, f"{said}{_because(event)}", tone, person(event.data))


def _noted(_: GameDay, event: Event) -> Entry:
    return _entry(_said(event), text(event.data, "text", PARAGRAPH), who=person(event.data), shown=evidence(event.data))


def _marked(_: GameDay, event: Event) -> Entry:
    about = text(event.data, "text", PARAGRAPH)
    what = text(event.data, "mark", 20).capitalize() + (f": {about}" if about else ".")
    return _entry(_said(event), what, "hot", person(event.data), evidence(event.data))


def _stopped(_: GameDay, event: Event) -> Entry:
    return _entry(event.wall, f"The day is stopped{_because(event)}", "warn", person(event.data))


def _resumed(_: GameDay, event: Event) -> Entry:
    after = text(event.data, "after", 20) or "stop"
    return _entry(event.wall, f"The day goes on, after a {after}.", "warn", person(event.data))


def _refused(_: GameDay, event: Event) -> Entry:
    return _entry(event.wall, f"Refused ({text(event.data, 'reason', 40)}){_because(event)}", "fail")


def _ignored(_: GameDay, event: Event) -> Entry:
    return _entry(_said(event), f"Not taken up: {text(event.data, 'what')}{_because(event)}", who=person(event.data))


def _closed(_: GameDay, event: Event) -> Entry:
    return _entry(event.wall, "The day is over.")


_TELL: Mapping[str, Callable[[GameDay, Event], Entry]] = {
    "day-opened": _opened,
    "prerequisite": _prerequisite,
    "item-started": _began,
    "item-ended": _ended,
    "decision": _decided,
    "note": _noted,
    "mark": _marked,
    "stopped": _stopped,
    "resumed": _resumed,
    "refused": _refused,
    "ignored": _ignored,
    "closed": _closed,
}


def _because(event: Event) -> str:
    why = text(event.data, "why", PARAGRAPH)
    return f": {why}" if why else ""


def _item(day: GameDay, raw: Json) -> str:
    hidden = raw.get("blind") is True and not revealed(day)
    kind = text(raw, "kind", 20)
    return f"{KINDS.get(kind, kind)} “{HIDDEN if hidden else text(raw, 'title')}”"


def _said(event: Event) -> float:
    """When it was said, which may be before it was written down."""
    at = number(event.data, "at")
    return event.wall if at is None else at


def _faults(title: str, raw: Json) -> Iterator[Entry]:
    began = number(raw, "started_wall")
    if began is None:
        return
    for fault in parts(raw, "faults"):
        name = text(fault, "name", 80)
        on, off = number(fault, "proven_ms"), number(fault, "reverted_ms")
        if on is not None:
            yield _entry(began + on / 1000, f"{title}: {name} is on, proven.", "hot")
        if off is not None and text(fault, "undo", 20) == "proven":
            yield _entry(began + off / 1000, f"{title}: {name} is undone, proven.")
        elif text(fault, "undo", 20) not in ("proven", "not-needed", ""):
            yield _entry(began + (number(raw, "ended_ms") or 0) / 1000, f"{title}: {name} may still be on.", "fail")
