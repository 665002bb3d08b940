"""The life of each fault: planned again, armed on disk, injected on time, proven, held, reverted, proven gone."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import anyio.to_thread

from gameday.journal.writer import JournalError
from gameday.model import Plan, Reason
from gameday.runner import following
from gameday.runner.context import Context, FaultState
from gameday.runner.planning import PLAN_SECONDS, beyond, not_allowed
from gameday.spi import GamedayError
from gameday.spi.driver import ACTIVE_SECONDS
from gameday.timeline import ARM_BEFORE_MS, ZERO_AFTER_GATE_MS
from gameday.undo.driving import drive
from gameday.undo.guardian import LEASE_SECONDS, WatchdogLostError, arm
from gameday.undo.steps import ATTEMPTS, SETTLE_SECONDS, Revertible, revert_steps

PROVE_SECONDS = 2.0
"""How long a fault may take from the end of inject until it is measured as on."""
HOLD_SECONDS = 5.0
"""How often a fault that is on is measured."""


async def live(ctx: Context, fault: FaultState, zero_ms: float) -> None:
    """Take one fault through its life; a cancellation leaves it as it is, for ``revert_open``."""
    due = ctx.timeline.of(fault.name)
    end_ms = zero_ms + due.get("revert", due.get("observed", 0))
    await ctx.until(zero_ms + due["arm"])
    if not await _plan_again(ctx, fault):
        return
    await _arm(ctx, fault)
    with anyio.move_on_after(fault.max_seconds or None) as longest:
        if not await _in_force(ctx, fault, zero_ms + due["inject"], end_ms):
            return
    if longest.cancelled_caught:
        text = f"{fault.name} was still on after {fault.max_seconds:g} s, its maximum"
        ctx.note("action-failed", {"fault": fault.name, "action": "hold", "error": text})
        if fault.reversible:
            await revert(ctx, fault)
        ctx.abort(Reason.ACTION_FAILED, text)
        return
    if fault.reversible:
        await revert(ctx, fault)
        return
    fault.undone = True
    ctx.note("observed", {"fault": fault.name})


async def _in_force(ctx: Context, fault: FaultState, inject_ms: float, end_ms: float) -> bool:
    """Inject, prove and hold until its end; return False when it was never injected, which is then undone."""
    await ctx.until(inject_ms)
    if not await _inject(ctx, fault):
        fault.undone = not fault.reversible
        if fault.reversible:
            await revert(ctx, fault)
        return False
    if fault.follows:
        await following.follow(ctx, fault, partial(_ask, ctx, fault), end_ms)
        return True
    on = await _prove(ctx, fault)
    if fault.reversible:
        if on:
            ctx.lost(fault, 1)
        await _hold(ctx, fault, end_ms, on=on)
        return True
    if on:
        ctx.note("deed", {"fault": fault.name})
        ctx.lost(fault, 1)
        await _repeat(ctx, fault, inject_ms)
    await ctx.until(end_ms)
    return True


async def _repeat(ctx: Context, fault: FaultState, begin_ms: float) -> None:
    """Do it again, as often as the file says: each round is planned anew, within the same bounds, and proven.

    Nothing but this loop begins a round, so that none comes after the end of the runner.
    """
    rounds, done = fault.spec.rounds if fault.spec else (), 0
    for number, after_ms in enumerate(rounds, start=2):
        await ctx.until(begin_ms + after_ms - ARM_BEFORE_MS)
        why = await _plan_round(ctx, fault, number)
        if why:
            ctx.note("round-skipped", {"fault": fault.name, "round": number, "why": why})
            continue
        await ctx.until(begin_ms + after_ms)
        if not await _inject(ctx, fault) or not await _prove(ctx, fault):
            return
        ctx.note("deed", {"fault": fault.name})
        ctx.lost(fault, number)
        done += 1
    if done < len(rounds):
        ctx.note("unproven", {"fault": fault.name, "why": "rounds"})


async def _plan_round(ctx: Context, fault: FaultState, number: int) -> str:
    """Plan a round and put it on the disk; say why it cannot be, empty when it can."""
    reply = await _ask(ctx, fault, "plan", PLAN_SECONDS)
    if "error" in reply:
        return str(reply["error"])
    plan = Plan.from_json(reply["plan"])
    if fault.spec and (why := beyond(fault.spec, plan)):
        return why
    if why := await anyio.to_thread.run_sync(not_allowed, ctx, fault.name, plan):
        return why
    fault.plan = plan
    try:
        ctx.journal.write("round", {"fault": fault.name, "round": number, "plan": plan.to_json()})
    except JournalError as error:
        ctx.abort(Reason.ACTION_FAILED, str(error))
        await anyio.sleep_forever()
    return ""


async def _plan_again(ctx: Context, fault: FaultState) -> bool:
    """Plan once more just before arming; refuse other targets than were planned."""
    reply = await _ask(ctx, fault, "plan", PLAN_SECONDS)
    error = str(reply.get("error", ""))
    if not error:
        plan = Plan.from_json(reply["plan"])
        if plan.targets == fault.plan.targets:
            fault.plan = plan
            return True
        error = f"the targets changed: planned {', '.join(fault.plan.targets)}, now {', '.join(plan.targets)}"
    ctx.note("action-failed", {"fault": fault.name, "action": "plan", "error": error})
    return False


async def _arm(ctx: Context, fault: FaultState) -> None:
    """Put the undo on the disk and into the watchdog's memory; without both, stop the run before anything is injected."""
    fault.armed = 1 + max(other.armed for other in ctx.faults.values())
    try:
        with anyio.CancelScope(shield=True):
            guardian = ctx.guardian if fault.reversible else None
            await arm(ctx.journal, guardian, fault.name, fault.plan, _watched_seconds(fault))
    except (JournalError, WatchdogLostError) as error:
        ctx.abort(_reason(error), str(error))
        await anyio.sleep_forever()


def _watched_seconds(fault: FaultState) -> float | None:
    """How long the watchdog lets a fault be: its maximum, and every attempt of ours to revert it."""
    if not fault.max_seconds:
        return None
    attempt = fault.revert_seconds + 2 * ACTIVE_SECONDS + max(SETTLE_SECONDS, fault.request_seconds)
    return fault.max_seconds + ATTEMPTS * attempt + LEASE_SECONDS


async def _inject(ctx: Context, fault: FaultState) -> bool:
    try:
        ctx.guardian.check_fresh()
        ctx.journal.write("inject-called", {"fault": fault.name})
    except (JournalError, WatchdogLostError) as error:
        ctx.abort(_reason(error), str(error))
        await anyio.sleep_forever()
    began = anyio.current_time()
    fault.cut_off = True
    reply = await _ask(ctx, fault, "inject", fault.inject_seconds)
    fault.cut_off = bool(reply.get("killed"))
    if "error" in reply:
        ctx.note("action-failed", {"fault": fault.name, "action": "inject", "error": reply["error"]})
        return False
    ctx.note("injected", {"fault": fault.name, "seconds": round(anyio.current_time() - began, 4)})
    return True


async def _ask(ctx: Context, fault: FaultState, op: str, seconds: float) -> dict[str, Any]:
    """Have one operation done; that nobody can do it any more is an answer too, and never keeps other faults on."""
    try:
        plan = None if op == "plan" else fault.plan.to_json()
        return await ctx.hosts.ask(fault.name, op, plan, seconds)
    except (GamedayError, OSError) as error:
        return {"error": f"no driver host: {ctx.world.secrets.mask(str(error))}"}


async def _prove(ctx: Context, fault: FaultState) -> bool:
    """Measure until the fault is on; say so when it never is, or cannot be measured."""
    if not fault.provable:
        ctx.note("unproven", {"fault": fault.name, "why": "no-check"})
        return True
    end = anyio.current_time() + PROVE_SECONDS
    while True:
        if await _active(ctx, fault, "proof"):
            return True
        if anyio.current_time() >= end:
            ctx.note("unproven", {"fault": fault.name, "why": "never"})
            return False
        await anyio.sleep(0.02)


async def _active(ctx: Context, fault: FaultState, when: str) -> bool:
    """Measure once; a measurement that fails means that control of the driver is lost, which ends the run."""
    reply = await _ask(ctx, fault, "active", ACTIVE_SECONDS)
    if "error" in reply:
        ctx.note("action-failed", {"fault": fault.name, "action": "active", "error": reply["error"]})
        ctx.abort(Reason.ACTION_FAILED, f"lost control of {fault.name}: {reply['error']}")
        await anyio.sleep_forever()
    active = bool(reply["active"])
    if active or when != "proof":
        ctx.note("active", {"fault": fault.name, "active": active, "when": when})
    return active


async def _hold(ctx: Context, fault: FaultState, end_ms: float, *, on: bool) -> None:
    """Measure while the fault should be on, and just before its end; a gap in it is evidence against the run."""
    await _renew(ctx, fault)
    while (left := end_ms - ctx.now_ms()) > HOLD_SECONDS * 1000:
        await ctx.until(end_ms - left + HOLD_SECONDS * 1000)
        await _renew(ctx, fault)
        if fault.provable and on and not await _active(ctx, fault, "hold"):
            ctx.note("unproven", {"fault": fault.name, "why": "gone-early"})
            on = False
    await ctx.until(end_ms)
    if fault.provable and on and not await _active(ctx, fault, "before-revert"):
        ctx.note("unproven", {"fault": fault.name, "why": "gone-early"})
    await _met(ctx, fault)


async def _met(ctx: Context, fault: FaultState) -> None:
    reply = await _ask(ctx, fault, "met", ACTIVE_SECONDS)
    if "error" in reply:
        ctx.note("action-failed", {"fault": fault.name, "action": "met", "error": reply["error"]})
    elif reply.get("met") is not None:
        ctx.note("met", {"fault": fault.name, "count": reply["met"]})
        if not reply["met"]:
            ctx.note("unproven", {"fault": fault.name, "why": "no-traffic"})


async def _renew(ctx: Context, fault: FaultState) -> None:
    """Renew the lease of a fault that has one; where that fails the next measurement says what came of it."""
    if not fault.expires:
        return
    reply = await _ask(ctx, fault, "renew", ACTIVE_SECONDS)
    if "error" in reply:
        ctx.note("action-failed", {"fault": fault.name, "action": "renew", "error": reply["error"]})


async def revert(ctx: Context, fault: FaultState, paused: Callable[[], None] | None = None) -> None:
    """Revert one fault and prove it gone; once begun, nothing interrupts it. ``paused`` is called when it first waits, and at its end."""
    settle = max(SETTLE_SECONDS, fault.request_seconds) if fault.cut_off else fault.settle_seconds
    steps = revert_steps(
        Revertible(
            name=fault.name,
            plan=fault.plan,
            provable=fault.provable,
            revert_seconds=fault.revert_seconds,
            settle_seconds=settle,
        ),
        by="runner",
    )
    with anyio.CancelScope(shield=True):
        outcome = await drive(steps, partial(_ask, ctx, fault), ctx.note, paused)
        if fault.follows:
            await following.hear_out(ctx, fault, partial(_ask, ctx, fault))
        fault.undone, fault.dirty = outcome.clean, not outcome.clean
        if outcome.clean:
            try:
                ctx.guardian.tell_reverted(fault.name)
            except WatchdogLostError as error:
                ctx.note("note", {"text": f"the watchdog could not be told that {fault.name} is reverted: {error}"})


async def revert_open(ctx: Context) -> None:
    """Revert whatever is still on, newest first; legal at any moment, and harmless when nothing is.

    The calls keep that order; the settle windows and retries of one fault do not keep the next one waiting.
    """
    left = [fault for fault in ctx.faults.values() if fault.open and fault.reversible and not fault.dirty]
    async with anyio.create_task_group() as group:
        for fault in sorted(left, key=lambda fault: fault.armed, reverse=True):
            paused = anyio.Event()
            group.start_soon(revert, ctx, fault, paused.set)
            await paused.wait()


async def inject_all(ctx: Context) -> float:
    """Run the timeline from 200 ms after now to the end of the last fault; return its time zero.

    A fault that runs by itself, alone and measured by nobody else, has no time to keep: it begins as soon as its undo is on the disk.
    """
    alone = bool(ctx.faults) and not ctx.experiment.objectives and all(fault.follows for fault in ctx.faults.values())
    zero_ms = ctx.now_ms() + (0 if alone else ZERO_AFTER_GATE_MS)
    async with anyio.create_task_group() as group:
        for fault in ctx.faults.values():
            group.start_soon(live, ctx, fault, zero_ms)
        await ctx.until(zero_ms)
        ctx.note("phase", {"name": "fault"})
        if any(not fault.follows for fault in ctx.faults.values()) or not ctx.faults:
            await ctx.until(zero_ms + _fixed_end_ms(ctx))
    return zero_ms


def _fixed_end_ms(ctx: Context) -> int:
    """Return when the last fault is over that does not end by itself."""
    runs = {fault.name for fault in ctx.faults.values() if fault.follows}
    return max((fault.at + fault.length for fault in ctx.experiment.faults if fault.name not in runs), default=0)


def _reason(error: Exception) -> Reason:
    return Reason.WATCHDOG_LOST if isinstance(error, WatchdogLostError) else Reason.ACTION_FAILED
