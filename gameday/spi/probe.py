"""What a probe must provide: one number about the system, read again and again while a run is on.

A probe is a frozen dataclass whose fields are the members of its entry under ``slis:``; the value of the key that names
its kind is the field ``value``. It is plain, blocking Python: no threads, no scheduling, no logging of secrets. Each read
runs in a worker thread with a deadline; one that does not return in time is abandoned, and its sample is missing.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from gameday.spi.processes import NAME_MARK, RUN_MARK
from gameday.spi.world import World

READ_MS = 5_000
"""How long one read may take unless the file says otherwise, in milliseconds."""
MARK = "probe:"
"""How the name begins under which a process that a probe has started is found; no name under ``system:`` has a colon."""


def marks(world: World, kind: str) -> dict[str, str]:
    """Return the environment that a process which a probe starts must have: a lost runner's watchdog ends it by that."""
    return {RUN_MARK: world.run_id, NAME_MARK: MARK + kind}


@runtime_checkable
class Probe(Protocol):
    """Reads one SLI. It changes nothing, keeps nothing between reads, and measures the world each time."""

    @property
    def name(self) -> str:
        """Registered kind, as experiments spell it: ``http``."""
        ...

    @property
    def timeout(self) -> float:
        """Seconds within which ``read`` returns or raises; the runner abandons it a moment later."""
        ...

    def read(self, world: World) -> float:
        """Return the number as it is now.

        Raises ProbeError when it cannot be read now, and QueryError when the source did answer, but not with this number.
        Never returns a number that was not measured, and never zero for "nothing there".
        """
        ...
