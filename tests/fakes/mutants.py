"""Drivers that break one law each: the contract must notice every one of them."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from itertools import count
from pathlib import Path

from gameday.model import Plan
from gameday.spi import DriverError, Recovery, World
from gameday.spi.processes import send, start_process
from gameday_drivers.command import Command
from gameday_drivers.process_kill import KillProcess
from gameday_drivers.process_pause import PauseProcess
from gameday_drivers.process_stop import StopProcess
from gameday_drivers.process_target import ref_of

_INJECTED: set[int] = set()
_NONCE = count()


class PlanInjects(PauseProcess):
    def plan(self, world: World) -> Plan:
        plan = super().plan(world)
        self.inject(plan, world)
        return plan


class PlanDiffers(PauseProcess):
    def plan(self, world: World) -> Plan:
        plan = super().plan(world)
        return Plan(driver=plan.driver, targets=plan.targets, undo={**plan.undo, "nonce": next(_NONCE)})


class PlanNamesNothing(PauseProcess):
    def plan(self, world: World) -> Plan:
        return Plan(driver=self.name, targets=(), undo=super().plan(world).undo)


class PlanHoldsWhatIsNotJson(PauseProcess):
    def plan(self, world: World) -> Plan:
        plan = super().plan(world)
        return Plan(driver=plan.driver, targets=plan.targets, undo={**plan.undo, "path": (1, 2)})


class InjectDoesNothing(PauseProcess):
    def inject(self, plan: Plan, world: World) -> None:
        pass


class RevertStops(PauseProcess):
    def revert(self, plan: Plan, world: World) -> None:
        send(ref_of(plan.undo), signal.SIGSTOP)


class RevertOnlyOnce(PauseProcess):
    def revert(self, plan: Plan, world: World) -> None:
        if not self.active(plan, world):
            raise DriverError("there is nothing to revert")
        super().revert(plan, world)


class RevertRemembers(PauseProcess):
    """Reverts only what this very process has injected."""

    def inject(self, plan: Plan, world: World) -> None:
        _INJECTED.add(ref_of(plan.undo).pid)
        super().inject(plan, world)

    def revert(self, plan: Plan, world: World) -> None:
        if ref_of(plan.undo).pid in _INJECTED:
            super().revert(plan, world)


class ActiveIsAlwaysTrue(PauseProcess):
    def active(self, plan: Plan, world: World) -> bool:
        return True


class ActiveIsAlwaysFalse(PauseProcess):
    def active(self, plan: Plan, world: World) -> bool:
        return False


class ActiveRemembers(PauseProcess):
    """Answers from a variable: the revert that another process does is not seen."""

    def inject(self, plan: Plan, world: World) -> None:
        _INJECTED.add(ref_of(plan.undo).pid)
        super().inject(plan, world)

    def active(self, plan: Plan, world: World) -> bool:
        return ref_of(plan.undo).pid in _INJECTED

    def revert(self, plan: Plan, world: World) -> None:
        _INJECTED.discard(ref_of(plan.undo).pid)
        super().revert(plan, world)


class ComesBack(PauseProcess):
    """Leaves a process behind that stops the target again a moment after the revert."""

    def revert(self, plan: Plan, world: World) -> None:
        super().revert(plan, world)
        code = f"import os, time; time.sleep(0.1); os.kill({ref_of(plan.undo).pid}, {int(signal.SIGSTOP)})"
        with subprocess.Popen([sys.executable, "-c", code], start_new_session=True) as process:
            process.returncode = 0


class InjectsFromElsewhere(Command):
    """Its command leaves the session of its host, so that no deadline reaches it."""

    def inject(self, plan: Plan, world: World) -> None:
        with subprocess.Popen(self.run, start_new_session=True) as process:
            process.wait()


class SaysThatItLandsLate(InjectsFromElsewhere):
    """Says so to a run, which measures again that much later."""

    request_seconds = 1.0


class RevertTrustsTheDying(StopProcess):
    """Takes a process that has had SIGTERM, but not ended yet, for one that runs."""

    def revert(self, plan: Plan, world: World) -> None:
        start_process(world.system[self.process], world.run_id, world.secrets)


class RevertKills(KillProcess):
    def revert(self, plan: Plan, world: World) -> None:
        send(ref_of(plan.undo), signal.SIGKILL)


class RevertOfADeedFails(KillProcess):
    def revert(self, plan: Plan, world: World) -> None:
        raise DriverError("the dead stay dead")


class KillsNobody(KillProcess):
    def inject(self, plan: Plan, world: World) -> None:
        pass


def slow_flag(folder: Path, kind: type[InjectsFromElsewhere] = InjectsFromElsewhere) -> InjectsFromElsewhere:
    """Make a flag after a moment, in a session of its own."""
    flag = str(folder / "flag")
    code = "import pathlib, sys, time; time.sleep(0.3); pathlib.Path(sys.argv[1]).touch()"
    return kind(run=(sys.executable, "-c", code, flag), undo=("rm", "-f", flag), active_=("test", "-e", flag))


class BackBeforeItIsGone(KillProcess):
    """Says that all is well, as the status of before does."""

    def recovered(self, plan: Plan, world: World) -> Recovery:
        return Recovery(lost=1, wanted=1, back=1)


class BackNever(KillProcess):
    def recovered(self, plan: Plan, world: World) -> Recovery:
        return Recovery(lost=1, wanted=1, back=0)


class SaysNotHowMany(KillProcess):
    def plan(self, world: World) -> Plan:
        return replace(super().plan(world), replaced=None)
