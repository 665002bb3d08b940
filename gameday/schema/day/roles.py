"""``roles:`` who takes part in a game day, by what they do there."""

from __future__ import annotations

from collections.abc import Iterator

from gameday.schema.fields import Line, OneOrMore
from gameday.schema.section import Section, key


class Roles(Section):
    """Who takes part: an address or a name for each role."""

    owner: Line | None = key(default=None, description="answers for the day, and says go", examples=["ana@example.com"])
    coordinator: Line | None = key(default=None, description="leads through the agenda")
    reporter: Line | None = key(default=None, description="writes down what happens")
    responders: OneOrMore = key(default=(), description="who is on call, and is tested")
    observers: OneOrMore = key(default=(), description="who looks on")

    def people(self, role: str) -> tuple[str, ...]:
        """Return who has a role (``owner``, …, ``responder``, ``observer``); none where the file names nobody."""
        many = {"responder": self.responders, "observer": self.observers}
        one = {"owner": self.owner, "coordinator": self.coordinator, "reporter": self.reporter}
        found = one.get(role)
        return many.get(role, ()) if found is None else (found,)

    def role_of(self, person: str) -> str:
        """Return the first role of a person, by the address or by what stands before its ``@``; empty for a stranger."""
        return next((role for role, name in self.named() if person.lower() in (name.lower(), _local(name))), "")

    def named(self) -> Iterator[tuple[str, str]]:
        """Yield each role with each of its people."""
        for role in ("owner", "coordinator", "reporter", "responder", "observer"):
            for person in self.people(role):
                yield role, person


def _local(address: str) -> str:
    return address.lower().partition("@")[0]
