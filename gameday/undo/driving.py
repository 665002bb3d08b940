"""Drive the steps of a revert on an event loop: for the runner, whose driver hosts do the work."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import anyio

from gameday.undo.steps import Ask, Note, Steps, Undone, Wait

AskHost = Callable[[str, float], Awaitable[dict[str, Any]]]
"""Have one operation done within so many seconds; a failure is an answer: ``{"error": …}``. Must not raise."""


async def drive(
    steps: Steps,
    ask: AskHost,
    note: Callable[[str, Mapping[str, Any]], object],
    paused: Callable[[], None] | None = None,
) -> Undone:
    """Go through the steps; ``paused`` is called at the first pause and at the end, when the next fault may be reverted."""
    try:
        step = next(steps)
        while True:
            answer: dict[str, Any] = {}
            match step:
                case Ask(op=op, seconds=seconds):
                    answer = await ask(op, seconds)
                case Wait(seconds=seconds):
                    if paused is not None:
                        paused()
                    await anyio.sleep(seconds)
                case Note(kind=kind, data=data):
                    note(kind, data)
            step = steps.send(answer)
    except StopIteration as end:
        undone: Undone = end.value
        return undone
    finally:
        if paused is not None:
            paused()
