"""What holds for every Kubernetes driver: there and back, nothing touched without a right or a target, no other cluster."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from gameday.model import Plan
from gameday.spi import Driver, DriverError, NoTargetError, World
from gameday.testing import eventually
from tests.fakes.kube import FakeKube
from tests.fakes.kube.family import Subject, Where
from tests.fakes.kube.store import DEPLOYMENTS, NAMESPACES, PODS, is_going
from tests.fakes.kube.subjects import DEEDS, SUBJECTS, UNDOABLE
from tests.fakes.kube.world import furnished, inside, rests, state, writes

WORLD = World(run_id="r-1", fault="f")
every = pytest.mark.parametrize("subject", SUBJECTS.values(), ids=SUBJECTS)
undoable = pytest.mark.parametrize("subject", UNDOABLE.values(), ids=UNDOABLE)


@pytest.fixture(scope="module")
def shared() -> Iterator[FakeKube]:
    with furnished() as kube:
        yield kube


@pytest.fixture
def kube(shared: FakeKube) -> Iterator[FakeKube]:
    """A cluster that is as every test found it, or the test has failed."""
    before = state(shared)
    shared.requests.clear()
    yield shared
    shared.faults.clear()
    shared.denied.clear()
    assert state(shared) == before
    assert eventually(lambda: rests(shared))


def test_every_driver_of_the_family_is_in_the_table(where: Where) -> None:
    """One that is added and not in the table fails here; its faults, cuts and deaths would be nobody's."""
    known = {point.name for point in entry_points(group="gameday.drivers") if point.name.startswith("k8s.")}
    made = {name: subject.make(where) for name, subject in SUBJECTS.items()}
    assert {driver.name for driver in made.values()} == known
    assert {name for name, driver in made.items() if not driver.reversible} == set(DEEDS)
    assert all("kubernetes" in driver.imports for driver in made.values()), "imported before a death, not after it"  # type: ignore[attr-defined]


@undoable
def test_there_and_back(subject: Subject, kube: FakeKube, where: Where) -> None:
    before, driver = state(kube), subject.make(where)
    plan = driver.plan(WORLD)
    assert writes(kube) == []
    assert not subject.on(kube, plan)
    driver.inject(plan, WORLD)
    assert subject.on(kube, plan)
    assert driver.active(plan, WORLD)
    driver.revert(plan, WORLD)
    driver.revert(plan, WORLD)
    assert state(kube) == before
    assert not driver.active(plan, WORLD)


@pytest.mark.parametrize("name", DEEDS)
def test_a_deed_is_done_and_nothing_else(name: str, tmp_path: Path) -> None:
    subject = DEEDS[name]
    with furnished() as kube:
        driver = subject.make(inside(kube, tmp_path))
        plan, before = driver.plan(WORLD), state(kube)
        assert writes(kube) == []
        assert not subject.on(kube, plan)
        assert not driver.active(plan, WORLD)
        driver.inject(plan, WORLD)
        assert subject.on(kube, plan)
        assert driver.active(plan, WORLD)
        count = len(kube.requests)
        driver.revert(plan, WORLD)
        assert len(kube.requests) == count, "what cannot be undone is not asked for"
        del before["deployments shop/web"], (after := state(kube))["deployments shop/web"]
        assert after == before


@every
def test_what_is_not_allowed_is_asked_before_anything_is_touched(
    subject: Subject, kube: FakeKube, where: Where
) -> None:
    kube.denied.add(subject.right)
    with pytest.raises(DriverError, match=f"may not {subject.right[0]} {subject.right[1]}") as raised:
        subject.make(where).plan(WORLD)
    assert f"resources: [{subject.right[1]}], verbs: [{subject.right[0]}]" in raised.value.hint
    assert writes(kube) == []


@every
def test_nothing_there_is_an_error(subject: Subject, kube: FakeKube, where: Where) -> None:
    with pytest.raises(NoTargetError):
        subject.nothing(where).plan(WORLD)
    if "namespace" in subject.make(where).__dataclass_fields__:  # type: ignore[attr-defined]
        with pytest.raises(NoTargetError):
            subject.make({**where, "namespace": "nowhere"}).plan(WORLD)
    assert writes(kube) == []


def test_pods_that_are_ending_already_are_no_targets(tmp_path: Path) -> None:
    """They are there still, and answer still; the deployment that they were of is gone."""
    with furnished(stop_seconds=60) as kube:
        where, ending = inside(kube, tmp_path), [pod["metadata"]["name"] for pod in kube.store.list(PODS, "shop")]
        kube.store.drop(DEPLOYMENTS, "shop", "web")
        assert all(is_going(pod) for pod in kube.store.list(PODS, "shop"))
        plans = {name: _planned(subject.make(where)) for name, subject in SUBJECTS.items()}
        assert [pod["metadata"]["name"] for pod in kube.store.list(PODS, "shop")] == ending, (
            "they have not ended meanwhile"
        )
    selecting = {name for name, subject in SUBJECTS.items() if "selector='app=web'" in repr(subject.make(where))}
    assert len(selecting) >= 9
    assert {name for name, plan in plans.items() if plan is None} >= selecting
    drained = plans["node-drain"]
    assert drained is not None
    assert drained.undo["pods"] == []


def _planned(driver: Driver) -> Plan | None:
    try:
        return driver.plan(WORLD)
    except NoTargetError:
        return None


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_namespace_that_vanishes_needs_no_undo(name: str, tmp_path: Path) -> None:
    """Before the deed: a DriverError, or what was to end is gone. After it: nothing is left to be undone, and nothing is on."""
    subject = SUBJECTS[name]
    with furnished() as kube:
        driver = subject.make(inside(kube, tmp_path))
        plan, late = driver.plan(WORLD), driver.plan(World(run_id="r-2", fault="f"))
        driver.inject(plan, WORLD)
        kube.store.drop(NAMESPACES, None, "shop")
        driver.revert(plan, WORLD)
        assert driver.active(plan, WORLD) is (name in {*DEEDS} - {"rollout-restart"})
        _gone_before(name, driver, late)
        assert {key: kept for key, kept in state(kube).items() if "shop" in key} == {}
        assert not any((node["spec"], node["metadata"].get("annotations")) != ({}, None) for node in _nodes(kube))


def _gone_before(name: str, driver: Any, plan: Any) -> None:
    other = World(run_id="r-2", fault="f")
    if name in {"pod-evict", "node-cordon", "node-drain"}:
        driver.inject(plan, other)
    else:
        with pytest.raises(DriverError):
            driver.inject(plan, other)
    driver.revert(plan, other)


def _nodes(kube: FakeKube) -> list[dict[str, Any]]:
    nodes = [found for key, found in state(kube).items() if key.startswith("nodes ")]
    return [{"spec": node.get("spec", {}), "metadata": node["metadata"]} for node in nodes]


@every
def test_another_cluster_is_refused(subject: Subject, kube: FakeKube, where: Where) -> None:
    driver = subject.make(where)
    plan = driver.plan(WORLD)
    with FakeKube() as other:
        other.write_kubeconfig(Path(where["kubeconfig"]))
        calls = [driver.inject, driver.active] + [driver.revert] * driver.reversible
        for call in calls:
            with pytest.raises(DriverError, match="it was planned for"):
                call(plan, WORLD)
        assert other.requests == []
