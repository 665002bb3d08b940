"""The shared laws, kill cases included, for every Kubernetes driver, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gameday.model import Plan
from gameday.spi import Driver, World
from gameday.testing import DriverContract, IrreversibleContract, eventually, stays
from gameday_drivers.kube.container_kill import KillContainer
from gameday_drivers.kube.deployment_scale import BEFORE, ScaleDeployment
from gameday_drivers.kube.network_deny import DenyNetwork
from gameday_drivers.kube.node_cordon import CordonNodes
from gameday_drivers.kube.node_drain import DrainNodes
from gameday_drivers.kube.pod_evict import EvictPods
from gameday_drivers.kube.pod_kill import KillPods
from gameday_drivers.kube.stress import StressNode
from gameday_drivers.kube.target import EXPIRES, RUN
from tests.fakes.kube import FakeKube
from tests.fakes.kube.enforcing import node_port
from tests.fakes.kube.store import DEPLOYMENTS, NODES, PODS, POLICIES

pytestmark = pytest.mark.long


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube() as kube:
        kube.deploy("web", 3)
        kube.deploy("db", 1)
        assert eventually(lambda: len(kube.ready("web")) == 3 and len(kube.ready("db")) == 1)
        yield kube


@pytest.fixture
def where(kube: FakeKube, tmp_path: Path) -> dict[str, Any]:
    return {"kubeconfig": kube.write_kubeconfig(tmp_path / "kubeconfig"), "context": "fake"}


def marks_of(found: dict[str, Any]) -> set[str]:
    has: dict[str, str] = found["metadata"].get("annotations") or {}
    return {key for key in has if key.startswith("gameday.io/")}


class TestKillPods(IrreversibleContract):
    @pytest.fixture
    def driver(self, where: dict[str, Any]) -> Driver:
        return KillPods(**where, namespace="shop", selector="app=web", count=2, grace=0)

    def test_only_the_chosen_go_and_others_come(self, kube: FakeKube, driver: Driver, plan: Plan, world: World) -> None:
        before, other = kube.ready("web"), kube.ready("db")
        self.in_force(driver, plan, world)
        assert eventually(lambda: len(kube.ready("web")) == 3)
        victims = {victim["uid"] for victim in plan.undo["victims"]}
        assert before - kube.ready("web") == victims
        assert len(victims) == len(plan.targets) == 2
        assert stays(lambda: kube.ready("db") == other)
        assert plan.ready == 3


class TestScaleDeployment(DriverContract):
    @pytest.fixture
    def driver(self, kube: FakeKube, where: dict[str, Any]) -> Iterator[Driver]:
        yield ScaleDeployment(**where, namespace="shop", deployment="web", replicas=0)
        found = kube.store.get(DEPLOYMENTS, "shop", "web")
        assert found["spec"]["replicas"] == 3
        assert marks_of(found) == set()

    def test_the_pods_go_and_come_back(self, kube: FakeKube, driver: Driver, plan: Plan, world: World) -> None:
        self.in_force(driver, plan, world)
        assert not kube.ready("web")
        assert marks_of(kube.store.get(DEPLOYMENTS, "shop", "web")) >= {RUN, EXPIRES, BEFORE}
        self.undone(driver, plan, world)
        assert eventually(lambda: len(kube.ready("web")) == 3)


class TestDenyNetwork(DriverContract):
    @pytest.fixture
    def driver(self, kube: FakeKube, where: dict[str, Any]) -> Iterator[Driver]:
        with node_port(kube, "web") as address:
            yield DenyNetwork(**where, namespace="shop", selector="app=web", check=address)
            assert not kube.store.list(POLICIES)

    def test_the_policy_is_marked(self, kube: FakeKube, driver: Driver, plan: Plan, world: World) -> None:
        self.in_force(driver, plan, world)
        (policy,) = kube.store.list(POLICIES, "shop")
        assert marks_of(policy) >= {RUN, EXPIRES}
        assert policy["spec"] == {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Ingress"]}
        driver.inject(plan, world)
        assert len(kube.store.list(POLICIES)) == 1, "our own that is there already is done"


class TestCordonNodes(DriverContract):
    @pytest.fixture
    def driver(self, kube: FakeKube, where: dict[str, Any]) -> Iterator[Driver]:
        yield CordonNodes(**where, nodes=("node1",))
        for node in kube.store.list(NODES):
            assert not node["spec"].get("unschedulable")
            assert marks_of(node) == set()

    def test_the_pods_stay_and_no_new_one_comes(self, kube: FakeKube, driver: Driver, plan: Plan, world: World) -> None:
        before = kube.ready("web")
        self.in_force(driver, plan, world)
        assert stays(lambda: kube.ready("web") == before)
        assert plan.ready == 2
        kube.deploy("late", 2)
        assert eventually(lambda: len(kube.ready("late")) == 2)
        nodes = {pod["spec"]["nodeName"] for pod in kube.store.list(("", "v1", "pods"), "shop", labels="app=late")}
        assert nodes == {"node2"}


class TestEvictPods(IrreversibleContract):
    @pytest.fixture
    def driver(self, where: dict[str, Any]) -> Driver:
        return EvictPods(**where, namespace="shop", selector="app=web", count=2, grace=0)


class TestDrainNodes(DriverContract):
    proof_seconds = 5.0

    @pytest.fixture
    def driver(self, kube: FakeKube, where: dict[str, Any]) -> Iterator[Driver]:
        yield DrainNodes(**where, namespaces=("shop",), nodes=("node1",))
        for node in kube.store.list(NODES):
            assert not node["spec"].get("unschedulable")
            assert marks_of(node) == set()


class TestKillContainer(IrreversibleContract):
    @pytest.fixture
    def driver(self, where: dict[str, Any]) -> Driver:
        return KillContainer(**where, namespace="shop", selector="app=web", container="c", count=2)


class TestStressNode(DriverContract):
    @pytest.fixture
    def driver(self, kube: FakeKube, where: dict[str, Any]) -> Iterator[Driver]:
        yield StressNode(**where, namespace="shop", selector="app=web", cpu=1)
        assert not [pod for pod in kube.store.list(PODS) if pod["metadata"]["name"].startswith("gameday-")]
