"""The phases of a run: warm-up, baseline, its gate, the faults, recovery."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread

from gameday.journal.folder import read_run
from gameday.runner import faults
from gameday.runner.context import Context
from gameday.runner.measuring import Measuring

if TYPE_CHECKING:
    from gameday.judge import GateDecision


async def up_to_gate(ctx: Context, measuring: Measuring) -> bool:
    """Warm up, take the baseline, and decide whether anything may be injected.

    Without an objective there is no baseline: a Chaos Toolkit experiment has a gate of its own.
    """
    if not ctx.experiment.objectives:
        ctx.note("gate", {"passed": True, "reason": "proven", "objectives": []})
        return True
    phases = ctx.experiment.phases
    begin_ms = int(ctx.now_ms()) + 200
    await measuring.begin(begin_ms)
    await ctx.until(begin_ms)
    ctx.note("phase", {"name": "warmup"})
    await ctx.until(begin_ms + phases.warmup)
    ctx.note("phase", {"name": "baseline"})
    end_ms = begin_ms + phases.warmup + phases.baseline
    await ctx.until(end_ms)
    ctx.note("phase", {"name": "gate"})
    await measuring.await_decided()
    await measuring.witnesses.at_gate(end_ms)
    decision = await _decide(ctx.folder.path)
    ctx.note(
        "gate",
        {"passed": decision.passed, "reason": str(decision.reason), "objectives": list(decision.objectives)},
    )
    return decision.passed


async def _decide(folder: Path) -> GateDecision:
    from gameday.judge import judge_gate  # noqa: PLC0415 - heavy, and imported ahead where there is a gate

    return await anyio.to_thread.run_sync(lambda: judge_gate(read_run(folder)))


async def fault_phase(ctx: Context, measuring: Measuring) -> None:
    """Run the timeline; the abort rules act from here on."""
    measuring.arm()
    await faults.inject_all(ctx)


async def recovery(ctx: Context) -> None:
    """Watch the system come back, unless a second signal says that nobody waits for it; without an objective there is nothing to watch."""
    if not ctx.experiment.objectives:
        return
    ctx.note("phase", {"name": "recovery"})
    with ctx.stop.watching:
        await anyio.sleep(ctx.experiment.phases.recovery / 1000)
    if ctx.stop.watching.cancelled_caught:
        ctx.note("skipped", {"what": "recovery", "why": "a second signal"})
