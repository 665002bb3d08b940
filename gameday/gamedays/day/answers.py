"""What is typed while a day waits: an answer to what is asked, or something said in between."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Literal

from gameday.gamedays.day.inbox import MARKS
from gameday.schema.day.roles import Roles
from gameday.schema.day.words import DECIDING

CHOICES: dict[str, tuple[str, ...]] = {
    "brief": ("done",),
    "check": ("yes", "no"),
    "experiment": ("begin", "skip"),
    "interrupted": ("again", "skip"),
    "manual": ("done", "fail", "skip"),
    "go_no_go": ("go", "no-go"),
    "debrief": ("done",),
}
"""Kind of what is asked → the words that answer it."""
ENTER = {"brief": "done", "debrief": "done", "experiment": "begin"}
"""What an empty line means, where it means anything."""
_SAME = {"y": "yes", "n": "no", "nogo": "no-go", "failed": "fail", "ok": "done"}
HELP = {
    "brief": "Enter when everybody has heard it",
    "check": "yes, or: no WHY",
    "experiment": "Enter begins it, or: skip WHY",
    "interrupted": "again, or: skip WHY",
    "manual": "done [LINK or FILE …], fail WHY, or: skip WHY",
    "go_no_go": "go [WHY], or: no-go [WHY]",
    "debrief": "a line for each thing, and Enter alone at the end",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """One line of the leader's terminal."""

    what: Literal["answer", "note", "mark", "stop", "wrong"]
    word: str = ""
    """The answer, or the mark."""
    text: str = ""
    """What follows; of ``wrong``, what would do."""
    evidence: tuple[str, ...] = ()


def parse(line: str, kind: str) -> Typed:  # noqa: PLR0911 - one for each thing that can be typed
    """Read a line that was typed while something of this kind is asked."""
    first, _, rest = line.strip().partition(" ")
    word, rest = first.lower().rstrip(",.:"), rest.strip()
    word = _SAME.get(word, word)
    if word == "stop" and (kind != "debrief" or not rest):  # "Stop conditions were unclear" is worth a note, not a stop
        return Typed(what="stop", text=rest)
    if word == "note" and rest:
        return Typed(what="note", text=rest)
    if word == "mark" and rest.split()[0:1] and rest.split()[0] in MARKS:
        return Typed(what="mark", word=rest.split()[0], text=rest.partition(" ")[2])
    if kind == "debrief" and line.strip():
        return Typed(what="note", text=line.strip())
    if not word and kind in ENTER:
        return Typed(what="answer", word=ENTER[kind])
    if word in CHOICES[kind]:
        if kind == "manual" and word == "done":
            return Typed(what="answer", word=word, evidence=_words(rest))
        return Typed(what="answer", word=word, text=rest)
    also = f"; also: note TEXT, mark {'|'.join(MARKS)} [TEXT], stop [WHY]"
    return Typed(what="wrong", text=HELP[kind] + also)


def _words(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError:  # an apostrophe in a file's name
        return tuple(text.split())


def may_decide(roles: Roles, role: str) -> bool:
    """Whether somebody of this role may stop a day and decide: the owner and the coordinator, or all where the file names neither."""
    return role in DECIDING or not any(roles.people(one) for one in DECIDING)


def may_answer(roles: Roles, asked: str, role: str, kind: str) -> bool:
    """Whether somebody of this role may answer what ``asked`` (a role, or empty for anybody) is asked."""
    if kind in ("go_no_go", "interrupted", "experiment"):
        return may_decide(roles, role) if not asked else role == asked or may_decide(roles, role)
    return not asked or role == asked or may_decide(roles, role)
