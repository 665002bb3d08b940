"""How one fault is reverted and proven gone, apart from who does it.

The steps are a generator: it yields what to do next and is sent the answer. The runner drives it over a driver host on its event
loop, the watchdog and ``gameday recover`` over a forked process; the rules are the same because they are these.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gameday.model import Plan
from gameday.spi.driver import ACTIVE_SECONDS

SETTLE_SECONDS = 0.2
"""A revert is proven when the fault is measured as gone, and gone again this much later."""
ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Ask:
    """Have a driver do this; the answer is its JSON reply."""

    op: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Wait:
    """Let this much time pass; there is no answer."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Note:
    """Write this to the journal where that is possible; there is no answer, and a revert goes on without a journal."""

    kind: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """How the undo of one fault went."""

    fault: str
    targets: tuple[str, ...] = ()
    clean: bool
    """The fault is gone: measured, or (``proven`` None) reported by an undo that has no check."""
    proven: bool | None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revertible:
    """What the steps must know of a fault."""

    name: str
    plan: Plan
    provable: bool
    revert_seconds: float = field(default=10.0)
    settle_seconds: float = SETTLE_SECONDS
    """How long after the first measurement the second one comes: longer where a request may still be on its way, 0 for no second one."""


Steps = Generator[Ask | Wait | Note, dict[str, Any], Undone]


def revert_steps(fault: Revertible, *, by: str) -> Steps:
    """Revert, measure, retry; end with ``reverted`` or, loudest of all, ``still-active``."""
    error = ""
    for attempt in range(ATTEMPTS):
        yield Note("revert-called", {"fault": fault.name, "by": by})
        error = str((yield Ask("revert", fault.revert_seconds)).get("error", ""))
        if error:
            yield Note("revert-failed", {"fault": fault.name, "by": by, "error": error})
        yield Wait(0.0)  # the call has been made: that of the next fault need not wait for this one's proof
        gone, why = yield from _gone(fault)
        if gone or (gone is None and not error):
            yield Note("reverted", {"fault": fault.name, "by": by, "proven": gone, "error": error})
            return Undone(fault=fault.name, targets=fault.plan.targets, clean=True, proven=gone, error=error)
        error = error or why
        if attempt + 1 < ATTEMPTS:
            yield Wait(0.1 * (attempt + 1))
    yield Note("still-active", {"fault": fault.name, "by": by, "error": error})
    return Undone(fault=fault.name, targets=fault.plan.targets, clean=False, proven=False, error=error)


def _gone(fault: Revertible) -> Generator[Ask | Wait | Note, dict[str, Any], tuple[bool | None, str]]:
    """Measure, twice where there is a settle window: True gone, False still on or unknown, None when there is no check."""
    if not fault.provable:
        return None, "there is no check"
    for wait in (0.0, fault.settle_seconds) if fault.settle_seconds else (0.0,):
        if wait:
            yield Wait(wait)
        answer = yield Ask("active", ACTIVE_SECONDS)
        if answer.get("active") is not False:
            return False, str(answer.get("error") or "it is still measured as on")
    return True, ""
