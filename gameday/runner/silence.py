"""The silence around a run: planned, armed on disk, made and proven before the load, renewed, and undone like a fault at the end.

It is no fault: no window of the run is measured by it, and no verdict asks whether it was there. That it is gone afterwards is asked.
"""

from __future__ import annotations

from typing import Any

import anyio
from anyio.abc import TaskGroup

from gameday.model import Plan
from gameday.registry import load_driver
from gameday.runner import faults
from gameday.runner.bounds import run_max_ms
from gameday.runner.context import Context, FaultState
from gameday.runner.planning import PLAN_SECONDS, fault_state
from gameday.schema.experiment import FaultSpec
from gameday.spi import GamedayError
from gameday.spi.driver import ACTIVE_SECONDS, EXPIRY_SECONDS
from gameday.undo.guardian import arm

RENEW_SECONDS = EXPIRY_SECONDS / 3
PROVE_SECONDS = 5.0


async def begin(ctx: Context, helpers: TaskGroup) -> None:
    """Make each silence and keep it; raise GamedayError, before any load, when one cannot be made: nobody is to be paged."""
    for spec in ctx.experiment.silences:
        state = await _planned(ctx, spec)
        ctx.silences.append(state)
        state.armed = 1
        with anyio.CancelScope(shield=True):
            await arm(ctx.journal, ctx.guardian, state.name, state.plan, run_max_ms(ctx.experiment) / 1000)
        await _asked(ctx, state, "inject", state.inject_seconds)
        with anyio.move_on_after(PROVE_SECONDS) as waited:
            while not (await _asked(ctx, state, "active", ACTIVE_SECONDS))["active"]:  # noqa: ASYNC110 - the world is measured
                await anyio.sleep(0.05)
        if waited.cancelled_caught:
            raise GamedayError("the alerts are not silenced: the silence was made, and is not in force")
        alerts = ", ".join(ctx.experiment.silence_alerts)
        ctx.note("note", {"text": f"silenced while this run is on, which is no fault: {alerts}"})
        helpers.start_soon(_keep, ctx, state)


async def end(ctx: Context) -> None:
    """End each silence, and prove it."""
    for state in ctx.silences:
        if state.open and not state.dirty:
            await faults.revert(ctx, state)


async def _planned(ctx: Context, spec: FaultSpec) -> FaultState:
    reply = await ctx.hosts.ask(spec.name, "plan", None, PLAN_SECONDS)
    if "error" in reply:
        raise GamedayError(f"the alerts cannot be silenced: {reply['error']}", hint=str(reply.get("hint", "")))
    state = fault_state(spec, load_driver(spec.do, spec.with_), Plan.from_json(reply["plan"]))
    data = {"fault": spec.name, "driver": spec.do, "targets": list(state.plan.targets), "undo": dict(state.plan.undo)}
    ctx.note("planned", {**data, "reversible": True, "provable": True})
    return state


async def _asked(ctx: Context, state: FaultState, op: str, seconds: float) -> dict[str, Any]:
    state.cut_off = op == "inject"
    reply = await ctx.hosts.ask(state.name, op, state.plan.to_json(), seconds)
    state.cut_off = bool(reply.get("killed"))
    if "error" in reply:
        raise GamedayError(f"the alerts cannot be silenced: {reply['error']}")
    return reply


async def _keep(ctx: Context, state: FaultState) -> None:
    """Renew the lease; where that fails people are told, and the run goes on: they may be paged."""
    failed = False
    while True:
        await anyio.sleep(RENEW_SECONDS)
        reply = await ctx.hosts.ask(state.name, "renew", state.plan.to_json(), ACTIVE_SECONDS)
        if "error" in reply and not failed:
            ctx.note("note", {"text": f"the alerts may not be silenced any more: {reply['error']}"})
        failed = "error" in reply
