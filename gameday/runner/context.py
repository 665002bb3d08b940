"""What the parts of one run share: its journal, its clock, its faults, and the one way to stop it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import anyio

from gameday.journal.folder import RunFolder
from gameday.journal.writer import Journal, JournalError
from gameday.model import Plan, Reason
from gameday.policy.file import Policy
from gameday.policy.subject import Counted, Subject
from gameday.schema.experiment import Experiment, FaultSpec
from gameday.spi import World
from gameday.timeline import Timeline
from gameday.undo.guardian import Guardian
from gameday.undo.steps import SETTLE_SECONDS


class Hosts(Protocol):
    """Who does a driver's work: see gameday.undo.hosts.HostPool."""

    async def ask(self, fault: str, op: str, plan: Mapping[str, Any] | None, seconds: float) -> dict[str, Any]:
        """Have one operation done for a fault, within ``seconds``; a failure is an answer: ``{"error": …}``."""
        ...


@dataclass(slots=True)
class FaultState:
    """One fault of this run, and how far it is."""

    name: str
    driver: str
    reversible: bool
    provable: bool
    inject_seconds: float
    revert_seconds: float
    plan: Plan
    spec: FaultSpec | None = None
    """As the file has it; None outside a run."""
    request_seconds: float = 0.0
    """How long a request of a driver that was ended may still take to act."""
    settle_seconds: float = SETTLE_SECONDS
    """How long after a revert that nothing cut off it is measured once more."""
    max_seconds: float = 0.0
    """How long it may be on, from armed to the call of its revert; 0 where nobody says."""
    expires: bool = False
    """It ends by itself unless its lease is renewed."""
    follows: bool = False
    """It runs by itself, and tells."""
    heard: int = 0
    """How much of what it told is in the journal."""
    cut_off: bool = False
    """Its inject was ended before it had answered."""
    armed: int = 0
    """Its place in the order of arming, from 1; 0 while it is not armed."""
    undone: bool = False
    dirty: bool = False

    @property
    def open(self) -> bool:
        """It may be on: armed, and its undo not proven."""
        return self.armed > 0 and not self.undone


Lost = Callable[[FaultState, int], None]


def _nobody_looks(_fault: FaultState, _round: int) -> None:
    """Outside a run nobody looks whether a loss is made good."""


@dataclass(slots=True)
class Stop:
    """The one way to end a run early: the first reason wins, and the second signal skips what only watches."""

    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    watching: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    reason: Reason | None = None

    def __call__(self, reason: Reason) -> bool:
        """Stop for this reason; return whether it was the first."""
        if self.reason is not None:
            return False
        self.reason = reason
        self.scope.cancel()
        return True


@dataclass(slots=True)
class Context:
    """One run while it is on."""

    run_id: str
    seed: int
    experiment: Experiment
    timeline: Timeline
    folder: RunFolder
    journal: Journal
    guardian: Guardian
    hosts: Hosts
    world: World
    base: Path
    """The experiment file's folder, from which its relative paths count."""
    policies: tuple[Policy, ...] = ()
    """Every gameday.toml that applies."""
    subject: Subject | None = None
    """What people approve; with policies."""
    approved: Counted | None = None
    """Targets that people have approved, in the words that last; None where no policy asks for that."""
    faults: dict[str, FaultState] = field(default_factory=dict[str, FaultState])
    silences: list[FaultState] = field(default_factory=list[FaultState])
    """Silences that span the run, which are undone like faults and are none."""
    lost: Lost = _nobody_looks
    """Told of each loss that is proven, with its round, from 1."""
    stop: Stop = field(default_factory=Stop)
    skip_report: bool = False
    now_ns: Callable[[], int] = time.monotonic_ns

    def note(self, kind: str, data: Mapping[str, Any] | None = None) -> None:
        """Write a record where the journal still can; what must be on disk before a deed uses the journal itself."""
        with suppress(JournalError):
            self.journal.write(kind, data)

    def abort(self, reason: Reason, detail: str) -> None:
        """End the run early, revert everything; only the first call counts."""
        if self.stop.reason is None:
            self.note("abort", {"reason": reason.value, "detail": self.world.secrets.mask(detail)})
        self.stop(reason)

    def now_ms(self) -> float:
        """Milliseconds of the run's clock, with fractions."""
        return (self.now_ns() - self.journal.epoch_ns) / 1e6

    async def until(self, at_ms: float) -> None:
        """Sleep until that time of the run's clock."""
        while (left := at_ms - self.now_ms()) > 0:  # noqa: ASYNC110 - time itself is awaited
            await anyio.sleep(left / 1000)

    def held(self, process: str) -> bool:
        """Whether a fault that is on keeps this process of ``system:`` down."""
        return any(fault.open and process in fault.plan.holds for fault in self.faults.values())
