"""A fault that runs by itself, like a whole experiment of another tool: what it tells goes into the journal, until it is over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import anyio

from gameday.model import Json, Reason
from gameday.runner.context import Context, FaultState
from gameday.spi.driver import ACTIVE_SECONDS

Ask = Callable[[str, float], Awaitable[dict[str, Any]]]
"""Have one operation done for this fault within so many seconds; a failure is an answer: ``{"error": …}``."""


async def follow(ctx: Context, fault: FaultState, ask: Ask, end_ms: float) -> None:
    """Follow it to its own end, or to its maximum; one that did not end by itself ends the run."""
    while ctx.now_ms() < end_ms:
        reply = await hear(ctx, fault, ask)
        if "error" in reply:
            ctx.note("action-failed", {"fault": fault.name, "action": "follow", "error": reply["error"]})
            ctx.abort(Reason.ACTION_FAILED, f"lost control of {fault.name}: {reply['error']}")
            await anyio.sleep_forever()
        if reply["over"]:
            if stopped := reply.get("stopped"):
                ctx.abort(Reason(stopped["reason"]), f"{fault.name}: {stopped['detail']}")
                await anyio.sleep_forever()
            ctx.note("ended", {"fault": fault.name})
            return
    ctx.note(
        "action-failed", {"fault": fault.name, "action": "hold", "error": "it had not ended when its maximum was over"}
    )


async def hear(ctx: Context, fault: FaultState, ask: Ask) -> dict[str, Any]:
    """Take in once what it has told; the first word of its method is the proof that it is on."""
    reply = await ask(f"follow {fault.heard}", ACTIVE_SECONDS)
    told: Iterable[Json] = reply.get("told") or ()
    for event in told:
        fault.heard += 1
        at_ms = round(int(event["at_ns"]) / 1e6 - ctx.journal.epoch_ns / 1e6, 3)
        ctx.note("told", {"fault": fault.name, "told_ms": at_ms, **{k: v for k, v in event.items() if k != "at_ns"}})
        if event["what"] == "method":
            ctx.note("active", {"fault": fault.name, "active": True, "when": "proof"})
    return reply


async def hear_out(ctx: Context, fault: FaultState, ask: Ask) -> None:
    """Take in what it told while it was being undone."""
    while (await hear(ctx, fault, ask)).get("told"):
        pass
