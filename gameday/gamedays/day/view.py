"""What people see of a day, a line for each record; whoever is kept blind sees that something is on, and not what, until the debrief."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gameday.gamedays.day.progress import WORDS
from gameday.model import Event
from gameday.schema.day.file import DayFile
from gameday.schema.day.words import BLINDED

HIDDEN = "something is on; what it is, is told in the debrief"


@dataclass(slots=True, kw_only=True)
class View:
    """Turns the records of one day into lines for one role."""

    file: DayFile
    role: str
    revealed: bool = False
    _kept: list[str] = field(default_factory=list[str])
    """What was hidden, to be told later."""

    def lines(self, event: Event) -> list[str]:
        """Return what this role sees of a record."""
        opens = event.kind == "item-started" and event.data.get("kind") == "debrief"
        if (opens or event.kind == "closed") and not self.revealed:
            self.revealed = True
            return [*self._reveal(), *_said(event)]
        if self.role in BLINDED and not self.revealed and self._hidden(event.data):
            self._kept += _said(event)
            return [HIDDEN] if event.kind == "item-started" else ["it is over"] if event.kind == "item-ended" else []
        return list(_said(event))

    def _reveal(self) -> list[str]:
        kept, self._kept = self._kept, []
        return ["what was hidden:", *(f"  {line}" for line in kept)] if kept else []

    def _hidden(self, data: Mapping[str, Any]) -> bool:
        """Whether a record is about a blind experiment."""
        index = data.get("index")
        if data.get("section", "agenda") != "agenda" or not isinstance(index, int) or index >= len(self.file.agenda):
            return False
        return self.file.agenda[index].blind


def _said(event: Event) -> list[str]:
    """Say one record in a line; nothing for what only the machinery needs."""
    data = event.data
    said: dict[str, Callable[[], str]] = {
        "day-opened": lambda: _opened(data),
        "item-started": lambda: f"{WORDS.get(str(data['kind']), str(data['kind']))}: {data['title']}",
        "asked": lambda: f"waiting for {data['role'] or 'an answer'}: {data['title']} ({data['help']})",
        "prerequisite": lambda: f"{data['title']}: {data['outcome']}{_who(data)}{_why(data)}",
        "item-ended": lambda: f"{data['title']}: {data['outcome']}{_who(data)}{_why(data)}{_shown(data)}",
        "run-started": lambda: f"run: {data['run']}",
        "run-ended": lambda: f"run: {data['run']}: {data['verdict']} ({', '.join(map(str, data['reasons']))})",
        "note": lambda: f"note{_who(data)}: {data['text']}{_shown(data)}",
        "mark": lambda: f"{data['mark']}{_who(data)}" + f": {data['text']}" * bool(data.get("text")) + _shown(data),
        "ignored": lambda: f"not taken: {data['what']}{_who(data)}{_why(data)}",
        "stopped": lambda: f"stopped{_who(data)}{_why(data)}",
        "resumed": lambda: f"resumed{_who(data)} after a {data['after']}",
        "refused": lambda: f"refused{_why(data)}",
        "closed": lambda: f"verdict: {data['verdict']}",
    }
    return [said[event.kind]()] if event.kind in said else []


def _opened(data: Mapping[str, Any]) -> str:
    goal = " ".join(str(data.get("goal") or "").split())
    return f"{data['title']}" + (f": {goal}" if goal else "")


def _why(data: Mapping[str, Any]) -> str:
    return f": {data['why']}" if data.get("why") else ""


def _who(data: Mapping[str, Any]) -> str:
    by, role = str(data.get("by") or ""), str(data.get("role") or "")
    return f" by {by}" + (f" ({role})" if role else "") if by else ""


def _shown(data: Mapping[str, Any]) -> str:
    named = [str(one.get("url") or one.get("name")) for one in data.get("evidence") or ()]
    return f" [{', '.join(named)}]" if named else ""
