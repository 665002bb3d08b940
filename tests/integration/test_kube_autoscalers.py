"""A frozen autoscaler: by its policies and by its limits."""

from __future__ import annotations

import pytest

from gameday.spi import DriverError, World
from gameday_drivers.kube.hpa_freeze import FreezeAutoscaler
from tests.fakes.kube import FakeKube
from tests.fakes.kube.family import Where
from tests.fakes.kube.store import AUTOSCALERS

WORLD = World(run_id="r-1", fault="f")


def test_a_frozen_autoscaler_keeps_its_other_policies(kube: FakeKube, where: Where) -> None:
    mine = {"scaleUp": {"selectPolicy": "Min", "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}}
    kube.store.change(AUTOSCALERS, "shop", "web", lambda found: found["spec"].update(behavior=mine))
    driver = FreezeAutoscaler(**where, autoscaler="web", direction="up")
    plan = driver.plan(WORLD)
    driver.inject(plan, WORLD)
    behaviour = kube.store.get(AUTOSCALERS, "shop", "web")["spec"]["behavior"]
    assert behaviour["scaleUp"] == {**mine["scaleUp"], "selectPolicy": "Disabled"}
    assert behaviour["scaleDown"]["selectPolicy"] == "Max"
    assert plan.targets[0].startswith("horizontalpodautoscaler shop/web (does not scale up) in fake")
    driver.revert(plan, WORLD)
    assert kube.store.get(AUTOSCALERS, "shop", "web")["spec"]["behavior"] == mine


def test_limits_that_hold_an_autoscaler_are_the_present_number(kube: FakeKube, where: Where) -> None:
    driver = FreezeAutoscaler(**where, autoscaler="web", by="limits")
    plan = driver.plan(WORLD)
    assert "(held at 3 replicas)" in plan.targets[0]
    driver.inject(plan, WORLD)
    spec = kube.store.get(AUTOSCALERS, "shop", "web")["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (3, 3)
    driver.revert(plan, WORLD)
    kube.store.change(AUTOSCALERS, "shop", "web", lambda found: found.update(status={}))
    with pytest.raises(DriverError, match="has not said yet how many replicas"):
        driver.plan(WORLD)
