"""Kill a process: SIGKILL, which it cannot catch, as a crash or the out-of-memory killer would."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field

from gameday.model import Plan
from gameday.spi import DriverError, Recovery, World
from gameday.spi.processes import alive, marked, send
from gameday.spi.readiness import log_size, why_not_ready
from gameday_drivers.process_target import MATCH_HELP, PIDFILE_HELP, PROCESS_HELP, check_selectors, ref_of, resolve


@dataclass(frozen=True, slots=True, kw_only=True)
class KillProcess:
    """Kill one process, and not its children, as a crash does; ``restart: always`` or its supervisor may bring it back."""

    process: str = field(default="", metadata={"help": PROCESS_HELP})
    pidfile: str = field(default="", metadata={"help": PIDFILE_HELP})
    match: str = field(default="", metadata={"help": MATCH_HELP})

    name = "process.kill"
    reversible = False
    provable = True

    def __post_init__(self) -> None:
        check_selectors(process=self.process, pidfile=self.pidfile, match=self.match)

    def plan(self, world: World) -> Plan:
        """Find it, and say so if nothing under ``system:`` will start it again."""
        target = resolve(world, process=self.process, pidfile=self.pidfile, match=self.match)
        stays_down = self.process and not world.system[self.process].restart
        words = f"{target.words} (nothing starts it again)" if stays_down else target.words
        if not self.process:
            return Plan(driver=self.name, targets=(words,), undo=target.undo())
        known = [ref.to_json() for _, ref in marked(world.run_id, self.process)]
        begin = log_size(world.system[self.process])
        undo = {**target.undo(), "name": self.process, "known": known, "log_from": begin}
        return Plan(driver=self.name, targets=(words,), undo=undo, replaced=0 if stays_down else 1)

    def inject(self, plan: Plan, world: World) -> None:  # noqa: ARG002 - the interface
        """Kill that very process; raise DriverError when it is gone already, which was not our doing."""
        if not send(ref_of(plan.undo), signal.SIGKILL):
            raise DriverError(f"{plan.targets[0]} was gone before it could be killed")

    def active(self, plan: Plan, world: World) -> bool:  # noqa: ARG002 - the interface
        """Measure whether that very process is gone; another of its name does not count."""
        return not alive(ref_of(plan.undo))

    def recovered(self, plan: Plan, world: World) -> Recovery:
        """Measure whether another process of that name runs and shows that it is ready, as the file says.

        None counts that was there when it was planned, children of the dead included, and nothing that was in its log then.
        """
        if plan.undo.get("known") is None:
            raise DriverError(f"it is not known what starts {plan.targets[0]} again")
        if alive(ref_of(plan.undo)):
            return Recovery(lost=1, wanted=1, back=0, detail=f"{plan.targets[0]} still runs")
        known = plan.undo["known"]
        others = [ref for _, ref in marked(world.run_id, plan.undo["name"]) if ref.to_json() not in known]
        detail = "" if others else f"no other {plan.targets[0]} has been started"
        spec = world.system[plan.undo["name"]]
        if others and spec.ready:
            detail = why_not_ready(spec, spec.ready, log_from=int(plan.undo["log_from"]))
        return Recovery(lost=1, wanted=1, back=0 if detail else 1, detail=detail)

    def revert(self, plan: Plan, world: World) -> None:
        """Do nothing: the dead stay dead."""
