"""What a driver may provide beside the proof of a loss: how many of those that it took away have another one in their place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from gameday.model import Json, Plan
from gameday.spi.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """How far a loss is made good now; raises ValueError unless 0 ≤ back ≤ wanted ≤ lost."""

    lost: int
    """How many were taken away that something should replace."""
    wanted: int
    """How many of them are wanted still: fewer where somebody has scaled down since."""
    back: int
    """How many of those wanted have another one in their place, by identity, that is ready."""
    detail: str = ""
    """What the others wait for, in words; empty when there are no others."""

    def __post_init__(self) -> None:
        if not 0 <= self.back <= self.wanted <= self.lost:
            raise ValueError(f"a recovery of {self.back} of {self.wanted} wanted of {self.lost} lost cannot be")

    @property
    def done(self) -> bool:
        """Whether every one that is wanted is back."""
        return self.back == self.wanted

    @property
    def whole(self) -> bool:
        """Whether every one that was lost is back, after which there is nothing more to see."""
        return self.back == self.lost

    def to_json(self) -> dict[str, Any]:
        """Write for another process."""
        return {"lost": self.lost, "wanted": self.wanted, "back": self.back, "detail": self.detail}

    @classmethod
    def from_json(cls, raw: Json) -> Recovery:
        """Read what to_json wrote; raise ``KeyError`` when a part is missing."""
        counts = {key: int(raw[key]) for key in ("lost", "wanted", "back")}
        return cls(**counts, detail=str(raw["detail"]))


@runtime_checkable
class Recovers(Protocol):
    """An optional ability: to see whether what this fault took away has been replaced, by whoever does that.

    Its plan says in ``replaced`` how many of its targets something should replace. It is asked again and again once the loss is
    proven, in a process beside the one that injects and reverts, for as long as the run lasts.
    """

    def recovered(self, plan: Plan, world: World) -> Recovery:
        """Measure, from the plan alone, how many are back: others than those taken, and ready; ``back`` is 0 before the loss.

        Never from what a controller has written down about them, which may be from before the loss. Raises DriverError
        when it cannot be known.
        """
        ...
