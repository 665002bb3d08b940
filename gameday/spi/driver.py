"""What a fault driver must provide.

A driver is a frozen dataclass whose fields are the parameters of the experiment file's ``with:``. It is plain, blocking
Python: no threads, no scheduling, no logging of secrets; each call runs in a process of its own with a deadline.

Beside what Driver lists, attributes may say more: ``inject_seconds`` and ``revert_seconds`` (deadlines), and ``request_seconds``: how
long a request that this driver has sent to a remote API may take to act after its sender has died. A revert is then proven again so
much later. ``settle_seconds`` is how long after a revert that nothing cut off the fault is measured once more: 0 where what is measured as
gone cannot come back (a process that has ended). ``imports`` names modules that its methods import when they are called: a host, the
watchdog and ``gameday recover`` import them before they need them; ``inject_imports`` those of ``plan`` and ``inject`` alone, for a host.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from gameday.model import Json, Plan
from gameday.spi.world import World

INJECT_SECONDS = 10.0
"""How long inject may take unless the driver says otherwise by an attribute ``inject_seconds``."""
REVERT_SECONDS = 10.0
"""How long revert may take unless the driver says otherwise by an attribute ``revert_seconds``."""
ACTIVE_SECONDS = 5.0
"""How long one measurement by ``active`` (or ``met``, or one ``renew``) may take."""
FOLLOW_SECONDS = 0.1
"""How long one look at a fault that runs by itself may wait for news."""
EXPIRY_SECONDS = 15.0
"""The lease of a fault that expires by itself: inject sets it, ``renew`` sets it again every third of it."""


@runtime_checkable
class Driver(Protocol):
    """A fault is data, and so is its undo. Every method raises DriverError when it cannot act or does not know."""

    @property
    def name(self) -> str:
        """Registered name, as experiments spell it: ``process.pause``."""
        ...

    @property
    def reversible(self) -> bool:
        """Whether ``revert`` brings the system back; a kill is not reversible."""
        ...

    @property
    def provable(self) -> bool:
        """Whether ``active`` can measure; a user's command without a check cannot."""
        ...

    def plan(self, world: World) -> Plan:
        """Resolve exactly what would be touched; touch nothing; the same again for the same world."""
        ...

    def inject(self, plan: Plan, world: World) -> None:
        """Make the failure happen."""
        ...

    def active(self, plan: Plan, world: World) -> bool:
        """Measure on the world, never from a variable, whether the failure is in force now.

        For an irreversible fault: whether the deed is done (the killed process is gone).
        """
        ...

    def revert(self, plan: Plan, world: World) -> None:
        """Undo from the plan alone: safe twice, before inject, and in another process."""
        ...


@runtime_checkable
class Meets(Protocol):
    """An optional ability: a fault that sits in the path of traffic can count what met it."""

    def met(self, plan: Plan, world: World) -> int:
        """Return how many connections or requests have met this fault since it was injected."""
        ...


@runtime_checkable
class Expires(Protocol):
    """An optional ability: the mechanism itself ends the fault when nobody renews its lease.

    ``inject`` sets the first lease, of EXPIRY_SECONDS. Such a fault ends even if runner and watchdog are both gone.
    """

    def renew(self, plan: Plan, world: World, seconds: float) -> None:
        """Let the fault, which is on, last ``seconds`` from now; raise DriverError when it is not on, and never make it."""
        ...


@runtime_checkable
class Ends(Protocol):
    """An optional ability: to say what this fault does not outlive, whoever undoes it or not."""

    def ends_with(self, plan: Plan) -> frozenset[str]:
        """Name its ends, of ``runner`` (its mechanism lives no longer than the runner) and ``boot`` (of this machine)."""
        ...


@runtime_checkable
class Follows(Protocol):
    """An optional ability: what was injected runs by itself, comes to its own end, and tells what it does.

    Its ``for`` is a maximum. It is on from the first thing told with ``what`` = ``method`` until it is reverted.
    """

    def follow(self, plan: Plan, world: World, seen: int, seconds: float) -> Json:
        """Return what it has told beyond the first ``seen`` things, waiting at most ``seconds`` for any.

        ``{"told": [{"what": …, "at_ns": CLOCK_MONOTONIC in ns, …}], "over": bool, "stopped": {"reason", "detail"} or None}``:
        ``over`` says that it has ended and everything was told, ``stopped`` why that was not by itself.
        """
        ...
