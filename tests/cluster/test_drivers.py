"""Each driver by itself on a real cluster, without load: made, proven on, undone, proven off; what it did is seen by others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gameday.model import Plan
from gameday.spi import Driver, World
from gameday.testing import eventually
from gameday_drivers.kube.bad_image import BadImage
from gameday_drivers.kube.configmap_drift import DriftConfigMap
from gameday_drivers.kube.container_kill import KillContainer
from gameday_drivers.kube.node_cordon import CordonNodes
from gameday_drivers.kube.pod_evict import EvictPods
from gameday_drivers.kube.rollout_restart import RestartRollout
from gameday_drivers.kube.secret_drift import DriftSecret
from gameday_drivers.kube.stress import StressNode
from tests.cluster.real import WAIT_SECONDS, Shop

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(200, func_only=True)]
WORLD = World(run_id="20261123T101500Z-cluster-0001", fault="broken")
Make = Callable[[Shop], Driver]


def made(driver: Driver) -> Plan:
    """Plan it, make it, and wait until it measures as on."""
    plan = driver.plan(WORLD)
    driver.inject(plan, WORLD)
    assert eventually(lambda: driver.active(plan, WORLD), WAIT_SECONDS)
    return plan


def cordon(shop: Shop) -> Driver:
    where: dict[str, Any] = {key: shop.where[key] for key in ("kubeconfig", "context")}
    return CordonNodes(**where, nodes=(shop.pods()[0]["spec"]["nodeName"],))


def stress(shop: Shop) -> Driver:
    more: dict[str, Any] = {"cpu": 1, "memory_mb": 8, "image": shop.reach.image}
    return StressNode(**shop.where, selector="app=web", **more)


def drift(shop: Shop) -> Driver:
    shop.core.create_namespaced_config_map(
        shop.namespace, {"metadata": {"name": "settings"}, "data": {"a": "1", "b": "2"}}
    )
    return DriftConfigMap(**shop.where, configmap="settings", set={"a": "broken"}, remove=("b",))


def secret(shop: Shop) -> Driver:
    shop.core.create_namespaced_secret(shop.namespace, {"metadata": {"name": "keys"}, "stringData": {"key": "right"}})
    return DriftSecret(**shop.where, secret="keys", set={"key": "wrong"})


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize("make", [cordon, stress, drift, secret], ids=lambda make: make.__name__)
def test_it_is_on_and_then_gone(shop: Shop, make: Make) -> None:
    shop.deploy(replicas=1)
    driver = make(shop)
    plan = made(driver)
    driver.revert(plan, WORLD)
    assert eventually(lambda: not driver.active(plan, WORLD), WAIT_SECONDS)
    driver.revert(plan, WORLD)
    if make is drift:
        assert shop.core.read_namespaced_config_map("settings", shop.namespace).data == {"a": "1", "b": "2"}
    assert len(shop.ready()) == 1


def test_a_rollout_that_gets_stuck_is_taken_back(shop: Shop) -> None:
    shop.deploy(replicas=2)
    before = shop.ready()
    driver = BadImage(**shop.where, deployment="web")
    plan = made(driver)
    assert set(before) & set(shop.ready()), "the rollout waits for its first new pod"
    driver.revert(plan, WORLD)
    assert eventually(lambda: not driver.active(plan, WORLD), WAIT_SECONDS)
    assert eventually(lambda: shop.ready() == before, WAIT_SECONDS)


def test_a_container_is_killed_and_its_pod_stays(shop: Shop) -> None:
    shop.deploy(replicas=2)
    before = shop.ready()
    made(KillContainer(**shop.where, selector="app=web", container="app"))
    assert eventually(lambda: shop.ready() == before, WAIT_SECONDS)
    restarts = [status["restartCount"] for pod in shop.pods() for status in pod["status"]["containerStatuses"]]
    assert sorted(restarts) == [0, 1]


def test_an_eviction_waits_for_its_budget(shop: Shop) -> None:
    shop.deploy(replicas=2)
    shop.protect("web", 1)
    before = set(shop.ready())
    made(EvictPods(**shop.where, selector="app=web", count=2, within=60_000))
    assert eventually(lambda: len(shop.ready()) == 2, WAIT_SECONDS)
    assert not before & set(shop.ready())


def test_a_restart_replaces_every_pod(shop: Shop) -> None:
    shop.deploy(replicas=2)
    before = set(shop.ready())
    made(RestartRollout(**shop.where, deployment="web"))
    assert eventually(lambda: len(shop.ready()) == 2, WAIT_SECONDS)
    assert not before & set(shop.ready())
