"""Drivers that need more of a real cluster than pods: an autoscaler with measurements, and ranges of ports."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from gameday.spi import DriverError
from gameday.testing import eventually
from gameday_drivers.kube.dns_deny import DenyDns
from gameday_drivers.kube.hpa_freeze import FreezeAutoscaler
from gameday_drivers.kube_probe import KubeProbe
from tests.cluster.real import WAIT_SECONDS, Shop
from tests.cluster.test_drivers import WORLD, made

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(200, func_only=True)]
READ: tuple[Literal["cpu", "memory"], ...] = ("cpu", "memory")


def scaling_of(shop: Shop) -> tuple[Any, str]:
    """Return how many the autoscaler wants, and why it is limited."""
    status = shop.autoscaler("web")["status"]
    limited = [one["reason"] for one in status["conditions"] if one["type"] == "ScalingLimited"]
    return status["desiredReplicas"], "".join(limited)


@pytest.mark.usefixtures("machine")
def test_an_autoscaler_that_wants_more_gets_it_when_it_is_not_frozen_any_more(shop: Shop) -> None:
    shop.deploy(replicas=1, port=False)
    shop.autoscale("web", 1, 2, memory="1Gi")
    cores, used = (KubeProbe(value=what, **shop.where, deployment="web").read(WORLD) for what in READ)
    assert 0 <= cores < 1
    assert 100_000 < used < 96 * 1024 * 1024, "bytes, below its limit"
    before = shop.autoscaler("web")["spec"]
    driver = FreezeAutoscaler(**shop.where, autoscaler="web", direction="up")
    plan = made(driver)
    shop.retarget("web", memory="100Ki")
    assert eventually(lambda: scaling_of(shop) == (1, "ScaleUpLimit"), WAIT_SECONDS), shop.autoscaler("web")
    assert shop.replicas() == 1
    driver.revert(plan, WORLD)
    assert not driver.active(plan, WORLD)
    assert eventually(lambda: shop.replicas() == 2, WAIT_SECONDS), shop.autoscaler("web")
    driver.revert(plan, WORLD)
    assert shop.autoscaler("web")["spec"].get("behavior") == before.get("behavior")


@pytest.mark.usefixtures("machine")
def test_a_server_that_knows_no_ranges_of_ports_is_refused_and_nothing_is_made(shop: Shop) -> None:
    """The machine's is of before 1.22, and would deny everything."""
    shop.deploy(replicas=1, port=False)
    driver = DenyDns(**shop.where, selector="app=web")
    with pytest.raises(DriverError, match=r"does not know ranges of ports in policies \(endPort, from 1\.22 on\)"):
        driver.plan(WORLD)
    assert shop.ask("GET", f"/apis/networking.k8s.io/v1/namespaces/{shop.namespace}/networkpolicies")["items"] == []
