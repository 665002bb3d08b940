"""Custom resources as faults, on a server that knows their kind, checks them, and keeps them until their controller has finished."""

from __future__ import annotations

from typing import Any

import pytest

from gameday.spi import DriverError
from gameday.testing import eventually
from gameday_drivers.kube.custom_resource import CustomResource
from tests.cluster.custom import KIND, VERSION, Controller, installed
from tests.cluster.real import WAIT_SECONDS, Shop
from tests.cluster.test_drivers import WORLD

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(200, func_only=True)]


def fault(controller: Controller, **more: Any) -> CustomResource:
    spec: dict[str, Any] = {"duration": "60s"}
    resource = {"apiVersion": f"{controller.group}/{VERSION}", "kind": KIND, "spec": spec}
    given: dict[str, Any] = {"resource": resource, "proven_by": {"condition": "AllInjected"}, **more}
    return CustomResource(**controller.shop.where, **given)


def test_it_is_made_proven_and_gone_and_one_that_does_not_go_is_told(shop: Shop) -> None:
    """One definition for all of it: each takes the server some seconds."""
    with installed(shop) as controller:
        _is_made_and_gone(controller)
        _is_told_while_its_controller_does_not_finish(controller)
        _is_checked_by_the_server_before_it_is_made(controller)


def _is_made_and_gone(controller: Controller) -> None:
    driver = fault(controller)
    plan = driver.plan(WORLD)
    assert controller.found() == [], "a plan touches nothing"
    assert not driver.active(plan, WORLD)
    driver.inject(plan, WORLD)
    assert driver.active(plan, WORLD)
    (made,) = controller.found()
    assert made["metadata"]["annotations"]["gameday.io/run"] == WORLD.run_id
    driver.revert(plan, WORLD)
    assert not driver.active(plan, WORLD)
    assert controller.found() == []
    driver.revert(plan, WORLD)


def _is_told_while_its_controller_does_not_finish(controller: Controller) -> None:
    driver = fault(controller, gone_within=2_000)
    plan = driver.plan(WORLD)
    driver.inject(plan, WORLD)
    controller.finishes = False
    with pytest.raises(DriverError, match=rf"is still there 2 s after .*finalizers: {controller.group}/records"):
        driver.revert(plan, WORLD)
    assert driver.active(plan, WORLD), "until its controller has finished, it may be on"
    controller.finishes = True
    assert eventually(lambda: not driver.active(plan, WORLD), WAIT_SECONDS)
    driver.revert(plan, WORLD)


def _is_checked_by_the_server_before_it_is_made(controller: Controller) -> None:
    resource = {"apiVersion": f"{controller.group}/{VERSION}", "kind": KIND, "spec": {"lasts": {"duration": "60s"}}}
    driver = fault(controller, resource=resource, expires_by="spec.lasts.duration")
    with pytest.raises(DriverError, match=r"spec\.duration"):
        driver.plan(WORLD)
    assert controller.found() == []
