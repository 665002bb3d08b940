"""The shared laws, kill cases included, for the Kubernetes drivers that change or make objects: one of each mechanism."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gameday.model import Plan
from gameday.spi import Driver, World
from gameday.testing import DriverContract, IrreversibleContract, eventually
from gameday_drivers.kube.bad_image import NOWHERE, BadImage
from gameday_drivers.kube.custom_resource import CustomResource
from gameday_drivers.kube.rollout_restart import RestartRollout
from gameday_drivers.kube.secret_drift import DriftSecret
from gameday_drivers.kube.target import EXPIRES, FAULT, RUN, UNDO
from tests.fakes.kube import FakeKube
from tests.fakes.kube.chaos import NETWORK_CHAOS
from tests.fakes.kube.store import DEPLOYMENTS, SECRETS

pytestmark = pytest.mark.long


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with FakeKube() as kube:
        kube.deploy("web", 3)
        assert eventually(lambda: len(kube.ready("web")) == 3)
        assert eventually(lambda: kube.store.get(DEPLOYMENTS, "shop", "web")["status"].get("availableReplicas") == 3)
        yield kube


@pytest.fixture
def where(kube: FakeKube, tmp_path: Path) -> dict[str, Any]:
    return {"kubeconfig": kube.write_kubeconfig(tmp_path / "kubeconfig"), "context": "fake", "namespace": "shop"}


class TestRestartRollout(IrreversibleContract):
    @pytest.fixture
    def driver(self, where: dict[str, Any]) -> Driver:
        return RestartRollout(**where, deployment="web")

    def test_every_pod_is_another_one(self, kube: FakeKube, driver: Driver, plan: Plan, world: World) -> None:
        before = kube.ready("web")
        driver.inject(plan, world)
        assert not before & kube.ready("web")
        assert len(kube.ready("web")) == 3
        assert plan.ready == 3


class TestBadImage(DriverContract):
    @pytest.fixture
    def driver(self, kube: FakeKube, where: dict[str, Any]) -> Iterator[Driver]:
        yield BadImage(**where, deployment="web")
        found = kube.store.get(DEPLOYMENTS, "shop", "web")
        assert found["spec"]["template"]["spec"]["containers"] == [{"name": "c", "image": "i"}]
        assert not found["metadata"].get("annotations")
        assert eventually(lambda: len(kube.ready("web")) == 3)

    def test_the_old_pods_stay_and_what_was_is_on_the_object(
        self, kube: FakeKube, driver: Driver, plan: Plan, world: World
    ) -> None:
        before = kube.ready("web")
        self.in_force(driver, plan, world)
        assert kube.ready("web") == before
        found = kube.store.get(DEPLOYMENTS, "shop", "web")
        assert found["metadata"]["annotations"].keys() == {RUN, FAULT, EXPIRES, UNDO}
        assert found["spec"]["template"]["spec"]["containers"] == [{"name": "c", "image": NOWHERE}]
        self.undone(driver, plan, world)
        assert eventually(lambda: kube.ready("web") == before), "the good pods were never touched"


class TestDriftSecret(DriverContract):
    @pytest.fixture
    def driver(self, kube: FakeKube, where: dict[str, Any]) -> Iterator[Driver]:
        data = {"PASSWORD": "b2xk", "user": "c2hvcA=="}
        kube.store.create(SECRETS, "shop", {"metadata": {"name": "login"}, "data": data})
        yield DriftSecret(**where, secret="login", set={"PASSWORD": "new"}, remove=("user",))
        (found,) = kube.store.list(SECRETS, "shop")
        assert found["data"] == data
        assert not found["metadata"].get("annotations")


class TestCustomResource(DriverContract):
    @pytest.fixture
    def driver(self, kube: FakeKube, where: dict[str, Any]) -> Iterator[Driver]:
        kube.chaos.install(kube.store)
        spec = {"action": "delay", "mode": "all", "duration": "60s"}
        resource = {"apiVersion": "chaos-mesh.org/v1alpha1", "kind": "NetworkChaos", "spec": spec}
        yield CustomResource(**where, resource=resource, proven_by={"condition": "AllInjected"})
        assert not kube.store.list(NETWORK_CHAOS)
