"""Whether killed pods have others in their place: against an emulated cluster that is slow, tells old news, or replaces nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gameday.model import Plan
from gameday.spi import DriverError, Recovery, World
from gameday.testing import eventually, stays
from gameday_drivers.kube.container_kill import KillContainer
from gameday_drivers.kube.node_drain import DrainNodes
from gameday_drivers.kube.pod_kill import KillPods
from gameday_drivers.kube.rollout_restart import RestartRollout
from tests.fakes.kube import FakeKube
from tests.fakes.kube.controllers import become_ready
from tests.fakes.kube.store import DEPLOYMENTS, NODES, PODS, STATEFULSETS

WORLD = World(run_id="r-1", fault="f")


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube() as kube:
        kube.deploy("web", 3)
        assert eventually(lambda: len(kube.ready("web")) == 3 and told(kube) == 3)
        yield kube


@pytest.fixture
def where(kube: FakeKube, tmp_path: Path) -> dict[str, Any]:
    return {"kubeconfig": kube.write_kubeconfig(tmp_path / "kubeconfig"), "context": "fake", "namespace": "shop"}


def told(kube: FakeKube) -> int:
    """How many ready replicas the deployment's status speaks of."""
    return int(kube.store.get(DEPLOYMENTS, "shop", "web")["status"].get("readyReplicas") or 0)


def killing(where: dict[str, Any], **more: Any) -> tuple[Plan, Callable[[], Recovery]]:
    """Plan to kill two pods at once; return the plan, and how to see what became of it."""
    given: dict[str, Any] = {**where, "selector": "app=web", "count": 2, "grace": 0, **more}
    driver = KillPods(**given)
    plan = driver.plan(WORLD)
    return plan, lambda: driver.recovered(plan, WORLD)


def kill(kube: FakeKube, plan: Plan) -> None:
    for victim in plan.undo["victims"]:
        kube.store.drop(PODS, "shop", victim["name"])


def numbers(seen: Recovery) -> tuple[int, int, int]:
    return seen.lost, seen.wanted, seen.back


def scaled(kube: FakeKube, replicas: int) -> None:
    kube.store.change(DEPLOYMENTS, "shop", "web", lambda found: found["spec"].update(replicas=replicas))


def test_nothing_is_back_before_anything_is_lost(kube: FakeKube, where: dict[str, Any]) -> None:
    plan, look = killing(where)
    assert plan.replaced == 2
    scaled(kube, 5)
    assert eventually(lambda: len(kube.ready("web")) == 5)
    assert numbers(look()) == (2, 2, 0)
    assert look().detail == "2 of them are still there"


def test_the_status_of_before_is_not_believed(kube: FakeKube, where: dict[str, Any]) -> None:
    plan, look = killing(where)
    kube.pace.tells = kube.pace.replaces = False
    kill(kube, plan)
    assert told(kube) == 3
    assert stays(lambda: numbers(look()) == (2, 2, 0))
    assert look().detail == "Deployment web has started no other"
    kube.pace.start_seconds, kube.pace.replaces = 3600.0, True
    assert eventually(lambda: "is not ready" in look().detail and "no other" not in look().detail)
    assert numbers(look()) == (2, 2, 0)
    kube.pace.start_seconds = 0.0
    assert eventually(lambda: look().whole)
    assert look().detail == ""


def test_a_pod_is_not_ready_whose_node_is_not(kube: FakeKube, where: dict[str, Any]) -> None:
    plan, look = killing(where)

    def all_nodes_are(status: str) -> None:
        ready = [{"type": "Ready", "status": status}]
        for name in ("node1", "node2"):
            kube.store.change(NODES, None, name, lambda node: node["status"].update(conditions=ready))

    all_nodes_are("Unknown")
    kill(kube, plan)
    assert eventually(lambda: len(kube.ready("web")) == 3)
    assert numbers(look()) == (2, 2, 0)
    assert ", which is not ready" in look().detail
    all_nodes_are("True")
    assert look().whole
    kube.denied.add(("get", "nodes"))
    all_nodes_are("Unknown")
    assert look().whole, "without the right to ask for nodes, what a kubelet has said since the loss stands"


def test_the_same_name_with_another_uid_is_a_successor_once_it_is_ready(kube: FakeKube, where: dict[str, Any]) -> None:
    template: dict[str, Any] = {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [{"name": "c"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"app": "db"}}, "template": template}
    made = kube.store.create(STATEFULSETS, "shop", {"metadata": {"name": "db"}, "spec": spec})
    owner = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "controller": True}

    def start() -> None:
        pod = copy.deepcopy(template)
        pod["metadata"].update(name="db-0", ownerReferences=[{**owner, "uid": made["metadata"]["uid"]}])
        kube.store.create(PODS, "shop", pod)

    def ready() -> bool:
        return len(kube.ready("db")) == 1

    start()
    assert eventually(ready)
    plan, look = killing(where, selector="app=db", count=1)
    kube.pace.start_seconds = 3600.0
    kill(kube, plan)
    assert look().detail == "StatefulSet db has started no other"
    start()
    assert (numbers(look()), look().detail) == ((1, 1, 0), "db-0 is not ready")
    kube.store.change(PODS, "shop", "db-0", become_ready)
    assert look().whole


def test_what_is_scaled_down_meanwhile_is_wanted_no_more(kube: FakeKube, where: dict[str, Any]) -> None:
    plan, look = killing(where)
    kube.pace.replaces = False
    kill(kube, plan)
    scaled(kube, 2)
    assert numbers(look()) == (2, 1, 0)
    scaled(kube, 1)
    assert numbers(look()) == (2, 0, 0)
    assert (look().done, look().whole) == (True, False)
    assert look().detail == "Deployment web was scaled down to 1 since"
    scaled(kube, 9)
    assert numbers(look()) == (2, 2, 0), "what is scaled up meanwhile is not missed"
    kube.pace.replaces = True
    assert eventually(lambda: look().whole)


def test_a_survivor_that_dies_later_is_missed_too(kube: FakeKube, where: dict[str, Any]) -> None:
    plan, look = killing(where)
    kube.pace.start_seconds = 3600.0
    (survivor,) = kube.ready("web") - {victim["uid"] for victim in plan.undo["victims"]}
    kill(kube, plan)
    pods = kube.store.list(PODS, "shop", labels="app=web")
    (name,) = (pod["metadata"]["name"] for pod in pods if pod["metadata"]["uid"] == survivor)
    kube.store.drop(PODS, "shop", name)
    assert eventually(lambda: len(kube.store.list(PODS, "shop", labels="app=web")) == 3)
    first, *rest = (pod["metadata"]["name"] for pod in kube.store.list(PODS, "shop", labels="app=web"))
    kube.store.change(PODS, "shop", first, become_ready)
    assert numbers(look()) == (2, 2, 0), "one is ready, and it may be the third's"
    kube.store.change(PODS, "shop", rest[0], become_ready)
    assert numbers(look()) == (2, 2, 1)


def test_a_rollout_meanwhile_brings_others_and_another_workload_does_not(kube: FakeKube, where: dict[str, Any]) -> None:
    kube.deploy("web-two", 1)
    assert eventually(lambda: len(kube.ready("web-two")) == 1)
    plan, look = killing(where)
    kube.pace.replaces = False
    kill(kube, plan)
    kube.store.change(DEPLOYMENTS, "shop", "web-two", lambda found: found["spec"].update(replicas=4))
    template = {"spec": {"containers": [{"name": "c", "image": "other"}]}}
    kube.store.change(DEPLOYMENTS, "shop", "web", lambda found: found["spec"]["template"].update(template))
    assert numbers(look()) == (2, 2, 0)
    kube.store.change(DEPLOYMENTS, "shop", "web", lambda found: found["spec"].update(paused=True))
    kube.pace.replaces = True
    assert eventually(lambda: len(kube.ready("web-two")) == 4)
    assert numbers(look()) == (2, 2, 0), "those of another deployment, whose name begins alike"
    kube.store.change(DEPLOYMENTS, "shop", "web", lambda found: found["spec"].update(paused=False))
    assert eventually(lambda: look().whole)


def test_without_the_right_to_read_workloads_a_loss_never_looks_smaller(kube: FakeKube, where: dict[str, Any]) -> None:
    kube.denied |= {("get", "replicasets"), ("get", "deployments"), ("get", "nodes")}
    plan, look = killing(where)
    assert [one["kind"] for one in plan.undo["workloads"]] == ["ReplicaSet"]
    kube.pace.replaces = False
    kill(kube, plan)
    scaled(kube, 1)
    assert numbers(look()) == (2, 2, 0)
    scaled(kube, 3)
    kube.pace.replaces = True
    assert eventually(lambda: look().whole)


def test_what_nothing_starts_again_is_said_beforehand_and_not_waited_for(kube: FakeKube, where: dict[str, Any]) -> None:
    bare: dict[str, Any] = {"metadata": {"name": "bare", "labels": {"app": "web"}}, "spec": {"containers": []}}
    kube.store.create(PODS, "shop", bare)
    assert eventually(lambda: len(kube.ready("web")) == 4)
    plan, _ = killing(where, count=4)
    assert plan.replaced == 3
    assert sum("(nothing starts it again)" in target for target in plan.targets) == 1
    for name in [victim["name"] for victim in plan.undo["victims"] if victim["name"] != "bare"]:
        kube.store.change(PODS, "shop", name, lambda pod: pod["metadata"].update(labels={}))
    alone, look = killing(where, count=1)
    assert (alone.replaced, numbers(look())) == (0, (0, 0, 0))


def test_a_container_is_back_when_another_one_runs_and_is_ready(kube: FakeKube, where: dict[str, Any]) -> None:
    driver = KillContainer(**where, selector="app=web", container="c", count=2)
    plan = driver.plan(WORLD)
    first, second = (victim["name"] for victim in plan.undo["victims"])

    def look() -> Recovery:
        return driver.recovered(plan, WORLD)

    def becomes(name: str, *, ready: bool, state: str) -> None:
        def change(pod: dict[str, Any]) -> None:
            (one,) = pod["status"]["containerStatuses"]
            one.update(restartCount=1, containerID="containerd://new", ready=ready, state={state: {"reason": "Crash"}})
            pod["status"]["conditions"] = [{"type": "Ready", "status": str(ready)}]

        kube.store.change(PODS, "shop", name, change)

    assert (plan.replaced, numbers(look())) == (2, (2, 2, 0))
    becomes(first, ready=False, state="waiting")
    assert f"c of {first}: Crash" in look().detail
    becomes(first, ready=False, state="running")
    assert numbers(look()) == (2, 2, 0)
    becomes(first, ready=True, state="running")
    assert numbers(look()) == (2, 2, 1)
    kube.pace.replaces = False
    kube.store.drop(PODS, "shop", second)
    assert (numbers(look()), look().detail) == ((2, 2, 1), "Deployment web has started no other")
    kube.pace.replaces = True
    assert eventually(lambda: look().whole)


def test_a_rollout_is_through_when_pods_of_the_new_template_are_ready(kube: FakeKube, where: dict[str, Any]) -> None:
    driver = RestartRollout(**where, deployment="web")
    plan = driver.plan(WORLD)

    def look() -> Recovery:
        return driver.recovered(plan, WORLD)

    assert (plan.replaced, numbers(look())) == (3, (3, 3, 0))
    assert look().detail == "3 pods of another template are there"
    driver.inject(plan, WORLD)
    assert eventually(lambda: look().whole)
    assert eventually(lambda: len(kube.store.list(PODS, "shop", labels="app=web")) == 3), "the old ones have ended"
    kube.pace.tells = kube.pace.replaces = False
    name = kube.store.list(PODS, "shop", labels="app=web")[0]["metadata"]["name"]
    kube.store.drop(PODS, "shop", name)
    assert told(kube) == 3
    assert numbers(look()) == (3, 3, 2)
    scaled(kube, 2)
    assert numbers(look()) == (3, 2, 2)


def test_pods_of_a_drained_node_are_back_elsewhere(kube: FakeKube, where: dict[str, Any]) -> None:
    bare: dict[str, Any] = {"metadata": {"name": "bare"}, "spec": {"nodeName": "node1", "containers": []}}
    kube.store.create(PODS, "shop", bare)
    here = {key: value for key, value in where.items() if key != "namespace"}
    driver = DrainNodes(**here, namespaces=("shop",), nodes=("node1",), bare_pods=True)
    plan = driver.plan(WORLD)
    going = sum(pod["name"] != "bare" for pod in plan.undo["pods"])
    assert plan.replaced == going > 0
    assert any("pod shop/bare on node1 (nothing starts it again)" in target for target in plan.targets)
    kube.pace.start_seconds = 3600.0
    driver.inject(plan, WORLD)
    try:
        assert numbers(driver.recovered(plan, WORLD)) == (going, going, 0)
        kube.pace.start_seconds = 0.0
        assert eventually(lambda: driver.recovered(plan, WORLD).whole)
    finally:
        driver.revert(plan, WORLD)
    assert driver.recovered(plan, WORLD).whole


def test_a_workload_that_is_gone_starts_nothing(kube: FakeKube, where: dict[str, Any]) -> None:
    _, look = killing(where)
    kube.store.drop(DEPLOYMENTS, "shop", "web")
    assert eventually(lambda: not kube.store.list(PODS, "shop", labels="app=web"))
    assert (numbers(look()), look().detail) == ((2, 2, 0), "Deployment web is gone: nothing will start others")
    kube.deploy("web", 3)
    assert eventually(lambda: len(kube.ready("web")) == 3)
    assert numbers(look()) == (2, 2, 0), "another one has its name"


def test_what_cannot_be_asked_is_unknown(kube: FakeKube, where: dict[str, Any]) -> None:
    plan, look = killing(where)
    kill(kube, plan)
    kube.denied.add(("list", "pods"))
    with pytest.raises(DriverError, match="answers 403"):
        look()
    kube.denied.clear()
    kube.faults.append(lambda _method, path: 30.0 if "/nodes/" in path else None)
    with pytest.raises(DriverError, match="no answer from the API server"):
        eventually(lambda: look().whole)
