"""How far a day is, from its journal alone: what was done, what was broken off, and what is next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from gameday.model import Event
from gameday.schema.day.file import DayFile

Section = Literal["prerequisites", "agenda"]
Place = tuple[Section, int]
INTERRUPTED = "interrupted"


@dataclass(slots=True, kw_only=True)
class ItemState:
    """One prerequisite or item of the agenda, as far as it is."""

    attempts: int = 0
    first_ms: int = 0
    """When it was begun for the first time, on the journal's clock."""
    started_wall: float | None = None
    ended_wall: float | None = None
    outcome: str | None = None
    """None while it was not begun, or is on; ``interrupted`` when it was broken off."""
    by: str = ""
    role: str = ""
    why: str = ""
    evidence: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    runs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """Of its last attempt: ``run, verdict, reasons``; no verdict while it is on."""

    @property
    def over(self) -> bool:
        """Nothing is left to do for it."""
        return self.outcome not in (None, INTERRUPTED)

    @property
    def broken_off(self) -> bool:
        """It was begun, and did not come to its end."""
        return self.attempts > 0 and not self.over


@dataclass(slots=True, kw_only=True)
class Progress:
    """How far a day is."""

    opened: bool = False
    started_wall: float | None = None
    ended_wall: float | None = None
    closed: bool = False
    stopped: Mapping[str, Any] | None = None
    """Who stopped it and why; None when it was resumed since."""
    refused: Mapping[str, Any] | None = None
    items: dict[Place, ItemState] = field(default_factory=dict[Place, ItemState])
    messages: set[str] = field(default_factory=set[str])
    """Ids of everything that was said in other terminals and is written down."""
    asked: Place | None = None
    """What the leader waits for an answer to."""
    asked_data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    open_runs: list[str] = field(default_factory=list[str])
    """Runs that were started and never came to their end; and dirty ones."""

    def at(self, place: Place) -> ItemState:
        """Return the state of an item."""
        return self.items.setdefault(place, ItemState())


def read_progress(events: Iterable[Event]) -> Progress:
    """Return how far the day of this journal is."""
    found = Progress()
    for event in events:
        note(found, event)
    return found


def note(found: Progress, event: Event) -> None:
    """Take in one more record."""
    data = event.data
    if message := data.get("message"):
        found.messages.add(str(message))
    found.ended_wall = event.wall
    match event.kind:
        case "day-opened":
            found.opened, found.started_wall = True, event.wall
        case "resumed":
            found.stopped = None
        case "stopped":
            found.stopped, found.asked = data, None
        case "refused":
            found.refused = data
        case "closed":
            found.closed, found.asked = True, None
        case "asked":
            found.asked, found.asked_data = (data["section"], int(data["index"])), data
        case "prerequisite" | "item-started" | "item-ended":
            _note_item(found, event)
        case "run-started" | "run-ended":
            _note_run(found, event)
        case _:
            pass


def _note_item(found: Progress, event: Event) -> None:
    data = event.data
    section: Section = "prerequisites" if event.kind == "prerequisite" else data["section"]
    state = found.at((section, int(data["index"])))
    if event.kind == "item-started":
        state.attempts += 1
        state.first_ms = state.first_ms if state.attempts > 1 else event.at_ms
        state.started_wall = state.started_wall or event.wall
        state.outcome, state.evidence, state.runs = None, [], []
        return
    found.asked = None
    state.outcome, state.ended_wall = str(data["outcome"]), event.wall
    state.by, state.role, state.why = (str(data.get(name) or "") for name in ("by", "role", "why"))
    state.evidence = list(data.get("evidence") or ())


def _note_run(found: Progress, event: Event) -> None:
    data = event.data
    state, run = found.at((data["section"], int(data["index"]))), str(data["run"])
    if event.kind == "run-started":
        found.asked = None
        state.runs = [one for one in state.runs if one["run"] != run] + [{"run": run, "verdict": None, "reasons": []}]
        found.open_runs.append(run)
        return
    for one in state.runs:
        if one["run"] == run:
            one["verdict"], one["reasons"] = data.get("verdict"), list(data.get("reasons") or ())
    if data.get("verdict") != "dirty":
        found.open_runs = [name for name in found.open_runs if name != run]


WORDS = {"go_no_go": "go/no-go", "manual": "manual step"}
"""Kinds as people call them, where the file's word is another."""


def places(file: DayFile) -> list[Place]:
    """Return everything that is to be done, in order."""
    before: list[Place] = [("prerequisites", index) for index, _ in enumerate(file.prerequisites)]
    return before + [("agenda", index) for index, _ in enumerate(file.agenda)]


def next_place(file: DayFile, progress: Progress) -> Place | None:
    """Return the first thing that is not over; None when nothing is left."""
    return next(
        (place for place in places(file) if place not in progress.items or not progress.items[place].over), None
    )


def kind_of(file: DayFile, place: Place) -> str:
    """Return what kind of prerequisite or item stands there."""
    if place[0] == "agenda":
        return file.agenda[place[1]].kind
    return "check" if file.prerequisites[place[1]].check is not None else "experiment"


def title_of(file: DayFile, place: Place) -> str:
    """Return it in one line."""
    return file.agenda[place[1]].title if place[0] == "agenda" else file.prerequisites[place[1]].title


def asked_role(file: DayFile, place: Place) -> str:
    """Return the role that is asked; empty for anybody."""
    if place[0] == "prerequisites":
        return file.prerequisites[place[1]].by or ""
    item = file.agenda[place[1]]
    part = item.manual or item.go_no_go
    return (part.by or "") if part is not None else ""
