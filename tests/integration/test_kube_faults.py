"""What goes wrong at an API server, once each: never a deed that is called done, never something left behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gameday.spi import Driver, DriverError, NoTargetError, World
from gameday.testing import eventually, stays
from gameday_drivers.kube.api import REQUEST_SECONDS
from gameday_drivers.kube.deployment_scale import ScaleDeployment
from gameday_drivers.kube.network_deny import DenyNetwork
from gameday_drivers.kube.node_cordon import CordonNodes
from gameday_drivers.kube.pod_kill import KillPods
from tests.fakes.kube import ApiError, FakeKube
from tests.fakes.kube.store import DEPLOYMENTS, NAMESPACES, NODES, PODS, POLICIES

WORLD = World(run_id="r-1", fault="f")
BOOM = ApiError(500, "InternalError", "boom")


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube() as kube:
        kube.deploy("web", 3)
        assert eventually(lambda: len(kube.ready("web")) == 3)
        yield kube


@pytest.fixture
def where(kube: FakeKube, tmp_path: Path) -> dict[str, Any]:
    return {"kubeconfig": kube.write_kubeconfig(tmp_path / "kubeconfig"), "context": "fake"}


def kill(where: dict[str, Any], **more: Any) -> KillPods:
    given: dict[str, Any] = {**where, "namespace": "shop", "selector": "app=web", **more}
    return KillPods(**given)


def scale(where: dict[str, Any]) -> ScaleDeployment:
    return ScaleDeployment(**where, namespace="shop", deployment="web")


def changes(kube: FakeKube) -> list[str]:
    return [method for method, path, _ in kube.requests if method != "GET" and "accessreviews" not in path]


def test_what_is_not_allowed_is_said_with_the_rules_that_are_missing(kube: FakeKube, where: dict[str, Any]) -> None:
    kube.denied |= {("delete", "pods"), ("list", "poddisruptionbudgets")}
    with pytest.raises(DriverError, match="the context fake may not delete pods, list poddisruptionbudgets") as raised:
        kill(where).plan(WORLD)
    assert raised.value.hint == (
        "bind its user to this:\n"
        "apiVersion: rbac.authorization.k8s.io/v1\n"
        "kind: Role\n"
        "metadata:\n"
        "  name: gameday\n"
        "  namespace: shop\n"
        "rules:\n"
        '  - {apiGroups: [""], resources: [pods], verbs: [delete]}\n'
        '  - {apiGroups: ["policy"], resources: [poddisruptionbudgets], verbs: [list]}\n'
    )
    assert changes(kube) == []


def test_rights_that_are_lost_after_the_plan_stop_the_deed(kube: FakeKube, where: dict[str, Any]) -> None:
    driver = scale(where)
    plan = driver.plan(WORLD)
    kube.denied.add(("patch", "deployments"))
    with pytest.raises(DriverError, match="answers 403 to PATCH"):
        driver.inject(plan, WORLD)
    assert not driver.active(plan, WORLD)
    driver.revert(plan, WORLD)
    assert kube.store.get(DEPLOYMENTS, "shop", "web")["spec"]["replicas"] == 3


def test_a_revert_that_is_refused_is_not_done_and_can_be_repeated(kube: FakeKube, where: dict[str, Any]) -> None:
    driver = scale(where)
    plan = driver.plan(WORLD)
    driver.inject(plan, WORLD)
    kube.faults.append(lambda method, _: ApiError(429, "TooManyRequests", "slow down") if method == "PATCH" else None)
    with pytest.raises(DriverError, match="answers 429"):
        driver.revert(plan, WORLD)
    assert driver.active(plan, WORLD)
    kube.faults.clear()
    driver.revert(plan, WORLD)
    assert not driver.active(plan, WORLD)
    assert eventually(lambda: len(kube.ready("web")) == 3)


def test_an_api_that_fails_half_way_says_how_many_were_killed(kube: FakeKube, where: dict[str, Any]) -> None:
    driver = kill(where, count=3, grace=0)
    plan = driver.plan(WORLD)
    deletes: list[str] = []

    def second(method: str, path: str) -> ApiError | None:
        if method == "DELETE":
            deletes.append(path)
        return BOOM if method == "DELETE" and len(deletes) == 2 else None

    kube.faults.append(second)
    with pytest.raises(DriverError, match="1 of 3 pods killed, then: the API server answers 500"):
        driver.inject(plan, WORLD)
    assert len(deletes) == 2
    assert not driver.active(plan, WORLD)


def test_a_cordon_that_fails_half_way_is_neither_on_nor_off_and_is_taken_back(
    kube: FakeKube, where: dict[str, Any]
) -> None:
    driver = CordonNodes(**where, nodes=("node1", "node2"))
    plan = driver.plan(WORLD)
    kube.faults.append(lambda method, path: BOOM if method == "PATCH" and path.endswith("node2") else None)
    with pytest.raises(DriverError, match="answers 500"):
        driver.inject(plan, WORLD)
    with pytest.raises(DriverError, match="1 of 2 nodes are cordoned"):
        driver.active(plan, WORLD)
    driver.revert(plan, WORLD)
    assert not driver.active(plan, WORLD)
    assert not any(node["spec"].get("unschedulable") for node in kube.store.list(NODES))


def test_an_api_that_hangs_is_given_up_in_time(kube: FakeKube, where: dict[str, Any]) -> None:
    driver = kill(where)
    plan = driver.plan(WORLD)
    kube.faults.append(lambda _method, _path: 30.0)
    calls: list[Callable[[], object]] = [lambda: driver.plan(WORLD), lambda: driver.active(plan, WORLD)]
    for call in calls:
        start = time.monotonic()
        with pytest.raises(DriverError, match=r"no answer from the API server .*: nothing within"):
            call()
        assert time.monotonic() - start < REQUEST_SECONDS + 1.5, "asked once, and not again"


def test_nobody_there_is_unknown(where: dict[str, Any], kube: FakeKube) -> None:
    driver = scale(where)
    plan = driver.plan(WORLD)
    kube.__exit__()
    for call in (driver.inject, driver.active, driver.revert):
        with pytest.raises(DriverError, match="no answer from the API server"):
            call(plan, WORLD)


def test_zero_matches_is_an_error(where: dict[str, Any]) -> None:
    with pytest.raises(NoTargetError, match="no live pod matches app=nope"):
        kill(where, selector="app=nope").plan(WORLD)
    with pytest.raises(NoTargetError, match="no live pod"):
        kill(where, namespace="nowhere").plan(WORLD)
    with pytest.raises(NoTargetError, match="there is no deployment shop/nope"):
        ScaleDeployment(**where, namespace="shop", deployment="nope").plan(WORLD)
    with pytest.raises(NoTargetError, match="there is no node node9"):
        CordonNodes(**where, nodes=("node9",)).plan(WORLD)
    with pytest.raises(NoTargetError, match="no schedulable node"):
        CordonNodes(**where, selector="pool=none").plan(WORLD)


def test_a_pod_that_is_ending_is_not_chosen(tmp_path: Path) -> None:
    with FakeKube(stop_seconds=30) as kube:
        kube.deploy("web", 2)
        assert eventually(lambda: len(kube.ready("web")) == 2)
        ending = kube.store.list(PODS, "shop")[0]["metadata"]
        kube.store.delete(PODS, "shop", ending["name"])
        assert eventually(lambda: len(kube.ready("web")) == 2)
        config = {"kubeconfig": kube.write_kubeconfig(tmp_path / "c"), "context": "fake"}
        plan = kill(config, count=2).plan(WORLD)
        assert {victim["uid"] for victim in plan.undo["victims"]} == kube.ready("web")
        with pytest.raises(DriverError, match="3 pods are asked for, and 2 match"):
            kill(config, count=3).plan(WORLD)


def test_a_pod_of_the_same_name_is_not_the_victim(kube: FakeKube, where: dict[str, Any]) -> None:
    bare: dict[str, Any] = {"metadata": {"name": "db-0", "labels": {"app": "db"}}, "spec": {"containers": []}}
    kube.store.create(PODS, "shop", bare)
    driver = kill(where, selector="app=db", grace=0)
    plan = driver.plan(WORLD)
    assert plan.targets[0].endswith(f"(nothing starts it again) in fake ({kube.url})")
    kube.store.drop(PODS, "shop", "db-0")
    again = kube.store.create(PODS, "shop", {"metadata": {"name": "db-0", "labels": {"app": "db"}}, "spec": {}})
    with pytest.raises(DriverError, match="0 of 1 pods killed, then: db-0 was gone before"):
        driver.inject(plan, WORLD)
    assert stays(lambda: kube.store.get(PODS, "shop", "db-0")["metadata"]["uid"] == again["metadata"]["uid"])


def test_a_namespace_that_vanishes(kube: FakeKube, where: dict[str, Any]) -> None:
    scaled, denied = scale(where), DenyNetwork(**where, namespace="shop", selector="app=web")
    plans = [scaled.plan(WORLD), denied.plan(WORLD)]
    scaled.inject(plans[0], WORLD)
    kube.store.drop(NAMESPACES, None, "shop")
    assert not scaled.active(plans[0], WORLD)
    with pytest.raises(DriverError, match="answers 404"):
        denied.inject(plans[1], WORLD)
    drivers: tuple[Driver, ...] = (scaled, denied)
    for driver, plan in zip(drivers, plans, strict=True):
        driver.revert(plan, WORLD)
        assert not driver.active(plan, WORLD)
    assert not kube.store.list(POLICIES)


def test_a_disruption_budget_is_honoured_unless_told(kube: FakeKube, where: dict[str, Any]) -> None:
    kube.protect("web", 2)
    assert eventually(lambda: kill(where).plan(WORLD).ready == 3 if _allows_one(kube) else False)
    with pytest.raises(DriverError, match="web-budget allows 1 disruptions now, and this would be 2"):
        kill(where, count=2).plan(WORLD)
    assert len(kill(where, count=2, ignore_budgets=True).plan(WORLD).targets) == 2


def _allows_one(kube: FakeKube) -> bool:
    found = kube.store.get(("policy", "v1", "poddisruptionbudgets"), "shop", "web-budget")
    return bool(found.get("status", {}).get("disruptionsAllowed") == 1)


def test_another_cluster_than_the_planned_one_is_refused(kube: FakeKube, where: dict[str, Any], tmp_path: Path) -> None:
    driver = kill(where, grace=0)
    plan = driver.plan(WORLD)
    assert plan.undo["cluster"] == {**where, "server": kube.url}
    with FakeKube() as other:
        other.write_kubeconfig(Path(where["kubeconfig"]))
        for call in (driver.inject, driver.active):
            with pytest.raises(DriverError, match=r"leads to .*, and it was planned for"):
                call(plan, WORLD)
        assert other.requests == []
    assert len(kube.ready("web")) == 3


def test_a_number_that_somebody_has_changed_meanwhile_stays(kube: FakeKube, where: dict[str, Any]) -> None:
    driver = scale(where)
    plan = driver.plan(WORLD)
    driver.inject(plan, WORLD)
    kube.store.change(DEPLOYMENTS, "shop", "web", lambda found: found["spec"].update(replicas=5))
    driver.revert(plan, WORLD)
    found = kube.store.get(DEPLOYMENTS, "shop", "web")
    assert found["spec"]["replicas"] == 5
    assert not found["metadata"].get("annotations")


def test_two_runs_do_not_undo_each_other(kube: FakeKube, where: dict[str, Any]) -> None:
    driver, other = scale(where), World(run_id="r-2")
    plan = driver.plan(WORLD)
    elsewhere = driver.plan(other)
    driver.inject(plan, WORLD)
    with pytest.raises(DriverError, match="changed by the run r-1 already"):
        driver.plan(other)
    with pytest.raises(DriverError, match="changed by the run r-1 already"):
        driver.inject(elsewhere, other)
    driver.revert(elsewhere, other)
    assert driver.active(plan, WORLD)
    driver.revert(plan, WORLD)


def test_a_share_is_rounded_down_and_at_least_one(where: dict[str, Any]) -> None:
    sizes = [len(kill(where, share=share).plan(WORLD).targets) for share in (0.01, 0.5, 0.67, 1.0)]
    assert sizes == [1, 1, 2, 3]


def test_a_node_that_is_cordoned_already_is_not_ours_to_uncordon(kube: FakeKube, where: dict[str, Any]) -> None:
    kube.store.change(NODES, None, "node1", lambda node: node["spec"].update(unschedulable=True))
    driver = CordonNodes(**where, selector="kubernetes.io/hostname")
    plan = driver.plan(WORLD)
    assert plan.targets == (f"node node2 in fake ({kube.url})",)
    driver.inject(plan, WORLD)
    driver.revert(plan, WORLD)
    assert [bool(node["spec"].get("unschedulable")) for node in kube.store.list(NODES)] == [True, False]
