from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gameday.model import Plan
from gameday.spi import Driver, DriverError, World
from gameday.spi.processes import await_gone, marked, send, state
from gameday.testing import DriverContract, eventually, stays
from gameday_drivers.process_pause import PauseProcess
from tests.fakes.victims import running, stranger, world_of


class TestPauseProcess(DriverContract):
    @pytest.fixture
    def world(self, tmp_path: Path) -> Iterator[World]:
        with running(world_of(tmp_path, "payments", "catalog")) as world:
            yield world

    @pytest.fixture
    def driver(self, world: World) -> Driver:
        return PauseProcess(process="payments")

    def test_only_the_named_process_is_paused(self, driver: Driver, plan: Plan, world: World) -> None:
        self.in_force(driver, plan, world)
        ((_, catalog),) = marked(world.run_id, "catalog")
        assert stays(lambda: state(catalog) in ("S", "R"))

    def test_the_target_is_named_without_its_pid(self, plan: Plan) -> None:
        assert plan.targets == ("payments",)

    def test_a_process_that_died_is_not_paused(self, driver: Driver, plan: Plan, world: World) -> None:
        self.in_force(driver, plan, world)
        ((_, payments),) = marked(world.run_id, "payments")
        send(payments, signal.SIGKILL)
        assert await_gone(payments, 5)
        assert not driver.active(plan, world)
        driver.revert(plan, world)
        with pytest.raises(DriverError, match="gone"):
            driver.inject(plan, world)

    def test_what_somebody_else_stopped_is_refused(self, driver: Driver, world: World) -> None:
        ((_, payments),) = marked(world.run_id, "payments")
        send(payments, signal.SIGSTOP)
        assert eventually(lambda: state(payments) == "T")
        with pytest.raises(DriverError, match="stopped already"):
            driver.plan(world)

    def test_a_recycled_pid_is_never_signalled(self, driver: Driver, plan: Plan, world: World) -> None:
        """The plan speaks of a process with the same pid that started a tick earlier: it is somebody else."""
        raw = json.loads(json.dumps(plan.to_json()))
        raw["undo"]["process"]["start"] -= 1
        other = Plan.from_json(raw)
        with pytest.raises(DriverError, match="gone"):
            driver.inject(other, world)
        assert stays(lambda: not driver.active(plan, world))
        self.in_force(driver, plan, world)
        driver.revert(other, world)
        assert stays(lambda: driver.active(plan, world)), "the revert of another process resumed this one"

    def test_another_boot_is_another_process(self, driver: Driver, plan: Plan, world: World) -> None:
        raw = json.loads(json.dumps(plan.to_json()))
        raw["undo"]["process"]["boot_id"] = "before-the-reboot"
        self.in_force(driver, plan, world)
        assert not driver.active(Plan.from_json(raw), world)


@pytest.mark.parametrize("by", ["pidfile", "match"])
def test_a_process_of_no_run_is_paused_and_resumed(by: str, tmp_path: Path) -> None:
    script = tmp_path / "ledger_of_this_test.py"
    script.write_text("import time; time.sleep(120)")
    world = World(run_id="r")
    with stranger(sys.executable, str(script)) as ref:
        (tmp_path / "pid").write_text(f"{ref.pid}\n")
        selector = {"pidfile": str(tmp_path / "pid"), "match": f"python.* {script}$"}
        driver = PauseProcess(**{by: selector[by]})
        plan = driver.plan(world)
        python = Path(sys.executable).name
        assert plan.targets == (f"{python} ledger_of_this_test.py (pid {ref.pid})",)
        driver.inject(plan, world)
        assert state(ref) == "T"
        driver.revert(plan, world)
        assert state(ref) in ("S", "R")
