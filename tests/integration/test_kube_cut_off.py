"""Whoever injects dies at any of its requests, and the undo comes from the plan alone: every object is as it was.

The death is before the request, after it, or, worst of all, while it is on its way, so that it takes effect when the undo has already been
made. Then a second look must not say "gone", and a second undo must undo it.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

import pytest

from gameday.model import Plan
from gameday.registry import driver_class
from gameday.spi import Driver, DriverError, World
from gameday.testing import eventually
from gameday_drivers.kube.answers import KubeError
from gameday_drivers.kube.api import Api, planned
from tests.fakes.kube import FakeKube
from tests.fakes.kube.subjects import UNDOABLE
from tests.fakes.kube.world import WRITES, furnished, inside, rests, state

WORLD = World(run_id="r-1", fault="f")
When = Literal["before", "after", "on its way"]
WHENS: tuple[When, ...] = ("before", "after", "on its way")
MOST = 50
"""Requests of one operation; those that wait for something ask again and again."""
Request = tuple[str, str, dict[str, Any]]
undoable = pytest.mark.parametrize("name", UNDOABLE)


class Death(BaseException):
    """Nothing catches it: as SIGKILL, it leaves the cluster as it is then."""


class Cut:
    """Counts the requests of a driver, and ends it at one of them."""

    def __init__(self, at: int = -1, when: When = "before") -> None:
        self.at, self.when = at, when
        self.asked: list[Request] = []

    @contextmanager
    def __call__(self) -> Generator[None]:
        answer = Api._answer  # pyright: ignore[reportPrivateUsage] # every request but those of exec

        def asking(api: Api, method: str, path: str, **more: Any) -> Any:
            self.asked.append((method, path, more))
            here = len(self.asked) == self.at + 1
            if here and self.when != "after":
                raise Death
            said = answer(api, method, path, **more)
            if here:
                raise Death
            return said

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Api, "_answer", asking)
            yield

    def late(self, plan: Plan) -> None:
        """Let the request arrive that was on its way; what the server then says nobody hears."""
        method, path, more = self.asked[self.at]
        with planned(plan.undo) as api:
            try:
                api._answer(method, path, **more)  # pyright: ignore[reportPrivateUsage]
            except KubeError as error:
                assert error.status, error  # noqa: PT017 - refused, as it should be, or not


def elsewhere(driver: Driver, plan: Plan) -> tuple[Driver, Plan]:
    """Return both as another process has them: from JSON."""
    kind: Any = driver_class(driver.name)
    given = {one.name: getattr(driver, one.name) for one in fields(kind)}
    return kind(**given), Plan.from_json(json.loads(json.dumps(plan.to_json())))


def gone(driver: Driver, plan: Plan) -> bool:
    """As the undo measures it: unknown is not gone."""
    try:
        return not driver.active(plan, World(run_id=WORLD.run_id))
    except DriverError:
        return False


def undone(driver: Driver, plan: Plan, kube: FakeKube, before: dict[str, Any]) -> None:
    """Revert as often as the undo does, until it is measured as gone; then it must be."""
    for _ in range(3):
        driver.revert(plan, World(run_id=WORLD.run_id))
        if gone(driver, plan):
            break
    assert gone(driver, plan)
    assert state(kube) == before


@undoable
def test_a_death_at_any_request_of_inject_leaves_nothing(name: str, tmp_path: Path) -> None:
    with furnished() as kube:
        driver, before = _driver(kube, tmp_path, name), state(kube)
        at_each: list[str] = []
        for at in range(MOST):
            met = [_dies(kube, driver, before, Cut(at, when)) for when in WHENS]
            if not any(met):
                break
            at_each += met
        assert len(at_each) < len(WHENS) * MOST, "there was no end to its requests"
        assert sum(method in WRITES for method in at_each) >= len(WHENS), "it was never cut off at a write"


def _driver(kube: FakeKube, folder: Path, name: str) -> Driver:
    return UNDOABLE[name].make(inside(kube, folder))


def _dies(kube: FakeKube, driver: Driver, before: dict[str, Any], cut: Cut) -> str:
    """Cut inject off, undo it, and return at which method; "" when it was through before."""
    assert eventually(lambda: rests(kube))
    plan, died = driver.plan(WORLD), False
    try:
        with cut():
            driver.inject(plan, WORLD)
    except Death:
        died = True
    fresh, known = elsewhere(driver, plan)
    undone(fresh, known, kube, before)
    if died and cut.when == "on its way":
        _lands_late(kube, fresh, known, before, cut)
    return cut.asked[cut.at][0] if died else ""


def _lands_late(kube: FakeKube, driver: Driver, plan: Plan, before: dict[str, Any], cut: Cut) -> None:
    cut.late(plan)
    if state(kube) != before:
        assert not gone(driver, plan), "it came after the undo, and the second look calls it gone"
    undone(driver, plan, kube, before)


@undoable
def test_a_death_at_any_request_of_revert_is_finished_by_the_next(name: str, tmp_path: Path) -> None:
    with furnished() as kube:
        driver, before = _driver(kube, tmp_path, name), state(kube)
        for at in range(MOST):
            died = [_dies_reverting(kube, driver, before, Cut(at, when)) for when in WHENS]
            if not any(died):
                assert at > 1, "it was never cut off"
                return
        pytest.fail("there was no end to its requests")


def _dies_reverting(kube: FakeKube, driver: Driver, before: dict[str, Any], cut: Cut) -> bool:
    assert eventually(lambda: rests(kube))
    plan, died = driver.plan(WORLD), False
    driver.inject(plan, WORLD)
    try:
        with cut():
            driver.revert(plan, WORLD)
    except Death:
        died = True
    fresh, known = elsewhere(driver, plan)
    if gone(fresh, known):
        assert state(kube) == before, "the second look calls it gone, and something of it is left"
    undone(fresh, known, kube, before)
    if died and cut.when == "on its way":
        cut.late(known)
        assert state(kube) == before, "an undo that came late has undone what nobody has done"
    return died
