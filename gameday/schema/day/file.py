"""The game-day file's shape: one section for each part, frozen, nothing unknown allowed.

``schedule:`` is gameday.schema.day.schedule's, ``notify:`` and ``silence_alerts:`` are gameday.schema.day.notify's: a key that is added
to a section there is read, checked, located, and in the JSON Schema, without a change here.
"""

from __future__ import annotations

from typing import Literal

from gameday.schema.day.agenda import AgendaItem, Prerequisite
from gameday.schema.day.notify import Channel, SilencedAlerts
from gameday.schema.day.roles import Roles
from gameday.schema.day.schedule import Schedule
from gameday.schema.day.words import Text
from gameday.schema.fields import Line, Name
from gameday.schema.section import Section, key


class DayFile(Section):
    """A game day: experiments, people and time."""

    version: Literal[1] = key(description="the format of this file")
    title: Line = key(description="one line")
    goal: Text | None = key(default=None, description="what the day is to show of the system, and of the people")
    environment: Name | None = key(
        default=None,
        description="where it happens; must be the one that gameday.toml recognises by the targets",
        examples=["staging"],
    )
    roles: Roles | None = key(default=None, description="who takes part")
    schedule: Schedule | None = key(default=None, description="when it runs by itself")
    unattended: Literal["skip", "refuse"] = key(
        default="skip", description="manual steps when nobody is there: leave them out (inconclusive), or do not begin"
    )
    silence_alerts: SilencedAlerts = key(
        default=(), description="alerts that are silenced while each of its experiments is on"
    )
    prerequisites: tuple[Prerequisite, ...] = key(default=(), description="what must be so before anything is injected")
    agenda: tuple[AgendaItem, ...] = key(least=1, most=200, description="what is done, in this order")
    notify: tuple[Channel, ...] = key(default=(), description="who is told")

    @property
    def people(self) -> Roles:
        """Return who takes part; nobody is named where the file says nothing."""
        return self.roles or Roles()

    @property
    def experiments(self) -> tuple[str, ...]:
        """Return every experiment file that it names, each once, in order."""
        before = [one.experiment for one in self.prerequisites]
        named = [*before, *(item.experiment for item in self.agenda)]
        return tuple(dict.fromkeys(name for name in named if name is not None))
