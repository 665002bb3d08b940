"""Every Kubernetes driver × everything that can go wrong with one of its requests, in each of its operations.

Whatever comes: a DriverError that says what, and nothing else; never "active" without the whole fault in the world, never "not active"
with any of it left; and after a revert, repeated where it failed, every object is as it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from gameday.model import Plan
from gameday.spi import Driver, DriverError, World
from gameday.testing import eventually
from tests.fakes.kube import FakeKube
from tests.fakes.kube.family import Subject
from tests.fakes.kube.subjects import DEEDS, SUBJECTS, UNDOABLE
from tests.fakes.kube.trouble import DONE, Once, Trouble, meeting, pairs
from tests.fakes.kube.world import inside, rests, state, writes

WORLD = World(run_id="r-1", fault="f")
deeds = pytest.mark.parametrize("name", DEEDS)
undoable = pytest.mark.parametrize("name", UNDOABLE)


class Stage:
    """One driver and its cluster, fit for one trial after another."""

    def __init__(self, kube: FakeKube, folder: Path, name: str) -> None:
        self.kube, self.name, self.subject = kube, name, SUBJECTS[name]
        self.driver: Driver = self.subject.make(inside(kube, folder))
        self.before = state(kube)

    def plan(self) -> Plan:
        return self.driver.plan(WORLD)

    def again(self, plan: Plan) -> Plan:
        """Return a plan for the next trial: the same where the deed has left every target as it was."""
        return self.plan() if "pods" in plan.undo else plan

    def counted(self, call: Callable[[], object]) -> list[str]:
        """Return the methods of what it asks when all goes well."""
        once = Once()
        with meeting(self.kube, self.driver, once):
            call()
        return once.asked

    def failed(self, call: Callable[[], object], once: Once) -> str:
        """Return what was said, "" when it came through; anything but a DriverError is an error of the driver."""
        with meeting(self.kube, self.driver, once):
            try:
                call()
            except DriverError as error:
                return str(error)
        return ""

    def measured(self, plan: Plan) -> bool | None:
        """Measure; None for unknown. What it says must be true of the world, before or, where something ends just now, after."""
        shown = self.subject.on(self.kube, plan)
        try:
            active = self.driver.active(plan, WORLD)
        except DriverError:
            return None
        if active:
            assert shown or self.subject.on(self.kube, plan), "active, and the world does not show the whole fault"
        elif self.driver.reversible:
            assert state(self.kube) == self.before, "not active, and something of it is left"
        return active

    def reverted(self, plan: Plan) -> None:
        self.driver.revert(plan, WORLD)
        assert self.measured(plan) is False
        assert state(self.kube) == self.before


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_plan_that_cannot_look_says_so_and_touches_nothing(name: str, kube: FakeKube, tmp_path: Path) -> None:
    stage = Stage(kube, tmp_path, name)
    asked = stage.counted(stage.plan)
    for at, trouble in pairs(asked, len(name)):
        said = stage.failed(stage.plan, Once(at=at, trouble=trouble))
        assert re.search(trouble.said, said), (at, trouble.name, said)
    assert writes(kube) == []


@undoable
def test_an_inject_that_fails_is_told_and_undone(name: str, kube: FakeKube, tmp_path: Path) -> None:
    stage = Stage(kube, tmp_path, name)
    plan = stage.plan()
    asked = stage.counted(lambda: stage.driver.inject(plan, WORLD))
    stage.reverted(plan)
    met = 0
    for at, trouble in pairs(asked, len(name)):
        assert eventually(lambda: rests(kube))
        plan, once = stage.again(plan), Once(at=at, trouble=trouble)
        said = stage.failed(lambda plan=plan: stage.driver.inject(plan, WORLD), once)  # type: ignore[misc]
        met += once.met
        if once.met and not _patient(stage.subject, trouble):
            assert re.search(trouble.said, said), (at, trouble.name, said)
        stage.measured(plan)
        stage.reverted(plan)
    assert met, "no request met any trouble"


@undoable
def test_a_measurement_that_fails_is_unknown(name: str, kube: FakeKube, tmp_path: Path) -> None:
    stage = Stage(kube, tmp_path, name)
    plan = stage.plan()
    stage.driver.inject(plan, WORLD)
    asked = stage.counted(lambda: stage.measured(plan))
    for at, trouble in pairs(asked, len(name)):
        said = stage.failed(lambda: stage.driver.active(plan, WORLD), Once(at=at, trouble=trouble))
        assert re.search(trouble.said, said), (at, trouble.name, said)
    stage.reverted(plan)


@undoable
def test_a_revert_that_fails_is_told_and_can_be_repeated(name: str, kube: FakeKube, tmp_path: Path) -> None:
    stage = Stage(kube, tmp_path, name)
    plan = stage.plan()
    stage.driver.inject(plan, WORLD)
    asked = stage.counted(lambda: stage.driver.revert(plan, WORLD))
    assert state(kube) == stage.before
    met = 0
    for at, trouble in pairs(asked, len(name)):
        assert eventually(lambda: rests(kube))
        plan, once = stage.again(plan), Once(at=at, trouble=trouble)
        stage.driver.inject(plan, WORLD)
        said = stage.failed(lambda plan=plan: stage.driver.revert(plan, WORLD), once)  # type: ignore[misc]
        met += once.met
        if once.met:
            assert re.search(trouble.said, said), (at, trouble.name, said)
        stage.measured(plan)
        stage.reverted(plan)
    assert met, "no request met any trouble"


@deeds
def test_a_deed_that_fails_half_way_is_never_called_done(name: str, kube: FakeKube, tmp_path: Path) -> None:
    stage = Stage(kube, tmp_path, name)
    plan = stage.plan()
    asked = stage.counted(lambda: stage.driver.inject(plan, WORLD))
    met = 0
    for at, trouble in pairs(asked, len(name)):
        assert eventually(lambda: rests(kube))
        world = World(run_id=f"r-{at}-{trouble.name}", fault="f")
        plan, once = stage.driver.plan(world), Once(at=at, trouble=trouble)
        said = stage.failed(lambda plan=plan, world=world: stage.driver.inject(plan, world), once)  # type: ignore[misc]
        met += once.met
        if once.met and not _patient(stage.subject, trouble):
            assert re.search(trouble.said, said), (at, trouble.name, said)
        if stage.measured(plan):
            assert stage.subject.on(kube, plan)
    assert met, "no request met any trouble"


def _patient(subject: Subject, trouble: Trouble) -> bool:
    return subject.patient and trouble.name == "429"


def test_the_table_has_what_can_be_done_without_an_answer() -> None:
    assert {trouble.done for trouble in DONE} == {True}
