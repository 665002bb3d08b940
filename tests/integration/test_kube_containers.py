"""A container killed from within, and a node put under pressure: against the emulated API, by the real client and websocket."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gameday.spi import DriverError, NoTargetError, World
from gameday.testing import eventually
from gameday_drivers.kube.api import REQUEST_SECONDS
from gameday_drivers.kube.container_kill import KillContainer
from gameday_drivers.kube.stress import StressNode, why_not_ready
from gameday_drivers.kube.target import EXPIRES, RUN, UNDO
from tests.fakes.kube import ApiError, FakeKube
from tests.fakes.kube.store import NAMESPACES, PODS

WORLD = World(run_id="r-1", fault="f")


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube() as kube:
        kube.deploy("web", 3)
        assert eventually(lambda: len(kube.ready("web")) == 3)
        yield kube


@pytest.fixture
def where(kube: FakeKube, tmp_path: Path) -> dict[str, Any]:
    return {"kubeconfig": kube.write_kubeconfig(tmp_path / "kubeconfig"), "context": "fake"}


def kill(where: dict[str, Any], **more: Any) -> KillContainer:
    given: dict[str, Any] = {**where, "namespace": "shop", "selector": "app=web", "container": "c", "within": 1_000}
    return KillContainer(**{**given, **more})


def stress(where: dict[str, Any], **more: Any) -> StressNode:
    given: dict[str, Any] = {**where, "namespace": "shop", "selector": "app=web", "cpu": 1, "within": 3_000, **more}
    return StressNode(**given)


def restarts(kube: FakeKube) -> dict[str, int]:
    pods = kube.store.list(PODS, "shop", labels="app=web")
    return {str(pod["metadata"]["name"]): int(pod["status"]["containerStatuses"][0]["restartCount"]) for pod in pods}


def stressors(kube: FakeKube) -> list[dict[str, Any]]:
    return [pod for pod in kube.store.list(PODS) if pod["metadata"]["name"].startswith("gameday-stress-")]


def test_only_the_chosen_container_starts_again_and_every_pod_stays(kube: FakeKube, where: dict[str, Any]) -> None:
    driver, before = kill(where, count=2), kube.ready("web")
    plan = driver.plan(WORLD)
    assert not driver.active(plan, WORLD)
    driver.inject(plan, WORLD)
    assert driver.active(plan, WORLD)
    chosen = {victim["name"] for victim in plan.undo["victims"]}
    assert restarts(kube) == {name: int(name in chosen) for name in restarts(kube)}
    assert kube.ready("web") == before
    with pytest.raises(DriverError, match=r"0 of 2 killed, then: .* is not as planned"):
        driver.inject(plan, WORLD)
    assert plan.targets[0].startswith("container c of pod shop/web-")


def test_a_process_that_ignores_the_signal_is_no_deed(kube: FakeKube, where: dict[str, Any]) -> None:
    notes = {"annotations": {"emulated/ignores": "c"}}
    for pod in kube.store.list(PODS, "shop"):
        kube.store.change(PODS, "shop", pod["metadata"]["name"], lambda new: new["metadata"].update(notes))
    driver = kill(where)
    plan = driver.plan(WORLD)
    with pytest.raises(DriverError, match=r"c of web-.* runs on after 1 s") as raised:
        driver.inject(plan, WORLD)
    assert "handles no SIGTERM" in raised.value.hint
    assert not driver.active(plan, WORLD)


def test_a_command_that_fails_in_the_container_is_said(kube: FakeKube, where: dict[str, Any]) -> None:
    driver = kill(where, command=("/bin/nothing",))
    with pytest.raises(DriverError, match=r"0 of 1 killed, then in web-.*: command terminated with exit code 127"):
        driver.inject(driver.plan(WORLD), WORLD)
    assert set(restarts(kube).values()) == {0}


def test_what_the_server_refuses_or_does_not_answer(kube: FakeKube, where: dict[str, Any]) -> None:
    driver = kill(where)
    plan = driver.plan(WORLD)
    kube.denied.add(("get", "pods/exec"))
    with pytest.raises(DriverError, match=r"answers 403 to exec .*cannot get resource"):
        driver.inject(plan, WORLD)
    with pytest.raises(DriverError, match="may not get pods/exec in the namespace shop"):
        driver.plan(WORLD)
    kube.denied.clear()
    kube.faults.append(lambda _, path: ApiError(500, "InternalError", "boom") if path.endswith("/exec") else None)
    with pytest.raises(DriverError, match=r"answers 500 to exec .*: boom"):
        driver.inject(plan, WORLD)
    kube.faults[:] = [lambda _, path: 30.0 if path.endswith("/exec") else None]
    start = time.monotonic()
    with pytest.raises(DriverError, match="no answer from the API server"):
        driver.inject(plan, WORLD)
    assert time.monotonic() - start < REQUEST_SECONDS + 3
    assert not driver.active(plan, WORLD)


def test_containers_that_cannot_be_killed_are_refused_by_the_plan(kube: FakeKube, where: dict[str, Any]) -> None:
    with pytest.raises(DriverError, match=r"container x is not in pod web-.*; there are c"):
        kill(where, container="x").plan(WORLD)
    with pytest.raises(NoTargetError):
        kill(where, selector="app=none").plan(WORLD)
    for pod in kube.store.list(PODS, "shop"):
        kube.store.change(PODS, "shop", pod["metadata"]["name"], lambda new: new["spec"].update(restartPolicy="Never"))
    with pytest.raises(DriverError, match="restartPolicy: Never"):
        kill(where).plan(WORLD)


def test_a_stressor_is_bound_to_the_node_limited_and_ends_by_itself(kube: FakeKube, where: dict[str, Any]) -> None:
    driver = stress(where, memory_mb=64, expires=60_000)
    plan = driver.plan(WORLD)
    driver.inject(plan, WORLD)
    assert driver.active(plan, WORLD)
    (pod,) = stressors(kube)
    assert plan.targets[0].startswith(f"node {pod['spec']['nodeName']} (1 cores and 64 MiB taken by a pod in shop)")
    assert (pod["spec"]["activeDeadlineSeconds"], pod["spec"]["restartPolicy"]) == (60, "Never")
    assert pod["spec"]["containers"][0]["resources"]["limits"] == {"cpu": "1", "memory": "96Mi"}
    assert {RUN, EXPIRES, UNDO} <= set(pod["metadata"]["annotations"])
    driver.inject(plan, WORLD)
    assert len(stressors(kube)) == 1, "our own that is there already is done"
    driver.revert(plan, WORLD)
    assert not driver.active(plan, WORLD)
    assert not stressors(kube)


def test_one_stressor_on_each_node(kube: FakeKube, where: dict[str, Any]) -> None:
    driver = stress(where, count=3)
    plan = driver.plan(WORLD)
    assert len(plan.targets) == 2
    driver.inject(plan, WORLD)
    assert {pod["spec"]["nodeName"] for pod in stressors(kube)} == {"node1", "node2"}
    kube.store.drop(PODS, "shop", stressors(kube)[0]["metadata"]["name"])
    with pytest.raises(DriverError, match="1 of 2 stressors are ready, and 1 are there"):
        driver.active(plan, WORLD)
    driver.revert(plan, WORLD)
    assert not driver.active(plan, WORLD)


def test_an_image_that_cannot_be_pulled_is_said_and_nothing_is_left(kube: FakeKube, where: dict[str, Any]) -> None:
    driver = stress(where, image="registry.invalid/stress:1", within=1_000)
    plan = driver.plan(WORLD)
    with pytest.raises(DriverError, match=r"the stressor on node. is not ready: "):
        driver.inject(plan, WORLD)
    waiting = {"waiting": {"reason": "ErrImagePull", "message": "no such host"}}
    status = {"phase": "Pending", "containerStatuses": [{"state": waiting}]}
    assert why_not_ready({"status": status}) == "ErrImagePull: no such host"
    assert why_not_ready({"status": {"phase": "Pending"}}) == "its phase is Pending"
    driver.revert(plan, WORLD)
    assert not stressors(kube)


def test_a_stressor_that_the_server_fails_to_make_leaves_nothing(kube: FakeKube, where: dict[str, Any]) -> None:
    driver = stress(where, count=3)
    plan = driver.plan(WORLD)
    second = plan.undo["stressors"][1]["node"]
    posted: list[str] = []

    def fails(method: str, path: str) -> ApiError | None:
        posted.extend([path] if method == "POST" else [])
        return ApiError(500, "InternalError", "boom") if method == "POST" and len(posted) > 1 else None

    kube.faults.append(fails)
    with pytest.raises(DriverError, match="answers 500"):
        driver.inject(plan, WORLD)
    assert [pod["spec"]["nodeName"] for pod in stressors(kube)] != [second]
    driver.revert(plan, WORLD)
    assert not stressors(kube)
    assert not driver.active(plan, WORLD)
    kube.store.drop(NAMESPACES, None, "shop")
    driver.revert(plan, WORLD)
