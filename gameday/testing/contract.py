"""The laws of a driver, as test classes to inherit."""

# ruff: noqa: S101 - an assertion is what a test states

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from gameday.model import Plan
from gameday.spi import Driver, DriverError, Expires, Recovers, World
from gameday.spi.processes import await_gone
from gameday.testing.elsewhere import elsewhere, kill_a_runner, reverted, watchdog_of, words
from gameday.testing.waiting import PROOF_SECONDS, eventually, stays
from gameday.undo.deaths import ends_with

DEATHS = [("told", 0), ("inject-called", 3), ("revert-called", 0)]
"""Where the runner dies: at a journal record, and so many milliseconds later; ``told`` is just before inject is called. The fault
is on when the runner hangs, and when the watchdog is killed too."""
LOST_RUNNER_SECONDS = 5.0
"""How soon the fault of a killed runner must be gone, and proven gone."""


class _Laws:
    """What holds for every driver, whether its fault can be undone or not."""

    proof_seconds = PROOF_SECONDS
    """How long the fault may take to show, or to go."""

    @pytest.fixture
    def driver(self) -> Iterator[Driver]:
        """Yield the driver, aimed at something real that this fixture starts and ends."""
        raise NotImplementedError

    @pytest.fixture
    def world(self) -> World:
        """Give the run it lives in; override it when the driver needs ``system:`` or proxies."""
        return World(run_id=f"contract-{uuid.uuid4().hex[:12]}")

    @pytest.fixture
    def plan(self, driver: Driver, world: World) -> Iterator[Plan]:
        """Plan, and leave nothing behind."""
        plan = driver.plan(world)
        yield plan
        with suppress(DriverError):
            driver.revert(plan, world)

    def in_force(self, driver: Driver, plan: Plan, world: World) -> None:
        """Inject, and prove it: a contract that starts with "not active" passes broken drivers by luck."""
        driver.inject(plan, world)
        assert eventually(lambda: driver.active(plan, world), self.proof_seconds), (
            "injected, but never measured as active"
        )

    def test_it_can_be_proven(self, driver: Driver) -> None:
        """A driver whose check is optional is tested with its check."""
        assert driver.provable

    def test_plan_touches_nothing_and_repeats(self, driver: Driver, plan: Plan, world: World) -> None:
        """Planning is looking."""
        assert driver.plan(world) == plan
        assert stays(lambda: not driver.active(plan, world)), "planning alone made the fault"

    def test_plan_names_the_driver_and_its_targets(self, driver: Driver, plan: Plan) -> None:
        """A stranger must be able to read what will be touched."""
        assert plan.driver == driver.name
        assert plan.targets
        assert all(target.strip() and target.isprintable() for target in plan.targets)

    def test_plan_survives_json(self, plan: Plan) -> None:
        """The journal is JSON, and the undo comes from the journal."""
        assert _through_json(plan) == plan

    def test_it_is_registered_under_its_name(self, driver: Driver) -> None:
        """Experiments find it by the entry point ``gameday.drivers``."""
        found = entry_points(group="gameday.drivers", name=driver.name)
        assert [point.load() for point in found] == [type(driver)], f"no entry point, or several: {driver.name!r}"


class DriverContract(_Laws):
    """The laws of a fault that can be undone."""

    lands_late = False
    """Whether what a dead sender has asked for may be done after the revert, as with a server that does each request when it likes: then
    the driver has ``request_seconds``, a run measures again that much later, and a second revert must be the end of it."""

    def undone(self, driver: Driver, plan: Plan, world: World) -> None:
        """Revert, and prove it."""
        driver.revert(plan, world)
        self.gone(driver, plan, world)

    def gone(self, driver: Driver, plan: Plan, world: World) -> None:
        """Prove that the fault is gone and stays gone."""
        assert eventually(lambda: not driver.active(plan, world), self.proof_seconds), (
            "reverted, but still measured as active"
        )
        assert stays(lambda: not driver.active(plan, world)), "reverted, but it came back"

    def after_a_lost_run(self, driver: Driver, plan: Plan, world: World) -> None:
        """Prove what must hold once the watchdog is done; it has also stopped every process under ``system:``."""
        self.gone(driver, plan, world)

    def test_it_is_reversible(self, driver: Driver) -> None:
        """Otherwise the other contract is the right one."""
        assert driver.reversible

    def test_inject_then_revert(self, driver: Driver, plan: Plan, world: World) -> None:
        """Make the fault, then take it back: the whole point."""
        self.in_force(driver, plan, world)
        self.undone(driver, plan, world)

    def test_revert_before_inject_and_twice(self, driver: Driver, plan: Plan, world: World) -> None:
        """A revert is safe whenever it comes, because nobody may know whether inject ran."""
        self.undone(driver, plan, world)
        self.in_force(driver, plan, world)
        self.undone(driver, plan, world)
        self.undone(driver, plan, world)

    def test_it_can_be_injected_again(self, driver: Driver, plan: Plan, world: World) -> None:
        """A revert leaves the target as it was, fit for the next run."""
        self.in_force(driver, plan, world)
        self.undone(driver, plan, world)
        again = driver.plan(world)
        self.in_force(driver, again, world)
        self.undone(driver, again, world)

    def test_revert_in_another_process(self, driver: Driver, plan: Plan, world: World) -> None:
        """The process that injected may be dead: the plan is all there is."""
        self.in_force(driver, plan, world)
        elsewhere("revert", driver, plan, world)
        self.gone(driver, plan, world)

    def test_an_inject_cut_off_does_not_come_back(self, driver: Driver, plan: Plan, world: World) -> None:
        """A deadline kills inject anywhere; after the revert the fault is gone for good, commands in flight included."""
        report = elsewhere("cut", driver, plan, world)
        assert report["cut"], "nothing was cut off"
        late = self.lands_late and getattr(driver, "request_seconds", 0.0) > 0 and report["mended"]
        assert report["back"] is None or late, f"cut off after {report['back']} s and reverted, the fault came back"
        self.gone(driver, plan, world)

    @pytest.mark.parametrize("death", DEATHS, ids=lambda death: f"{death[0]}+{death[1]}ms")
    def test_the_runner_is_killed(
        self, death: tuple[str, int], driver: Driver, plan: Plan, world: World, tmp_path: Path
    ) -> None:
        """SIGKILL of the runner, wherever: the watchdog undoes the fault and proves it, within seconds."""
        folder = _made(tmp_path / "run")
        killed = kill_a_runner(folder, driver, world, at=death[0], after_ms=death[1])
        self._undone_by_the_watchdog(folder, killed)
        self.after_a_lost_run(driver, plan, world)

    def test_the_runner_hangs(self, driver: Driver, plan: Plan, world: World, tmp_path: Path) -> None:
        """SIGSTOP of the runner: when its lease is over the watchdog fences it, undoes the fault and proves it."""
        folder = _made(tmp_path / "run")
        ended = kill_a_runner(folder, driver, world, signal="SIGSTOP")
        self._undone_by_the_watchdog(folder, ended)
        self.after_a_lost_run(driver, plan, world)

    def test_the_watchdog_is_killed_too(self, driver: Driver, plan: Plan, world: World, tmp_path: Path) -> None:
        """Nobody is left: what does not end by itself is undone by ``gameday recover``, from the run folder alone."""
        folder = _made(tmp_path / world.run_id)
        kill_a_runner(folder, driver, world, watchdog=True)
        report = elsewhere("recover", driver, plan, world, folder=str(folder))
        assert report["clean"], report["lines"]
        self.after_a_lost_run(driver, plan, world)

    def test_a_lease_ends_by_itself(self, driver: Driver, plan: Plan, world: World) -> None:
        """A fault that can expire by itself does so when nobody renews it, and renewing never makes it."""
        if not isinstance(driver, Expires):
            return
        with pytest.raises(DriverError):
            driver.renew(plan, world, 1.0)
        assert stays(lambda: not driver.active(plan, world)), "renewing made the fault"
        self.in_force(driver, plan, world)
        driver.renew(plan, world, 1.0)
        assert driver.active(plan, world)
        assert eventually(lambda: not driver.active(plan, world), 1.0 + self.proof_seconds), "its lease never ended"

    def test_it_says_what_it_does_not_outlive(self, driver: Driver, plan: Plan) -> None:
        """`gameday plan` prints it; what it may say is a closed list."""
        assert ends_with(driver, plan) <= {"runner", "boot", "lease"}

    def _undone_by_the_watchdog(self, folder: Path, killed: float) -> None:
        assert await_gone(watchdog_of(folder), LOST_RUNNER_SECONDS + self.proof_seconds), words(folder)
        record = reverted(folder)
        assert record, f"no revert:\n{words(folder)}"
        assert record["wall"] - killed < LOST_RUNNER_SECONDS
        assert record["data"]["by"] == "watchdog"
        assert record["data"]["proven"] is True


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


class IrreversibleContract(_Laws):
    """The laws of a deed that cannot be undone."""

    recovery_seconds = 20.0
    """How long what was lost may take to be replaced."""

    def test_it_is_not_reversible(self, driver: Driver) -> None:
        """Otherwise the other contract is the right one."""
        assert not driver.reversible

    def test_the_deed_is_done_and_stays_done(self, driver: Driver, plan: Plan, world: World) -> None:
        """``active`` says whether the deed is done."""
        self.in_force(driver, plan, world)
        assert stays(lambda: driver.active(plan, world)), "done, but measured as not done a moment later"

    def test_revert_does_nothing_at_any_time(self, driver: Driver, plan: Plan, world: World) -> None:
        """Revert is called for every fault, and must not harm: neither do the deed nor fail."""
        driver.revert(plan, world)
        assert stays(lambda: not driver.active(plan, world)), "revert did the deed"
        self.in_force(driver, plan, world)
        driver.revert(plan, world)
        driver.revert(plan, world)
        assert driver.active(plan, world)

    def replace(self, driver: Driver, plan: Plan, world: World) -> None:
        """Let what was lost be replaced, where nothing does that by itself; a test class overrides it."""

    def test_what_it_took_away_is_seen_to_come_back(self, driver: Driver, plan: Plan, world: World) -> None:
        """Where something replaces it: never before it is lost, and all of it once it is there. Other drivers are not asked."""
        if not isinstance(driver, Recovers):
            return
        assert plan.replaced is not None, "its plan does not say how many something replaces"
        if not plan.replaced:
            return
        assert stays(lambda: driver.recovered(plan, world).back == 0), "back before anything was lost"
        self.in_force(driver, plan, world)
        self.replace(driver, plan, world)
        assert eventually(lambda: driver.recovered(plan, world).whole, self.recovery_seconds), (
            f"replaced, but never measured as back: {driver.recovered(plan, world)}"
        )
        assert driver.recovered(_through_json(plan), world).lost == plan.replaced

    def test_the_deed_in_another_process(self, driver: Driver, plan: Plan, world: World) -> None:
        """The process that planned is not the one that acts."""
        elsewhere("inject", driver, plan, world)
        assert eventually(lambda: driver.active(plan, world), self.proof_seconds)


def _through_json(plan: Plan) -> Plan:
    return Plan.from_json(json.loads(json.dumps(plan.to_json(), allow_nan=False)))
