"""After a loss that is proven: whether what was lost is replaced, looked at until it is or the run is over, and written down.

It is asked in hosts of their own, so that a slow answer keeps no round and no revert waiting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio
from anyio.abc import TaskGroup

from gameday.model import Plan
from gameday.runner.context import Context, FaultState
from gameday.spi import GamedayError, Recovery
from gameday.spi.driver import ACTIVE_SECONDS
from gameday.undo.hosts import HostPool

SHORTEST_SECONDS, LONGEST_SECONDS = 0.2, 2.0
PAUSE_SHARE = 0.05
"""A look follows the last one after a twentieth of the time since the loss, within those bounds: so exact are the times."""
MOST_RECORDS = 100
"""Changes of one loss that are written down; its end always is."""


@dataclass(slots=True)
class Loss:
    """What became of one loss so far."""

    fault: str
    round: int
    plan: Plan
    since_ms: float
    """When it was proven, on the run's clock."""
    said: dict[str, Any] = field(default_factory=dict[str, Any])
    """What the last look saw, as the journal has it."""
    changes: int = 0
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)

    @property
    def whole(self) -> bool:
        """Whether all of it is replaced."""
        return bool(self.said.get("recovered")) and self.said["back"] == self.said["lost"]


class Recoveries:
    """Looks after every loss of a run, from its proof to the end of the run."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._losses: list[Loss] = []
        self._pool: HostPool | None = None
        self._turns: dict[str, anyio.Lock] = {}
        """A host is asked one thing at a time, and the rounds of a fault have one host."""

    def start(self, pool: HostPool, group: TaskGroup) -> None:
        """From now on look after each loss whose plan says that something replaces it; the hosts get ready in the background."""
        self._pool = pool

        def begin(fault: FaultState, number: int) -> None:
            """Look after a loss that has just been proven."""
            if fault.plan.replaced and fault.provable:
                loss = Loss(fault=fault.name, round=number, plan=fault.plan, since_ms=self._ctx.now_ms())
                self._losses.append(loss)
                group.start_soon(self._watch, pool, loss)

        self._ctx.lost = begin
        for fault in self._ctx.faults.values():
            if fault.plan.replaced:
                # What a host and its driver import at their first look would make the time to recover look longer.
                group.start_soon(self._ask, pool, fault.name, fault.plan)

    def finish(self) -> None:
        """End every look, and write down what became of each loss that was not whole again."""
        for loss in self._losses:
            loss.scope.cancel()
            if not loss.whole:
                self._note(loss, loss.said or _unknown(loss.plan, "it was never asked"), end=True)
        self._losses = []

    async def close(self) -> None:
        """Let the hosts go."""
        if self._pool is not None:
            await self._pool.end()

    async def _watch(self, pool: HostPool, loss: Loss) -> None:
        with loss.scope:
            while not loss.whole:
                said = await self._look(pool, loss)
                changed, loss.said = said != loss.said, said
                if changed and loss.changes < MOST_RECORDS:
                    loss.changes += 1
                    self._note(loss, said)
                waited = (self._ctx.now_ms() - loss.since_ms) / 1000
                await anyio.sleep(min(LONGEST_SECONDS, max(SHORTEST_SECONDS, waited * PAUSE_SHARE)))

    async def _look(self, pool: HostPool, loss: Loss) -> dict[str, Any]:
        """Measure once; that it could not be measured is an answer, too, and never a good one."""
        reply = await self._ask(pool, loss.fault, loss.plan)
        if "error" in reply:
            return _unknown(loss.plan, str(reply["error"]))
        try:
            seen = Recovery.from_json(reply["recovery"])
        except (KeyError, TypeError, ValueError) as wrong:
            return _unknown(loss.plan, f"its driver answers with what is no recovery: {wrong}")
        return {**seen.to_json(), "recovered": seen.done}

    async def _ask(self, pool: HostPool, fault: str, plan: Plan) -> dict[str, Any]:
        async with self._turns.setdefault(fault, anyio.Lock()):
            try:
                return await pool.ask(fault, "recovered", plan.to_json(), ACTIVE_SECONDS)
            except (GamedayError, OSError) as error:
                return {"error": f"no driver host: {self._ctx.world.secrets.mask(str(error))}"}

    def _note(self, loss: Loss, said: Mapping[str, Any], *, end: bool = False) -> None:
        since = {"fault": loss.fault, "round": loss.round, "after_ms": round(self._ctx.now_ms() - loss.since_ms)}
        self._ctx.note("recovery", {**since, **said, "end": end})


def _unknown(plan: Plan, error: str) -> dict[str, Any]:
    lost = plan.replaced or 0
    return {"lost": lost, "wanted": lost, "back": 0, "detail": "", "recovered": False, "error": error}
