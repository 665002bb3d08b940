"""What faults have in common that change fields of one object and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gameday.model import Json, Plan
from gameday.spi import World
from gameday_drivers.kube.api import Api, planned
from gameday_drivers.kube.edits import Edit, One, apply, edits_from, hold, ours, restore
from gameday_drivers.kube.marks import changed
from gameday_drivers.kube.target import EXPIRES_HELP, EXPIRES_MS, InNamespace, marks, owner


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesOne(InNamespace):
    """Makes the edits of its plan, and takes them back."""

    expires: int = field(default=EXPIRES_MS, metadata={"unit": "duration", "min": 60_000, "help": EXPIRES_HELP})

    reversible = True
    provable = True

    def undo(self, api: Api, where: str, found: Json, edits: Sequence[Edit], world: World) -> dict[str, Any]:
        """Return what a plan keeps; DriverError when it would not fit on the object."""
        changed(*(edit.change for edit in edits))
        return {
            "cluster": api.cluster.to_json(),
            "namespace": self.namespace,
            "path": where,
            "uid": found["metadata"]["uid"],
            "edits": [edit.to_json() for edit in edits],
            "owner": owner(world),
            "expires_ms": self.expires,
        }

    def inject(self, plan: Plan, world: World) -> None:
        """Make them in one request, with our marks; DriverError when the object is not as it was planned."""
        with planned(plan.undo) as api:
            apply(api, One.of(plan), edits_from(plan.undo["edits"]), marks(world, plan.undo["expires_ms"]))

    def active(self, plan: Plan, world: World) -> bool:  # noqa: ARG002 - the interface
        """Measure whether that very object has our marks and all of our values."""
        with planned(plan.undo) as api:
            found = ours(api, One.of(plan), plan.undo["owner"])
        return found is not None and hold(found, edits_from(plan.undo["edits"]))

    def revert(self, plan: Plan, world: World) -> None:  # noqa: ARG002 - the interface
        """Put back what is still ours, and take our marks off; nothing else is touched."""
        with planned(plan.undo) as api:
            restore(api, One.of(plan), edits_from(plan.undo["edits"]), plan.undo["owner"])
