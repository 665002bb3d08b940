"""What a channel for notifications must provide, and what it is given to say.

A notifier is a frozen dataclass made of its channel's parameters: plain, blocking Python that sends one message in one try. When, how
often and for how long is tried is the outbox's business; see docs/notifications.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol, runtime_checkable

from gameday.spi.errors import GamedayError
from gameday.spi.world import Secrets

LINE = 300
"""Characters of a line, at most."""
LINES = 20
"""Entries of a list, at most."""


class NotSentError(GamedayError):
    """A message was not taken. Its text is in our own words: no URL, no secret, nothing that the other side said."""

    def __init__(self, message: str, *, again: bool = True, after: float | None = None) -> None:
        super().__init__(message)
        self.again = again
        """Whether another try may help."""
        self.after = after
        """How many seconds the receiver asks us to wait before it."""


def one_line(text: object, most: int = LINE) -> str:
    """Return any text as one printable line of at most ``most`` characters."""
    line = " ".join(str(text).split())
    line = "".join(character if character.isprintable() else "?" for character in line)
    return line if len(line) <= most else line[: most - 1] + "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message, in the order in which people need it: what may still be on, the verdict, why, the numbers."""

    id: str
    """Stays the same however often it is tried, so that a receiver can drop the second."""
    event: str
    """``start``, ``abort``, ``end``, ``dirty`` or ``test``."""
    verdict: str = ""
    """The word of the verdict; empty while there is none."""
    title: str
    run: str = ""
    """The id of the run or the game day."""
    environment: tuple[str, ...] = ()
    residue: tuple[tuple[str, str], ...] = ()
    """What may still be on, and the command that finishes the job."""
    summary: str = ""
    reasons: tuple[str, ...] = ()
    objectives: tuple[str, ...] = ()
    """One line each, with its numbers."""
    link: str = ""
    """http or https; empty where no report is known to be reachable."""
    at: str = ""
    """UTC, ISO 8601."""

    def masked(self, mask: Callable[[str], str]) -> Notice:
        """Return the same with every text masked."""
        return replace(
            self,
            title=mask(self.title),
            environment=tuple(map(mask, self.environment)),
            residue=tuple((mask(what), mask(command)) for what, command in self.residue),
            summary=mask(self.summary),
            reasons=tuple(map(mask, self.reasons)),
            objectives=tuple(map(mask, self.objectives)),
            link=mask(self.link),
        )

    @property
    def headline(self) -> str:
        """Verdict or event, then the title, on one line."""
        return f"{(self.verdict or self.event).upper()}: {self.title}"

    @property
    def lines(self) -> tuple[str, ...]:
        """What stands below the headline, in order, without the commands that undo."""
        facts = [self.summary] if self.summary else []
        facts += [f"Reasons: {', '.join(self.reasons)}"] if self.reasons else []
        facts += self.objectives
        facts += [f"Environment: {', '.join(self.environment)}"] if self.environment else []
        facts += [f"Run: {self.run}"] if self.run else []
        return tuple(facts)

    @property
    def alarms(self) -> tuple[str, ...]:
        """What may still be on, a line each."""
        return tuple(f"May still be on: {what}" for what, _ in self.residue)

    @property
    def commands(self) -> tuple[str, ...]:
        """What finishes the job, each once, exactly as it is typed."""
        return tuple(dict.fromkeys(command for _, command in self.residue))

    def text(self) -> str:
        """Return all of it as plain text."""
        undo = [f"    {command}" for command in self.commands]
        rows = [self.headline, *self.alarms, *(["Finish the job with:", *undo] if undo else []), "", *self.lines]
        return "\n".join([*rows, *([f"Report: {self.link}"] if self.link else [])]) + "\n"

    def to_json(self) -> dict[str, Any]:
        """As a webhook is sent it."""
        return {
            "schema": "gameday/notice/1",
            "id": self.id,
            "event": self.event,
            "verdict": self.verdict or None,
            "title": self.title,
            "run": self.run or None,
            "environment": list(self.environment),
            "residue": [{"what": what, "command": command} for what, command in self.residue],
            "summary": self.summary,
            "reasons": list(self.reasons),
            "objectives": list(self.objectives),
            "link": self.link or None,
            "at": self.at,
        }


@runtime_checkable
class Notifier(Protocol):
    """One channel."""

    @property
    def name(self) -> str:
        """Registered name, which is the key of its entry under ``notify:``."""
        ...

    def send(self, notice: Notice, secrets: Secrets, seconds: float) -> None:
        """Send one message within ``seconds``, in one try; raise NotSentError, or DriverError when a secret is not set."""
        ...
