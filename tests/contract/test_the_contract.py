"""The contract of drivers, tested itself: it fails every mutant, by the law that the mutant breaks.

The originals keep the same laws in test_process_pause.py, test_process_stop.py and test_process_kill.py.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gameday.model import Plan
from gameday.spi import Driver, DriverError, World
from gameday.spi.processes import start_process
from gameday.testing import DriverContract, IrreversibleContract, eventually
from gameday_drivers.process_kill import KillProcess
from gameday_drivers.process_pause import PauseProcess
from tests.fakes import mutants
from tests.fakes.victims import SLOW_TO_END, running, world_of

BROKEN = (AssertionError, DriverError)


class Impatient(DriverContract):
    proof_seconds = 0.3


class ImpatientDeed(IrreversibleContract):
    proof_seconds = 0.3
    recovery_seconds = 1.0

    def replace(self, driver: Driver, plan: Plan, world: World) -> None:
        start_process(world.system["payments"], world.run_id, world.secrets)


LAWS = Impatient()
DEED = ImpatientDeed()
Law = Callable[[Driver, Plan, World], None]
CAUGHT_BY: dict[type[PauseProcess], Law] = {
    mutants.PlanInjects: LAWS.test_plan_touches_nothing_and_repeats,
    mutants.PlanDiffers: LAWS.test_plan_touches_nothing_and_repeats,
    mutants.PlanNamesNothing: lambda driver, plan, _: LAWS.test_plan_names_the_driver_and_its_targets(driver, plan),
    mutants.PlanHoldsWhatIsNotJson: lambda _driver, plan, _world: LAWS.test_plan_survives_json(plan),
    mutants.InjectDoesNothing: LAWS.test_inject_then_revert,
    mutants.RevertStops: LAWS.test_inject_then_revert,
    mutants.RevertOnlyOnce: LAWS.test_revert_before_inject_and_twice,
    mutants.RevertRemembers: LAWS.test_revert_in_another_process,
    mutants.ActiveIsAlwaysTrue: LAWS.test_inject_then_revert,
    mutants.ActiveIsAlwaysFalse: LAWS.test_inject_then_revert,
    mutants.ActiveRemembers: LAWS.test_revert_in_another_process,
    mutants.ComesBack: LAWS.test_inject_then_revert,
}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with running(world_of(tmp_path, "payments")) as world:
        yield world


@pytest.mark.parametrize(("mutant", "law"), CAUGHT_BY.items(), ids=lambda x: getattr(x, "__name__", ""))
def test_a_mutant_is_caught(mutant: type[PauseProcess], law: Law, world: World) -> None:
    driver = mutant(process="payments")
    plan = driver.plan(world)
    with pytest.raises(BROKEN):
        law(driver, plan, world)


def test_an_inject_that_no_deadline_reaches_is_caught(tmp_path: Path) -> None:
    world = World(run_id="r")
    driver = mutants.slow_flag(tmp_path)
    with pytest.raises(AssertionError, match="the fault came back"):
        LAWS.test_an_inject_cut_off_does_not_come_back(driver, driver.plan(world), world)


class Late(DriverContract):
    lands_late = True


def test_what_lands_late_is_accepted_where_that_is_said_and_a_second_revert_ends_it(tmp_path: Path) -> None:
    driver, world = mutants.slow_flag(tmp_path, mutants.SaysThatItLandsLate), World(run_id="r")
    Late().test_an_inject_cut_off_does_not_come_back(driver, driver.plan(world), world)


@pytest.mark.parametrize(
    ("laws", "kind"), [(Late(), mutants.InjectsFromElsewhere), (LAWS, mutants.SaysThatItLandsLate)]
)
def test_what_lands_late_is_caught_unless_contract_and_driver_say_so(
    tmp_path: Path, laws: DriverContract, kind: type[mutants.InjectsFromElsewhere]
) -> None:
    """A run measures again later only for a driver that says so."""
    driver, world = mutants.slow_flag(tmp_path, kind), World(run_id="r")
    with pytest.raises(AssertionError, match="came back"):
        laws.test_an_inject_cut_off_does_not_come_back(driver, driver.plan(world), world)


def test_a_revert_that_takes_the_dying_for_the_living_is_caught(tmp_path: Path) -> None:
    with running(world_of(tmp_path, "payments", argv=(sys.executable, "-c", SLOW_TO_END))) as world:
        assert eventually(lambda: Path(world.system["payments"].log).read_text() == "ready\n")
        driver = mutants.RevertTrustsTheDying(process="payments")
        with pytest.raises(AssertionError, match="the fault came back"):
            LAWS.test_an_inject_cut_off_does_not_come_back(driver, driver.plan(world), world)


@pytest.mark.parametrize(
    ("mutant", "law"),
    [
        (mutants.RevertKills, DEED.test_revert_does_nothing_at_any_time),
        (mutants.RevertOfADeedFails, DEED.test_revert_does_nothing_at_any_time),
        (mutants.KillsNobody, DEED.test_the_deed_is_done_and_stays_done),
        (mutants.KillsNobody, DEED.test_the_deed_in_another_process),
        (mutants.BackBeforeItIsGone, DEED.test_what_it_took_away_is_seen_to_come_back),
        (mutants.BackNever, DEED.test_what_it_took_away_is_seen_to_come_back),
        (mutants.SaysNotHowMany, DEED.test_what_it_took_away_is_seen_to_come_back),
    ],
)
def test_a_mutant_deed_is_caught(mutant: type[KillProcess], law: Law, tmp_path: Path) -> None:
    with running(world_of(tmp_path, "payments", restart=True)) as world:
        _is_caught(mutant, law, world)


def _is_caught(mutant: type[KillProcess], law: Law, world: World) -> None:
    driver = mutant(process="payments")
    plan = driver.plan(world)
    with pytest.raises(BROKEN):
        law(driver, plan, world)


def test_the_wrong_contract_is_caught() -> None:
    with pytest.raises(AssertionError):
        LAWS.test_it_is_reversible(KillProcess(process="payments"))
    with pytest.raises(AssertionError):
        DEED.test_it_is_not_reversible(PauseProcess(process="payments"))


def test_a_driver_without_its_entry_point_is_caught(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="no entry point"):
        LAWS.test_it_is_registered_under_its_name(mutants.slow_flag(tmp_path))
