"""What the journal holds about one fault, before anyone judges it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gameday.model import Event
from gameday.schema.experiment import FaultSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """All records of one fault, in order."""

    spec: FaultSpec
    events: tuple[Event, ...]

    def of(self, *kinds: str) -> list[Event]:
        """Return its records of these kinds."""
        return [event for event in self.events if event.kind in kinds]

    def first_ms(self, *kinds: str) -> int | None:
        """Return when the first of them was written."""
        return next((event.at_ms for event in self.events if event.kind in kinds), None)

    def last(self, *kinds: str) -> Event | None:
        """Return the last of them."""
        return next((event for event in reversed(self.events) if event.kind in kinds), None)

    @property
    def reversible(self) -> bool:
        """Whether there is anything to revert: as the driver said, or as the file allows."""
        planned = self.last("planned")
        said = planned.data.get("reversible") if planned else None
        return said if isinstance(said, bool) else self.spec.irreversible is None

    @property
    def provable(self) -> bool:
        """Whether anything can measure it; unless the driver said no, it must be proven."""
        planned = self.last("planned")
        return planned is None or planned.data.get("provable") is not False

    @property
    def proven_ms(self) -> int | None:
        """When it was first measured as in force."""
        if not self.reversible:
            return self.first_ms("deed")
        proofs = [event for event in self.of("active") if event.data.get("active") is True]
        return proofs[0].at_ms if proofs else None

    @property
    def planned_targets(self) -> list[str]:
        """What its plan named before the load began; the same as its targets where that was not written down."""
        planned = self.last("planned")
        named: Sequence[object] | None = planned.data.get("targets") if planned else None
        return self.targets if named is None else [str(target) for target in named]

    @property
    def targets(self) -> list[str]:
        """What it touches, in words."""
        planned, armed = self.last("planned"), self.last("armed")
        plans: list[Mapping[str, Any]] = [event.data.get("plan") or {} for event in ([armed] if armed else [])]
        plans += [event.data.get("plan") or {} for event in self.of("round")]
        named = [target for plan in plans for target in plan.get("targets") or ()]
        told: Sequence[object] = named or (planned.data.get("targets") if planned else None) or ()
        return list(dict.fromkeys(str(target) for target in told))
