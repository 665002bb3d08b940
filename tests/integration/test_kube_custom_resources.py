"""Custom resources that are faults: made, proven by their status, and gone with their finalizers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gameday.spi import DriverError, World
from gameday.testing import eventually
from gameday_drivers.kube.custom_resource import CustomResource
from gameday_drivers.kube.target import RUN
from tests.fakes.kube import FakeKube
from tests.fakes.kube.chaos import NETWORK_CHAOS
from tests.fakes.kube.family import DELAY, Where

WORLD = World(run_id="r-1", fault="f")


def chaos(where: Where, **more: Any) -> CustomResource:
    given: dict[str, Any] = {**where, "resource": DELAY, "proven_by": {"condition": "AllInjected"}, **more}
    return CustomResource(**given)


def test_a_custom_resource_is_made_with_marks_and_gone_when_reverted(kube: FakeKube, where: Where) -> None:
    driver = chaos(where, proven_by={"json": "$.status.experiment.desiredPhase", "equals": "Run"})
    plan = driver.plan(WORLD)
    name = plan.undo["name"]
    assert plan.targets == (
        f"networkchaos.chaos-mesh.org shop/{name} (made; ends by its spec.duration, too) in fake ({kube.url})",
    )
    driver.inject(plan, WORLD)
    (found,) = kube.store.list(NETWORK_CHAOS, "shop")
    assert found["metadata"]["name"] == name
    assert found["metadata"]["annotations"][RUN] == "r-1"
    assert found["spec"] == json.loads(json.dumps(DELAY["spec"]))
    driver.revert(plan, WORLD)
    assert not kube.store.list(NETWORK_CHAOS, "shop")


def test_a_stuck_finalizer_is_a_failed_undo_and_still_on(kube: FakeKube, where: Where) -> None:
    kube.chaos.finishes = False
    driver = chaos(where, gone_within=1000)
    plan = driver.plan(WORLD)
    driver.inject(plan, WORLD)
    with pytest.raises(DriverError, match=r"still there 1 s after it was deleted \(finalizers: chaos-mesh/records\)"):
        driver.revert(plan, WORLD)
    assert driver.active(plan, WORLD), "who knows what its controller has taken back"
    kube.chaos.finishes = True
    assert eventually(lambda: not kube.store.list(NETWORK_CHAOS, "shop"))
    driver.revert(plan, WORLD)
    assert not driver.active(plan, WORLD)


def test_what_its_controller_never_injects_is_no_fault(kube: FakeKube, where: Where) -> None:
    kube.chaos.injects = False
    driver = chaos(where, ready_within=1000)
    plan = driver.plan(WORLD)
    with pytest.raises(DriverError, match="not proven within 1 s"):
        driver.inject(plan, WORLD)
    assert eventually(lambda: "status" in kube.store.get(NETWORK_CHAOS, "shop", plan.undo["name"]))
    with pytest.raises(DriverError, match=r"not proven within 1 s \(AllInjected False, AllRecovered True\)"):
        driver.inject(plan, WORLD)
    with pytest.raises(DriverError, match=r"is there, and not proven yet \(AllInjected False"):
        driver.active(plan, WORLD)
    driver.revert(plan, WORLD)
    assert not kube.store.list(NETWORK_CHAOS, "shop")


def test_one_that_ends_by_itself_is_not_in_force_any_more(kube: FakeKube, where: Where) -> None:
    driver = chaos(where)
    plan = driver.plan(WORLD)
    driver.inject(plan, WORLD)
    ended = [{"type": "AllInjected", "status": "False"}, {"type": "AllRecovered", "status": "True"}]
    kube.store.change(NETWORK_CHAOS, "shop", plan.undo["name"], lambda new: new["status"].update(conditions=ended))
    made = {"creationTimestamp": "2026-01-01T00:00:00Z"}
    kube.store.change(NETWORK_CHAOS, "shop", plan.undo["name"], lambda new: new["metadata"].update(made))
    assert not driver.active(plan, WORLD)
    driver.revert(plan, WORLD)


def test_a_kind_for_the_whole_cluster_is_refused(where: Where) -> None:
    wide = {"apiVersion": "example.org/v1", "kind": "Wide", "spec": {"duration": "5s"}}
    with pytest.raises(DriverError, match=r"Wide of example.org/v1 is for the whole cluster"):
        chaos(where, resource=wide).plan(WORLD)


def test_without_an_expiry_the_plan_says_so(where: Where) -> None:
    delay = {"route": [{"destination": {"host": "web"}}], "fault": {"delay": {"fixedDelay": "2s"}}}
    istio = {
        "apiVersion": "networking.istio.io/v1",
        "kind": "VirtualService",
        "spec": {"hosts": ["web"], "http": [delay]},
    }
    driver = chaos(where, resource=istio, expires_by="none", proven_by={})
    assert "(made; nothing but the undo ends it)" in driver.plan(WORLD).targets[0]
    assert not driver.provable
