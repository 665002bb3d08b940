"""The shared laws, kill cases included, for the Kubernetes drivers that share their deed and their undo with one that has them all.

Drift of a ConfigMap and a frozen autoscaler go the way of k8s.bad-image, denied DNS and a denied service that of k8s.network-deny.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

import pytest

from gameday.spi import Driver
from gameday.testing import DriverContract, IrreversibleContract, eventually
from gameday_drivers.kube.configmap_drift import DriftConfigMap
from gameday_drivers.kube.dns_deny import DenyDns
from gameday_drivers.kube.hpa_freeze import FreezeAutoscaler
from gameday_drivers.kube.network_deny import DenyNetwork
from tests.contract import test_kube_drivers, test_kube_object_drivers
from tests.fakes.kube import FakeKube
from tests.fakes.kube.enforcing import needing
from tests.fakes.kube.family import Where
from tests.fakes.kube.store import PODS
from tests.fakes.kube.world import furnished, state

pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]


@pytest.fixture
def kube() -> Iterator[FakeKube]:
    with furnished() as kube:
        before = state(kube)
        yield kube
        assert eventually(lambda: state(kube) == before), "every whole object is as it was"


@pytest.fixture
def where(kube: FakeKube, tmp_path: Path) -> Where:
    return {"kubeconfig": kube.write_kubeconfig(tmp_path / "kubeconfig"), "context": "fake", "namespace": "shop"}


class TestDriftConfigMap(DriverContract):
    @pytest.fixture
    def driver(self, where: Where) -> Driver:
        return DriftConfigMap(**where, configmap="settings", set={"LEVEL": "x", "new": "y"}, remove=("a.b",))


class TestFreezeAutoscaler(DriverContract):
    @pytest.fixture
    def driver(self, where: Where) -> Driver:
        return FreezeAutoscaler(**where, autoscaler="web")


class TestDenyDns(DriverContract):
    @pytest.fixture
    def driver(self, kube: FakeKube, where: Where) -> Iterator[Driver]:
        with needing(kube, "web", port=53) as url:
            yield DenyDns(**where, selector="app=web", check=url)


class TestDenyOneService(DriverContract):
    @pytest.fixture
    def driver(self, kube: FakeKube, where: Where) -> Iterator[Driver]:
        address = kube.store.list(PODS, "shop", labels="app=web")[0]["status"]["podIP"]
        with needing(kube, "web", address=address) as url:
            yield DenyNetwork(**where, selector="app=web", direction="egress", to="web", check=url)


def test_every_driver_of_the_family_has_its_contract() -> None:
    """One that is added without one fails here."""
    here = sys.modules[__name__]
    told = "".join(inspect.getsource(one) for one in _contracts(test_kube_drivers, test_kube_object_drivers, here))
    points = [point for point in entry_points(group="gameday.drivers") if point.name.startswith("k8s.")]
    assert len(points) >= 15
    assert [point.name for point in points if f"{point.attr}(**where" not in told] == []


def _contracts(*modules: ModuleType) -> list[type]:
    found = [one for module in modules for one in vars(module).values() if inspect.isclass(one)]
    return [one for one in found if issubclass(one, (DriverContract, IrreversibleContract)) and "Test" in one.__name__]
