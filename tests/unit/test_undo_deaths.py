"""Which deaths a fault survives follows from what its driver says, by one rule."""

from __future__ import annotations

import pytest

from gameday.model import Plan
from gameday.spi import Driver, World
from gameday.undo.deaths import BOTH, DEATHS, HUNG, KILLED, REBOOT, deaths, ends_with
from gameday_drivers.command import Command
from gameday_drivers.process_kill import KillProcess
from gameday_drivers.process_pause import PauseProcess

NONE: set[str] = set()
PLAN = Plan(driver="d", targets=("t",))


class Leased(Command):
    """A fault whose lease somebody has to renew."""

    def renew(self, plan: Plan, world: World, seconds: float) -> None:
        """Nobody calls it here."""


class OwnedByTheRunner(Command):
    """A fault that dies with the runner, as one of its own proxy does."""

    def ends_with(self, plan: Plan) -> frozenset[str]:
        return frozenset(("runner", "boot"))


@pytest.mark.parametrize(
    ("driver", "gone"),
    [
        (Command(run=("true",), undo=("true",)), {KILLED, HUNG}),
        (Command(run=("true",)), NONE),
        (PauseProcess(process="p"), {KILLED, HUNG, REBOOT}),
        (KillProcess(process="p"), NONE),
        (Leased(run=("true",), undo=("true",)), set(DEATHS)),
        (OwnedByTheRunner(run=("true",), undo=("true",)), set(DEATHS)),
    ],
    ids=["command", "no undo", "pause", "kill", "leased", "owned"],
)
def test_the_rule(driver: Driver, gone: set[str]) -> None:
    said = deaths(driver, PLAN)
    assert list(said) == list(DEATHS)
    assert {death for death, undone in said.items() if undone} == gone


def test_a_lease_is_an_end() -> None:
    assert ends_with(Leased(run=("true",)), PLAN) == {"lease"}
    assert BOTH in DEATHS
