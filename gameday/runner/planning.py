"""Plan every fault of a run before its load starts: resolve the targets, touch nothing, and keep what undoes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gameday.model import Plan
from gameday.registry import load_driver
from gameday.runner.context import Context, FaultState
from gameday.spi import Driver, GamedayError
from gameday.spi.driver import INJECT_SECONDS, REVERT_SECONDS
from gameday.undo.hosts import HostPool

PLAN_SECONDS = 10.0


async def plan_faults(ctx: Context, hosts: HostPool, specs: Mapping[str, Any]) -> None:
    """Start a host for each fault and plan it; raise DriverError before any load when one cannot be planned."""
    await hosts.start(specs)
    for spec in ctx.experiment.faults:
        driver = load_driver(spec.do, spec.with_)
        reply = await hosts.ask(spec.name, "plan", None, PLAN_SECONDS)
        if "error" in reply:
            ctx.note("action-failed", {"fault": spec.name, "action": "plan", "error": reply["error"]})
            raise GamedayError(f"{spec.name} cannot be planned: {reply['error']}", hint=str(reply.get("hint", "")))
        state = _state(spec.name, spec.do, driver, Plan.from_json(reply["plan"]))
        ctx.faults[spec.name] = state
        ctx.note(
            "planned",
            {
                "fault": spec.name,
                "driver": spec.do,
                "targets": list(state.plan.targets),
                "reversible": state.reversible,
                "provable": state.provable,
                "undo": dict(state.plan.undo),
            },
        )


def _state(name: str, kind: str, driver: Driver, plan: Plan) -> FaultState:
    return FaultState(
        name=name,
        driver=kind,
        reversible=driver.reversible,
        provable=driver.provable,
        inject_seconds=float(getattr(driver, "inject_seconds", INJECT_SECONDS)),
        revert_seconds=float(getattr(driver, "revert_seconds", REVERT_SECONDS)),
        plan=plan,
    )
