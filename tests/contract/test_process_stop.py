from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gameday.model import Plan
from gameday.spi import Driver, DriverError, Secrets, World
from gameday.spi.processes import alive, marked, send, state
from gameday.spi.world import ProcessSpec
from gameday.testing import DriverContract, eventually, stays
from gameday_drivers.process_stop import StopProcess
from tests.fakes.victims import SLOW_TO_END, running, world_of


class TestStopProcess(DriverContract):
    @pytest.fixture
    def world(self, tmp_path: Path) -> Iterator[World]:
        """One that needs a while to end, so that inject is cut off before, during and after its last moments."""
        with running(world_of(tmp_path, "payments", argv=(sys.executable, "-c", SLOW_TO_END))) as world:
            assert eventually(lambda: Path(world.system["payments"].log).read_text() == "ready\n")
            yield world

    @pytest.fixture
    def driver(self, world: World) -> Driver:
        return StopProcess(process="payments")

    def after_a_lost_run(self, driver: Driver, plan: Plan, world: World) -> None:
        """The watchdog stops all of ``system:`` in the end, so that no process of that run is left at all."""
        assert eventually(lambda: not marked(world.run_id, leaders=False))

    def test_its_restart_is_held_back(self, plan: Plan) -> None:
        assert plan.holds == ("payments",)

    def test_it_may_end_in_its_own_way(self, driver: Driver, plan: Plan, world: World) -> None:
        self.in_force(driver, plan, world)
        assert Path(world.system["payments"].log).read_text() == "ready\nending\n"

    def test_many_reverts_start_one_process(self, driver: Driver, plan: Plan, world: World) -> None:
        self.in_force(driver, plan, world)
        threads = [threading.Thread(target=driver.revert, args=(plan, world)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert stays(lambda: len(marked(world.run_id, "payments")) == 1)

    def test_a_paused_process_is_stopped_too(self, driver: Driver, plan: Plan, world: World) -> None:
        ((_, payments),) = marked(world.run_id, "payments")
        send(payments, signal.SIGSTOP)
        assert eventually(lambda: state(payments) == "T")
        self.in_force(driver, plan, world)
        assert not alive(payments)

    def test_the_plan_keeps_references_to_secrets(self, tmp_path: Path) -> None:
        argv = (sys.executable, "-c", "import os, time; print(os.environ['TOKEN'], flush=True); time.sleep(120)")
        log = tmp_path / "api.log"
        spec = ProcessSpec(name="api", argv=argv, env={"TOKEN": "${token}"}, log=str(log))
        plain = world_of(tmp_path)
        secrets = Secrets(values={"token": "hunter2"})
        with running(World(run_id=plain.run_id, system={"api": spec}, secrets=secrets)) as world:
            assert eventually(lambda: log.read_text() == "hunter2\n")
            driver = StopProcess(process="api")
            plan = driver.plan(world)
            assert "hunter2" not in json.dumps(plan.to_json())
            self.in_force(driver, plan, world)
            self.undone(driver, plan, world)
            assert eventually(lambda: log.read_text() == "hunter2\nhunter2\n")


@pytest.mark.long  # SIGKILL comes 5 s after SIGTERM
def test_what_ignores_sigterm_is_killed_with_its_children(tmp_path: Path) -> None:
    deaf = (
        "import signal, subprocess, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "subprocess.Popen(['sleep', '120']); print('ready', flush=True); time.sleep(120)"
    )
    with running(world_of(tmp_path, "front", argv=(sys.executable, "-c", deaf))) as world:
        assert eventually(lambda: "ready" in Path(world.system["front"].log).read_text())
        driver = StopProcess(process="front")
        plan = driver.plan(world)
        driver.inject(plan, world)
        assert driver.active(plan, world)
        assert marked(world.run_id, leaders=False) == ()


def test_what_does_not_run_cannot_be_stopped(tmp_path: Path) -> None:
    world = world_of(tmp_path, "payments")
    with pytest.raises(DriverError, match="payments is not running"):
        StopProcess(process="payments").plan(world)


def test_an_unknown_name_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(DriverError, match=r"no process 'paymnts' under system: \(there are: catalog, payments\)"):
        StopProcess(process="paymnts").plan(world_of(tmp_path, "payments", "catalog"))


def test_a_start_that_fails_is_a_driver_error(tmp_path: Path) -> None:
    world = world_of(tmp_path, "payments")
    spec = ProcessSpec(name="payments", argv=(str(tmp_path / "absent"),), log=str(tmp_path / "log"))
    plan = Plan(driver="process.stop", targets=("payments",), undo={"start": spec.to_json()})
    with pytest.raises(DriverError, match="cannot start payments"):
        StopProcess(process="payments").revert(plan, world)
