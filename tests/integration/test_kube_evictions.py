"""Evictions and drains against the emulated API: budgets honoured, what may not go refused, the cordon always taken back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gameday.spi import DriverError, NoTargetError, World
from gameday.testing import eventually
from gameday_drivers.kube.node_drain import DrainNodes
from gameday_drivers.kube.nodes import ZONE
from gameday_drivers.kube.pod_evict import EvictPods
from gameday_drivers.kube.pod_kill import KillPods
from gameday_drivers.kube.target import RUN, UNDO
from tests.fakes.kube import ApiError, FakeKube
from tests.fakes.kube.store import BUDGETS, NAMESPACES, NODES, PODS

WORLD = World(run_id="r-1", fault="f")


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube() as kube:
        kube.deploy("web", 4)
        assert eventually(lambda: len(kube.ready("web")) == 4)
        yield kube


@pytest.fixture
def where(kube: FakeKube, tmp_path: Path) -> dict[str, Any]:
    return {"kubeconfig": kube.write_kubeconfig(tmp_path / "kubeconfig"), "context": "fake"}


def evict(where: dict[str, Any], **more: Any) -> EvictPods:
    given: dict[str, Any] = {**where, "namespace": "shop", "selector": "app=web", "within": 1_000, **more}
    return EvictPods(**given)


def drain(where: dict[str, Any], **more: Any) -> DrainNodes:
    given: dict[str, Any] = {**where, "namespaces": ("shop",), "nodes": ("node1",), "within": 2_000, **more}
    return DrainNodes(**given)


def on_node(kube: FakeKube, node: str, namespace: str = "shop") -> set[str]:
    pods = kube.store.list(PODS, namespace, fields=f"spec.nodeName={node}")
    return {str(pod["metadata"]["uid"]) for pod in pods}


def a_pod(kube: FakeKube, name: str, namespace: str = "shop", **more: Any) -> None:
    spec = {"nodeName": "node1", "containers": [{"name": "c"}], **more.pop("spec", {})}
    kube.store.create(PODS, namespace, {"metadata": {"name": name, **more}, "spec": spec})


def protected(kube: FakeKube, least: int) -> None:
    kube.protect("web", least)
    allowed = max(0, 4 - least)

    def known() -> bool:
        budget = kube.store.get(BUDGETS, "shop", "web-budget")
        return bool(budget.get("status", {}).get("disruptionsAllowed") == allowed)

    assert eventually(known)


def evictions(kube: FakeKube) -> int:
    return sum(path.endswith("/eviction") for _, path, _ in kube.requests)


def test_what_a_budget_puts_off_is_asked_for_again(kube: FakeKube, where: dict[str, Any]) -> None:
    driver = evict(where, count=2, grace=0, within=60_000)
    plan = driver.plan(WORLD)
    second = plan.undo["victims"][1]["name"]
    refusals = [ApiError(429, "TooManyRequests", "Cannot evict pod")] * 2

    def refuses(_method: str, path: str) -> ApiError | None:
        return refusals.pop() if f"{second}/eviction" in path and refusals else None

    kube.faults.append(refuses)
    driver.inject(plan, WORLD)
    assert driver.active(plan, WORLD)
    assert evictions(kube) == 4, "the first once, the second three times"
    assert eventually(lambda: len(kube.ready("web")) == 4)


def test_a_budget_that_never_allows_it_is_named_in_time(kube: FakeKube, where: dict[str, Any]) -> None:
    protected(kube, 4)
    driver, before = evict(where), kube.ready("web")
    plan = driver.plan(WORLD)
    with pytest.raises(DriverError, match=r"0 of 1 pods evicted; .* the disruption budget web-budget allows 0"):
        driver.inject(plan, WORLD)
    assert evictions(kube) >= 2
    assert kube.ready("web") == before
    assert not driver.active(plan, WORLD)


def test_an_api_that_fails_midway_says_how_many_are_gone(kube: FakeKube, where: dict[str, Any]) -> None:
    driver = evict(where, count=3, grace=0)
    plan = driver.plan(WORLD)
    last = plan.undo["victims"][-1]["name"]
    kube.faults.append(lambda _, path: ApiError(500, "InternalError", "boom") if f"{last}/ev" in path else None)
    with pytest.raises(DriverError, match="2 of 3 pods evicted, then: the API server answers 500"):
        driver.inject(plan, WORLD)
    kube.faults[:] = [lambda _method, _path: 30.0]
    with pytest.raises(DriverError, match="0 of 3 pods evicted, then: no answer from the API server"):
        driver.inject(plan, WORLD)


def test_rights_to_evict_are_asked_for_by_their_own_name(kube: FakeKube, where: dict[str, Any]) -> None:
    kube.denied.add(("create", "pods/eviction"))
    for driver in (evict(where), drain(where)):
        with pytest.raises(DriverError, match="may not create pods/eviction in the namespace shop") as raised:
            driver.plan(WORLD)
        assert "resources: [pods/eviction], verbs: [create]" in raised.value.hint


def test_a_namespace_that_vanishes_leaves_nothing_to_evict(kube: FakeKube, where: dict[str, Any]) -> None:
    driver, drained = evict(where), drain(where)
    plan, other = driver.plan(WORLD), drained.plan(WORLD)
    kube.store.drop(NAMESPACES, None, "shop")
    driver.inject(plan, WORLD)
    assert driver.active(plan, WORLD)
    drained.inject(other, WORLD)
    assert drained.active(other, WORLD)
    drained.revert(other, WORLD)
    with pytest.raises(NoTargetError):
        driver.plan(WORLD)


def test_a_node_is_emptied_and_uncordoned(kube: FakeKube, where: dict[str, Any]) -> None:
    protected(kube, 3)
    driver, before = drain(where, within=20_000), on_node(kube, "node1")
    plan = driver.plan(WORLD)
    assert plan.targets[0] == f"node node1 in fake ({kube.url})"
    assert {pod["uid"] for pod in plan.undo["pods"]} == before != set()
    assert (len(plan.targets), plan.ready) == (1 + len(before), 2 + len(before))
    driver.inject(plan, WORLD)
    assert not on_node(kube, "node1")
    assert driver.active(plan, WORLD)
    assert {RUN, UNDO} <= set(kube.store.get(NODES, None, "node1")["metadata"]["annotations"])
    driver.revert(plan, WORLD)
    node = kube.store.get(NODES, None, "node1")
    assert (node["spec"].get("unschedulable"), node["metadata"]["annotations"]) == (None, {})
    assert not driver.active(plan, WORLD)


def test_a_drain_that_a_budget_stops_leaves_a_cordon_that_the_revert_takes_back(
    kube: FakeKube, where: dict[str, Any]
) -> None:
    protected(kube, 4)
    driver = drain(where)
    plan = driver.plan(WORLD)
    with pytest.raises(DriverError, match="the disruption budget web-budget allows 0"):
        driver.inject(plan, WORLD)
    assert kube.store.get(NODES, None, "node1")["spec"]["unschedulable"]
    with pytest.raises(DriverError, match="pods are still there"):
        driver.active(plan, WORLD)
    driver.revert(plan, WORLD)
    assert not driver.active(plan, WORLD)
    assert not kube.store.get(NODES, None, "node1")["spec"].get("unschedulable")


def test_pods_of_daemon_sets_kubelets_and_the_system_stay(kube: FakeKube, where: dict[str, Any]) -> None:
    daemon = [{"kind": "DaemonSet", "name": "d", "uid": "d", "controller": True}]
    a_pod(kube, "log-shipper", ownerReferences=daemon)
    a_pod(kube, "static", annotations={"kubernetes.io/config.mirror": "x"})
    a_pod(kube, "dns", "kube-system")
    driver = drain(where, within=20_000)
    plan = driver.plan(WORLD)
    assert not [target for target in plan.targets if any(name in target for name in ("log-shipper", "static", "dns"))]
    driver.inject(plan, WORLD)
    assert {pod["metadata"]["name"] for pod in kube.store.list(PODS, fields="spec.nodeName=node1")} == {
        "log-shipper",
        "static",
        "dns",
    }
    driver.revert(plan, WORLD)


def bare(kube: FakeKube) -> None:
    a_pod(kube, "bare")


def cached(kube: FakeKube) -> None:
    owner = {"kind": "ReplicaSet", "uid": "x", "controller": True}
    a_pod(kube, "cache", ownerReferences=[owner], spec={"volumes": [{"name": "v", "emptyDir": {}}]})


def foreign(kube: FakeKube) -> None:
    a_pod(kube, "other", "default")


@pytest.mark.parametrize(
    ("put", "words", "allowed"),
    [
        (bare, "nothing starts these pods again .*: shop/bare", {"bare_pods": True}),
        (cached, "emptyDir data, which is lost .*: shop/cache", {"emptydir": True}),
        (
            foreign,
            "namespaces that are not under namespaces: default/other",
            {"namespaces": ("shop", "default"), "bare_pods": True},
        ),
    ],
)
def test_what_kubectl_would_refuse_is_refused_unless_told(
    kube: FakeKube, where: dict[str, Any], put: Callable[[FakeKube], None], words: str, allowed: dict[str, Any]
) -> None:
    put(kube)
    with pytest.raises(DriverError, match=f"node node1 cannot be drained: .*{words}"):
        drain(where).plan(WORLD)
    assert not any(method == "PATCH" for method, _, _ in kube.requests)
    assert drain(where, **allowed).plan(WORLD).targets


def test_one_is_chosen_on_each_node_or_in_each_zone(kube: FakeKube, where: dict[str, Any]) -> None:
    def kill(**more: Any) -> KillPods:
        return KillPods(**where, namespace="shop", selector="app=web", **more)

    place = {str(pod["metadata"]["name"]): str(pod["spec"]["nodeName"]) for pod in kube.store.list(PODS, "shop")}

    def chosen(driver: KillPods) -> list[str]:
        return sorted(place[victim["name"]] for victim in driver.plan(WORLD).undo["victims"])

    assert chosen(kill(per="node")) == ["node1", "node2"]
    assert chosen(kill(per="node", count=2)) == ["node1", "node1", "node2", "node2"]
    with pytest.raises(DriverError, match="3 pods are asked for, and 2 match on node"):
        kill(per="node", count=3).plan(WORLD)
    with pytest.raises(NoTargetError, match="at a place that is known"):
        kill(per="zone").plan(WORLD)
    for name in ("node1", "node2"):
        kube.store.change(NODES, None, name, lambda node: node["metadata"]["labels"].update({ZONE: "a"}))
    assert len(chosen(kill(per="zone"))) == 1
    kube.denied.add(("list", "nodes"))
    with pytest.raises(DriverError, match="may not list nodes in the cluster"):
        kill(per="zone").plan(WORLD)


def test_ready_pods_are_chosen_first(kube: FakeKube, where: dict[str, Any]) -> None:
    ready = kube.ready("web")
    a_pod(kube, "starting", labels={"app": "web"}, spec={"nodeName": "node9"})
    kube.store.change(PODS, "shop", "starting", lambda pod: pod["status"].update(phase="Running"))
    for run in range(5):
        plan = evict(where, count=4).plan(World(run_id=f"r-{run}"))
        assert {victim["uid"] for victim in plan.undo["victims"]} == ready
