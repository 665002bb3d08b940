"""Deployments and their rollouts: a bad image, and a restart, against the emulated API."""

from __future__ import annotations

from typing import Any

import pytest

from gameday.spi import DriverError, NoTargetError, World
from gameday_drivers.kube.bad_image import BadImage
from gameday_drivers.kube.rollout_restart import RestartRollout
from tests.fakes.kube import FakeKube
from tests.fakes.kube.family import Where
from tests.fakes.kube.store import DEPLOYMENTS
from tests.fakes.kube.world import writes

WORLD = World(run_id="r-1", fault="f")


def test_an_image_that_somebody_has_put_right_meanwhile_stays(kube: FakeKube, where: Where) -> None:
    driver = BadImage(**where, deployment="web")
    plan = driver.plan(WORLD)
    driver.inject(plan, WORLD)

    def repair(found: dict[str, Any]) -> None:
        found["spec"]["template"]["spec"]["containers"][0]["image"] = "newer"

    kube.store.change(DEPLOYMENTS, "shop", "web", repair)
    assert not driver.active(plan, WORLD)
    driver.revert(plan, WORLD)
    found = kube.store.get(DEPLOYMENTS, "shop", "web")
    assert found["spec"]["template"]["spec"]["containers"][0]["image"] == "newer"
    assert not found["metadata"]["annotations"]


def test_a_change_between_plan_and_deed_stops_it(kube: FakeKube, where: Where) -> None:
    driver = BadImage(**where, deployment="web")
    plan = driver.plan(WORLD)
    template = ("spec", "template", "spec")
    kube.store.change(DEPLOYMENTS, "shop", "web", lambda new: new[template[0]][template[1]][template[2]].update(
        containers=[{"name": "c", "image": "v2"}]))  # fmt: skip
    with pytest.raises(DriverError, match="was changed by somebody else since it was planned"):
        driver.inject(plan, WORLD)
    assert writes(kube) == []


def test_several_containers_need_a_name(kube: FakeKube, where: Where) -> None:
    def two(found: dict[str, Any]) -> None:
        found["spec"]["template"]["spec"]["containers"].append({"name": "side", "image": "s"})

    kube.store.change(DEPLOYMENTS, "shop", "web", two)
    with pytest.raises(NoTargetError, match="several containers: name one; there are c, side"):
        BadImage(**where, deployment="web").plan(WORLD)
    with pytest.raises(NoTargetError, match="no container x; there are c, side"):
        BadImage(**where, deployment="web", container="x").plan(WORLD)
    driver = BadImage(**where, deployment="web", container="side")
    assert "(image of side: s to registry.invalid" in driver.plan(WORLD).targets[0]


def test_a_paused_or_rolling_deployment_is_refused(kube: FakeKube, where: Where) -> None:
    restart = RestartRollout(**where, deployment="web")
    bad = BadImage(**where, deployment="web")
    plan = bad.plan(WORLD)
    bad.inject(plan, WORLD)
    bad.revert(plan, WORLD)
    bad.inject(plan, WORLD)
    with pytest.raises(DriverError, match="changed by the run r-1 already"):
        restart.plan(WORLD)
    bad.revert(plan, WORLD)
    kube.store.change(DEPLOYMENTS, "shop", "web", lambda found: found["spec"].update(paused=True))
    for driver in (bad, restart):
        with pytest.raises(DriverError, match="is paused"):
            driver.plan(WORLD)


def test_a_restart_that_does_not_get_through_says_how_far_it_came(kube: FakeKube, where: Where) -> None:
    driver = RestartRollout(**where, deployment="web", within=1000)
    plan = driver.plan(WORLD)
    for node in ("node1", "node2"):
        kube.store.change(("", "v1", "nodes"), None, node, lambda found: found["spec"].update(unschedulable=True))
    with pytest.raises(DriverError, match=r"not rolled out within 1 s: [01] of 3 pods are new, and 3 of"):
        driver.inject(plan, WORLD)
    assert not driver.active(plan, WORLD)
