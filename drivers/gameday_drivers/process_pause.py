"""Pause a process with SIGSTOP and resume it with SIGCONT: it keeps its sockets and answers nothing, like a long stall."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass, field

from gameday.model import Plan, ProcessRef
from gameday.spi import DriverError, World
from gameday.spi.processes import send, state
from gameday_drivers.process_target import MATCH_HELP, PIDFILE_HELP, PROCESS_HELP, check_selectors, ref_of, resolve

_LANDING_SECONDS = 1.0
"""A signal takes a moment to land in a process that is inside the kernel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseProcess:
    """Pause one process, and not its children: they go on, so pause the process that does the work."""

    process: str = field(default="", metadata={"help": PROCESS_HELP})
    pidfile: str = field(default="", metadata={"help": PIDFILE_HELP})
    match: str = field(default="", metadata={"help": MATCH_HELP})

    name = "process.pause"
    reversible = True
    provable = True

    def __post_init__(self) -> None:
        check_selectors(process=self.process, pidfile=self.pidfile, match=self.match)

    def plan(self, world: World) -> Plan:
        """Find it; refuse one that somebody else has stopped, because our undo would resume it."""
        target = resolve(world, process=self.process, pidfile=self.pidfile, match=self.match)
        if state(target.ref) in ("T", "t"):
            raise DriverError(f"{target.words} is stopped already", hint=f"kill -CONT {target.ref.pid}")
        return Plan(driver=self.name, targets=(target.words,), undo=target.undo())

    def inject(self, plan: Plan, world: World) -> None:  # noqa: ARG002 - the interface
        """Stop that very process; raise DriverError when it is gone."""
        ref = ref_of(plan.undo)
        if not send(ref, signal.SIGSTOP):
            raise DriverError(f"{plan.targets[0]} is gone")
        _await_stopped(ref, stopped=True)

    def active(self, plan: Plan, world: World) -> bool:  # noqa: ARG002 - the interface
        """Measure whether that very process is stopped; one that has died is not."""
        return state(ref_of(plan.undo)) == "T"

    def ends_with(self, plan: Plan) -> frozenset[str]:  # noqa: ARG002 - the interface
        """No process outlives the boot."""
        return frozenset({"boot"})

    def revert(self, plan: Plan, world: World) -> None:  # noqa: ARG002 - the interface
        """Resume that very process, whatever its state: a stop that has not landed yet is taken back too."""
        ref = ref_of(plan.undo)
        if send(ref, signal.SIGCONT):
            _await_stopped(ref, stopped=False)


def _await_stopped(ref: ProcessRef, *, stopped: bool) -> None:
    """Give the signal time to land; whether it did is for ``active`` to say."""
    end = time.monotonic() + _LANDING_SECONDS
    while (state(ref) == "T") is not stopped and time.monotonic() < end:
        time.sleep(0.001)
