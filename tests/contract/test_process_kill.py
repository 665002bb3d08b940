from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gameday.model import Plan
from gameday.spi import Driver, DriverError, World
from gameday.spi.processes import alive, marked, send, start_process
from gameday.testing import IrreversibleContract, eventually, stays
from gameday_drivers.process_kill import KillProcess
from tests.fakes.victims import running, world_of


class TestKillProcess(IrreversibleContract):
    @pytest.fixture
    def world(self, tmp_path: Path) -> Iterator[World]:
        with running(world_of(tmp_path, "payments", "catalog", restart=True)) as world:
            yield world

    def replace(self, driver: Driver, plan: Plan, world: World) -> None:
        start_process(world.system["payments"], world.run_id, world.secrets)

    @pytest.fixture
    def driver(self, world: World) -> Driver:
        return KillProcess(process="payments")

    def test_only_the_named_process_is_killed(self, driver: Driver, plan: Plan, world: World) -> None:
        self.in_force(driver, plan, world)
        assert stays(lambda: len(marked(world.run_id, "catalog")) == 1)

    def test_the_deed_stays_done_when_it_is_started_again(self, driver: Driver, plan: Plan, world: World) -> None:
        self.in_force(driver, plan, world)
        again = start_process(world.system["payments"], world.run_id, world.secrets)
        assert stays(lambda: driver.active(plan, world) and alive(again))

    def test_what_was_gone_before_was_not_our_deed(self, driver: Driver, plan: Plan, world: World) -> None:
        self.in_force(driver, plan, world)
        with pytest.raises(DriverError, match="gone before"):
            driver.inject(plan, world)

    def test_a_recycled_pid_is_never_killed(self, driver: Driver, plan: Plan, world: World) -> None:
        raw = json.loads(json.dumps(plan.to_json()))
        raw["undo"]["process"]["start"] -= 1
        with pytest.raises(DriverError, match="gone before"):
            driver.inject(Plan.from_json(raw), world)
        assert stays(lambda: not driver.active(plan, world))


@pytest.mark.parametrize(("restart", "words"), [(False, "payments (nothing starts it again)"), (True, "payments")])
def test_plan_says_if_nothing_starts_it_again(restart: bool, words: str, tmp_path: Path) -> None:
    with running(world_of(tmp_path, "payments", restart=restart)) as world:
        plan = KillProcess(process="payments").plan(world)
        assert (plan.targets, plan.replaced) == ((words,), int(restart))


def test_of_a_process_that_is_not_ours_nothing_is_expected(tmp_path: Path) -> None:
    with running(world_of(tmp_path, "payments")) as world:
        ((_, ref),) = marked(world.run_id, "payments")
        (tmp_path / "pid").write_text(str(ref.pid))
        driver = KillProcess(pidfile=str(tmp_path / "pid"))
        plan = driver.plan(world)
        assert plan.replaced is None
        with pytest.raises(DriverError, match="not known what starts"):
            driver.recovered(plan, world)


def test_a_child_that_leads_a_group_is_no_successor(tmp_path: Path) -> None:
    parent = (
        "import subprocess, time; subprocess.Popen(['sleep', '120'], start_new_session=True); "
        "print('ready', flush=True); time.sleep(120)"
    )
    world = world_of(tmp_path, "front", argv=(sys.executable, "-c", parent), restart=True)
    with running(world):
        assert eventually(lambda: len(marked(world.run_id, "front")) == 2)
        driver = KillProcess(process="front")
        plan = driver.plan(world)
        driver.inject(plan, world)
        assert eventually(lambda: driver.active(plan, world))
        assert stays(lambda: driver.recovered(plan, world).back == 0)


def test_one_that_is_started_again_is_back_when_it_is_ready(tmp_path: Path) -> None:
    code = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).exists() and print('at work', flush=True); time.sleep(120)"
    flag = tmp_path / "may"
    flag.touch()
    world = world_of(tmp_path, "worker", argv=(sys.executable, "-c", code, str(flag)), restart=True)
    spec = replace(world.system["worker"], ready={"log": "^at work$"})
    with running(replace(world, system={"worker": spec})) as here:
        assert eventually(lambda: "at work" in Path(spec.log).read_text())
        driver = KillProcess(process="worker")
        plan = driver.plan(here)
        flag.unlink()
        driver.inject(plan, here)
        assert eventually(lambda: driver.active(plan, here))
        start_process(spec, here.run_id, here.secrets)
        assert stays(lambda: driver.recovered(plan, here).back == 0), "what its log said before the loss is old"
        assert driver.recovered(plan, here).detail == "no line of its log matches ^at work$"
        ((_, again),) = marked(here.run_id, "worker")
        flag.touch()
        send(again, signal.SIGKILL)
        assert eventually(lambda: not alive(again))
        start_process(spec, here.run_id, here.secrets)
        assert eventually(lambda: driver.recovered(plan, here).whole)


def test_its_children_live_on(tmp_path: Path) -> None:
    parent = "import subprocess, sys, time; subprocess.Popen(['sleep', '120']); time.sleep(120)"
    with running(world_of(tmp_path, "front", argv=(sys.executable, "-c", parent))) as world:
        assert eventually(lambda: len(marked(world.run_id, leaders=False)) == 2)
        driver = KillProcess(process="front")
        plan = driver.plan(world)
        driver.inject(plan, world)
        assert eventually(lambda: driver.active(plan, world))
        assert stays(lambda: len(marked(world.run_id, leaders=False)) == 1)
