"""What passes: a controller that is quicker (409) and a server with too much to do (429). Asked again, and in the end given up."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from gameday.spi import Driver, DriverError, World
from tests.fakes.kube import ApiError, FakeKube
from tests.fakes.kube.store import DEPLOYMENTS, NODES, Resource
from tests.fakes.kube.subjects import FIELDS_CHANGED, NODES_CHANGED, SUBJECTS
from tests.fakes.kube.world import inside, state

WORLD = World(run_id="r-1", fault="f")
CHANGING = pytest.mark.parametrize("name", [*FIELDS_CHANGED, *NODES_CHANGED, "rollout-restart"])


def made(kube: FakeKube, folder: Path, name: str) -> Driver:
    return SUBJECTS[name].make(inside(kube, folder))


class Busy:
    """Writes the status of an object just before each of so many changes of it."""

    def __init__(self, kube: FakeKube, name: str, times: int) -> None:
        subject = SUBJECTS[name]
        one = subject.object or (DEPLOYMENTS, "web")
        self.where: tuple[Resource, str | None, str] = (
            (NODES, None, "node1") if name in NODES_CHANGED else (one[0], "shop", one[1])
        )
        self.kube, self.left = kube, times
        self.met = 0

    def __call__(self, method: str, path: str) -> None:
        if method == "PATCH" and path.endswith(f"/{self.where[2]}") and self.left:
            self.left -= 1
            self.met += 1
            self.kube.store.change(*self.where, lambda found: found.setdefault("status", {}).update(seen=self.met))


@CHANGING
def test_a_newer_version_is_looked_at_again(name: str, kube: FakeKube, tmp_path: Path) -> None:
    driver, before = made(kube, tmp_path, name), state(kube)
    plan = driver.plan(WORLD)
    for call in (driver.inject, driver.revert)[: 1 + driver.reversible]:
        busy = Busy(kube, name, 2)
        kube.faults[:] = [busy]
        call(plan, WORLD)
        assert busy.met == 2
    assert driver.active(plan, WORLD) is not driver.reversible
    if driver.reversible:
        assert state(kube) == before


@CHANGING
def test_one_that_changes_all_the_time_is_given_up_untouched(name: str, kube: FakeKube, tmp_path: Path) -> None:
    driver, before = made(kube, tmp_path, name), state(kube)
    plan = driver.plan(WORLD)
    kube.faults[:] = [Busy(kube, name, 1000)]
    with pytest.raises(DriverError, match="changes all the time: nothing was done to it"):
        driver.inject(plan, WORLD)
    kube.faults.clear()
    driver.revert(plan, WORLD)
    assert not driver.active(plan, WORLD)
    assert state(kube) == before


@pytest.mark.parametrize("name", [*FIELDS_CHANGED, *NODES_CHANGED])
def test_what_cannot_be_put_back_for_changes_is_told(name: str, kube: FakeKube, tmp_path: Path) -> None:
    driver, before = made(kube, tmp_path, name), state(kube)
    plan = driver.plan(WORLD)
    driver.inject(plan, WORLD)
    kube.faults[:] = [Busy(kube, name, 1000)]
    with pytest.raises(DriverError, match="changes all the time"):
        driver.revert(plan, WORLD)
    kube.faults.clear()
    driver.revert(plan, WORLD)
    assert state(kube) == before


class PutsOff:
    """Answers the first so many requests with 429, to be asked again at once or after a while."""

    def __init__(self, times: int, after: str) -> None:
        self.left, self.after = times, after

    def __call__(self, method: str, path: str) -> ApiError | None:
        if self.left:
            self.left -= 1
            return ApiError(429, "TooManyRequests", "too many requests", headers={"Retry-After": self.after})
        return None


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    slept: list[float] = []
    monkeypatch.setattr("gameday_drivers.kube.api.time", SimpleNamespace(sleep=slept.append))
    return slept


def test_an_overloaded_server_is_asked_again_when_it_says_so(
    kube: FakeKube, tmp_path: Path, waited: list[float]
) -> None:
    driver, before = made(kube, tmp_path, "configmap-drift"), state(kube)
    plan = driver.plan(WORLD)
    for call in (driver.inject, driver.active, driver.revert):
        kube.faults[:] = [PutsOff(2, "1")]
        call(plan, WORLD)
    assert waited == [1.0] * 6
    assert state(kube) == before


@pytest.mark.parametrize(("put_off", "waits"), [((3, "1"), 2), ((1, "30"), 0), ((1, ""), 0), ((1, "Fri, 31 Dec"), 0)])
def test_and_not_for_ever(
    kube: FakeKube, tmp_path: Path, waited: list[float], put_off: tuple[int, str], waits: int
) -> None:
    driver = made(kube, tmp_path, "configmap-drift")
    plan = driver.plan(WORLD)
    kube.faults[:] = [PutsOff(*put_off)]
    with pytest.raises(DriverError, match="answers 429"):
        driver.revert(plan, WORLD)
    assert len(waited) == waits
