"""What goes on beside a run for as long as anything may have to be undone: heartbeats, signals, the watch over the watchdog."""

from __future__ import annotations

import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread

from gameday.model import Reason
from gameday.runner.bounds import run_max_ms
from gameday.runner.context import Context
from gameday.undo.guardian import HEARTBEAT_SECONDS, WatchdogLostError
from gameday.undo.state import pressed

BUTTON_SECONDS = 0.2
"""How often the red button is looked at."""
_WHY_LIMIT = 500
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@asynccontextmanager
async def services(ctx: Context) -> AsyncGenerator[None]:
    """Heartbeats, signals and the watch over the watchdog, for as long as anything may have to be undone."""
    async with anyio.create_task_group() as group:
        group.start_soon(_beat, ctx)
        group.start_soon(_watch_watchdog, ctx)
        group.start_soon(ctx.guardian.listen)
        group.start_soon(_watch_button, ctx)
        group.start_soon(_end_at_maximum, ctx)
        await group.start(_signals, ctx)
        yield
        group.cancel_scope.cancel()


async def _beat(ctx: Context) -> None:
    while True:
        try:
            ctx.guardian.beat()
        except WatchdogLostError as error:
            ctx.abort(Reason.WATCHDOG_LOST, str(error))
            return
        await anyio.sleep(HEARTBEAT_SECONDS)


async def _watch_watchdog(ctx: Context) -> None:
    code = await ctx.guardian.wait()
    ctx.note("watchdog-lost", {"error": f"the watchdog ended with {code}"})
    ctx.abort(Reason.WATCHDOG_LOST, "the watchdog ended while the run was on")


async def _end_at_maximum(ctx: Context) -> None:
    """Stop and revert when the run takes longer than all of its phases and deadlines together."""
    longest_ms = run_max_ms(ctx.experiment)
    await ctx.until(longest_ms)
    ctx.abort(Reason.GUARD, f"the run takes longer than its maximum of {longest_ms / 1000:g} s")


async def _watch_button(ctx: Context) -> None:
    """Stop and revert when somebody presses the red button, or the one of this run alone."""
    while True:
        why = await anyio.to_thread.run_sync(_pressed, ctx.folder.stop, abandon_on_cancel=True)
        if why:
            ctx.abort(Reason.PERSON, why)
            return
        await anyio.sleep(BUTTON_SECONDS)


def _pressed(own: Path) -> str:
    if why := pressed():
        return f"gameday stop: {why}"
    try:
        return own.read_text(encoding="utf-8", errors="replace")[:_WHY_LIMIT] or "stopped, no reason given"
    except OSError:
        return ""


async def _signals(ctx: Context, *, task_status: anyio.abc.TaskStatus[None]) -> None:
    """Stop and revert at the first signal; a second skips what only watches, never a revert or a record."""
    with anyio.open_signal_receiver(*SIGNALS) as received:
        task_status.started()
        async for signum in received:
            if ctx.stop.reason is None:
                ctx.abort(Reason.SIGNAL, signal.Signals(signum).name)
            else:
                ctx.stop.watching.cancel()
