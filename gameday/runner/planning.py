"""Plan every fault of a run before its load starts: resolve the targets, touch nothing, and keep what undoes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

import anyio.to_thread
from anyio.abc import TaskGroup

from gameday.model import Plan, Reason
from gameday.policy.approvals import Met, demands, meet_all
from gameday.policy.refusal import Refusal
from gameday.policy.rules import target_refusals
from gameday.policy.subject import covers, lasting
from gameday.registry import load_driver
from gameday.runner.bounds import fault_max_ms
from gameday.runner.context import Context, FaultState
from gameday.schema.experiment import FaultSpec
from gameday.spi import Driver, Expires, Follows, GamedayError
from gameday.spi.driver import INJECT_SECONDS, REVERT_SECONDS
from gameday.undo.hosts import HostPool
from gameday.undo.leftover import describe, residue
from gameday.undo.steps import SETTLE_SECONDS

PLAN_SECONDS = 10.0


class RefusedError(GamedayError):
    """The targets that were found may not be touched: residue of an ended run, or a policy; nothing has been injected."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


async def plan_faults(
    ctx: Context, hosts: HostPool, specs: Mapping[str, Any], helpers: TaskGroup | None = None
) -> None:
    """Start a host for each fault and plan it; raise GamedayError before any load when one cannot be planned.

    A fault that finds nothing to touch and may be skipped is journalled as such and is no part of this run.
    """
    await hosts.start(specs, helpers)
    for spec in ctx.experiment.faults:
        driver = load_driver(spec.do, spec.with_)
        reply = await hosts.ask(spec.name, "plan", None, PLAN_SECONDS)
        if reply.get("no_target") and spec.when_no_target == "skip":
            ctx.note("skipped", {"what": "fault", "fault": spec.name, "why": f"no target: {reply['error']}"})
            continue
        error = str(reply.get("error", ""))
        plan = Plan.from_json(reply["plan"]) if not error else None
        if plan is None or (error := beyond(spec, plan)):
            hint = ctx.world.secrets.mask(str(reply.get("hint", "")))
            failed = {"fault": spec.name, "action": "plan", "error": error}
            ctx.note("action-failed", {**failed, "hint": hint} if hint else failed)
            raise GamedayError(f"{spec.name} cannot be planned: {error}", hint=hint)
        _planned(ctx, spec, driver, plan)
    targets = [target for fault in ctx.faults.values() for target in fault.plan.targets]
    if found := await anyio.to_thread.run_sync(residue, ctx.experiment, targets):
        raise RefusedError(Reason.RESIDUE, describe(found))
    chosen = {name: fault.plan.targets for name, fault in ctx.faults.items()}
    servers = {name: server for name, fault in ctx.faults.items() if (server := api_server(fault.plan))}
    if forbidden := target_refusals(ctx.policies, ctx.experiment, chosen, servers):
        raise RefusedError(Reason.POLICY, "; ".join(map(str, forbidden)))
    for record in await anyio.to_thread.run_sync(_approvals, ctx, chosen, servers):
        ctx.journal.write("approved", record)


def _approvals(ctx: Context, chosen: Mapping[str, tuple[str, ...]], servers: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return, for the journal, who approved just these targets; raise RefusedError when too few people did."""
    asked = demands(ctx.policies, ctx.experiment, servers)
    if not asked:
        return []
    if ctx.subject is None:
        raise RefusedError(Reason.POLICY, "approvals are asked for, and what was approved is not known")
    ctx.approved = lasting(ctx.experiment, chosen)
    found = list(meet_all(asked, ctx.subject, ctx.approved, datetime.now(UTC)))
    if forbidden := [one for one in found if isinstance(one, Refusal)]:
        raise RefusedError(Reason.POLICY, "; ".join(map(str, forbidden)))
    return [one.record() for one in found if isinstance(one, Met)]


def not_allowed(ctx: Context, fault: str, plan: Plan) -> str:
    """Say why the targets of a later round may not be touched, by a policy or by what was approved; empty when they may."""
    chosen, server = {fault: plan.targets}, api_server(plan)
    forbidden = target_refusals(ctx.policies, ctx.experiment, chosen, {fault: server} if server else {})
    if forbidden:
        return "; ".join(map(str, forbidden))
    if ctx.approved is None or covers({fault: ctx.approved.get(fault)}, lasting(ctx.experiment, chosen)):
        return ""
    return "nobody has approved these targets"


def api_server(plan: Plan) -> str:
    """Return the URL of the API server that a plan for a cluster was made at, and would be carried out at; empty for others."""
    cluster = plan.undo.get("cluster")
    return str(cast("Mapping[str, Any]", cluster).get("server", "")) if isinstance(cluster, Mapping) else ""


def beyond(spec: FaultSpec, plan: Plan) -> str:
    """Say how a plan goes beyond what the file allows; empty when it does not."""
    limit, many, rounds = spec.target_limit, len(plan.targets), 1 + len(spec.rounds)
    if limit is not None and many * rounds > limit:
        shown = ", ".join(plan.targets[:10]) + (", …" if many > 10 else "")  # noqa: PLR2004 - a line
        often = f" in {rounds} rounds" if spec.rounds else ""
        return f"it would touch {many * rounds} targets{often}, and max_targets is {limit}: {shown}"
    if spec.keep_ready is None:
        return ""
    if plan.ready is None:
        return f"keep_ready is {spec.keep_ready}, and {plan.driver} does not count what is ready"
    if plan.ready - many < spec.keep_ready:
        return f"{plan.ready} are ready, it would touch {many}, and keep_ready is {spec.keep_ready}"
    return ""


def _planned(ctx: Context, spec: FaultSpec, driver: Driver, plan: Plan) -> None:
    state = ctx.faults[spec.name] = fault_state(spec, driver, plan)
    ctx.note(
        "planned",
        {
            "fault": spec.name,
            "driver": spec.do,
            "targets": list(state.plan.targets),
            "reversible": state.reversible,
            "provable": state.provable,
            "undo": dict(state.plan.undo),
            **({} if plan.replaced is None else {"replaced": plan.replaced}),
        },
    )


def fault_state(spec: FaultSpec, driver: Driver, plan: Plan) -> FaultState:
    """Return the state of a fault that is planned, and nothing else yet."""
    return FaultState(
        name=spec.name,
        driver=spec.do,
        reversible=driver.reversible,
        provable=driver.provable,
        expires=isinstance(driver, Expires),
        follows=isinstance(driver, Follows),
        inject_seconds=float(getattr(driver, "inject_seconds", INJECT_SECONDS)),
        revert_seconds=float(getattr(driver, "revert_seconds", REVERT_SECONDS)),
        request_seconds=float(getattr(driver, "request_seconds", 0.0)),
        settle_seconds=float(getattr(driver, "settle_seconds", SETTLE_SECONDS)),
        max_seconds=fault_max_ms(spec, driver) / 1000,
        spec=spec,
        plan=plan,
    )
