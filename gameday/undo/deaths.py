"""Which deaths a fault's undo survives, and why: what ``gameday plan`` prints beside each fault.

The rule. A reversible fault is undone by the watchdog when the runner is killed, and within the lease when it hangs. When the
watchdog is killed with it, only what ends by itself is gone: a fault whose lease nobody renews (Expires), or whose mechanism lives no
longer than the runner (Ends: ``runner``). After a reboot what the kernel or a process of this machine held is gone (Ends: ``boot``), and
what has a lease. Everything else waits for ``gameday recover``. What cannot be undone survives every death.
"""

from __future__ import annotations

from collections.abc import Mapping

from gameday.model import Plan
from gameday.spi import Driver, Ends, Expires

KILLED, HUNG, BOTH, REBOOT = "runner killed", "runner hung", "watchdog killed too", "machine rebooted"
DEATHS = (KILLED, HUNG, BOTH, REBOOT)


def ends_with(driver: Driver, plan: Plan) -> frozenset[str]:
    """Return the ends that this fault does not outlive: of ``runner``, ``boot``, ``lease``."""
    said = driver.ends_with(plan) if isinstance(driver, Ends) else frozenset[str]()
    return said | {"lease"} if isinstance(driver, Expires) else said


def deaths(driver: Driver, plan: Plan) -> Mapping[str, bool]:
    """Return for each of DEATHS whether the fault is gone afterwards without anybody doing anything: pure."""
    ends = ends_with(driver, plan)
    undone = driver.reversible
    return {
        KILLED: undone,
        HUNG: undone,
        BOTH: undone and bool(ends & {"runner", "lease"}),
        REBOOT: undone and bool(ends & {"boot", "lease"}),
    }
