"""What policies deny, and what they leave: DNS, one service, and others that say something about the same pods."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gameday.spi import Driver, DriverError, NoTargetError, World
from gameday.testing import eventually
from gameday_drivers.kube.dns_deny import DenyDns
from gameday_drivers.kube.network_deny import DenyNetwork
from tests.fakes.kube import FakeKube
from tests.fakes.kube.enforcing import may_connect, needing
from tests.fakes.kube.family import Where
from tests.fakes.kube.store import PODS, POLICIES
from tests.fakes.kube.world import writes

WORLD = World(run_id="r-1", fault="f")


def test_only_dns_is_denied_and_the_app_that_needs_it_shows_it(kube: FakeKube, where: Where) -> None:
    with needing(kube, "web", port=53) as url:
        driver = DenyDns(**where, selector="app=web", check=url)
        plan = driver.plan(WORLD)
        driver.inject(plan, WORLD)
        assert driver.active(plan, WORLD)
        allowed = {port for port in (1, 52, 53, 54, 443, 65535) if may_connect(kube, "web", port, "10.96.0.10")}
        assert allowed == {1, 52, 54, 443, 65535}
        driver.revert(plan, WORLD)
        assert not driver.active(plan, WORLD)
    with pytest.raises(DriverError, match="is not reached now: nothing could be told from it"):
        driver.plan(WORLD)


def test_only_the_pods_of_a_service_are_denied(kube: FakeKube, where: Where) -> None:
    kube.deploy("db", 1)
    assert eventually(lambda: len(kube.ready("db")) == 1)
    kube.store.create(("", "v1", "services"), "shop", {"metadata": {"name": "db"}, "spec": {"selector": {"app": "db"}}})
    address = kube.store.list(PODS, "shop", labels="app=db")[0]["status"]["podIP"]
    other = kube.store.list(PODS, "shop", labels="app=web")[0]["status"]["podIP"]
    with needing(kube, "web", address=address) as url:
        driver = DenyNetwork(**where, selector="app=web", direction="egress", to="db", check=url)
        plan = driver.plan(WORLD)
        driver.inject(plan, WORLD)
        assert driver.active(plan, WORLD)
        assert [may_connect(kube, "web", 80, ip) for ip in (address, other, "203.0.113.9")] == [False, True, True]
        kube.deploy("db-more", 1)
        assert eventually(lambda: len(kube.ready("db-more")) == 1)
        late = kube.store.list(PODS, "shop", labels="app=db-more")[0]["metadata"]["name"]
        kube.store.change(PODS, "shop", late, lambda pod: pod["metadata"]["labels"].update(app="db"))
        assert not driver.active(plan, WORLD), "a pod of later has another address, which is not denied"
        driver.revert(plan, WORLD)


def test_policies_add_up_so_another_one_on_the_same_pods_is_refused(kube: FakeKube, where: Where) -> None:
    spec = {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Egress"]}
    kube.store.create(POLICIES, "shop", {"metadata": {"name": "strict"}, "spec": spec})
    drivers: tuple[Driver, ...] = (
        DenyDns(**where, selector="app=web"),
        DenyNetwork(**where, selector="app=web", direction="egress", to="web"),
    )
    for driver in drivers:
        with pytest.raises(DriverError, match="strict is about the egress of these pods already, and policies add up"):
            driver.plan(WORLD)
    assert DenyNetwork(**where, selector="app=web", direction="egress").plan(WORLD).targets


def test_a_server_that_drops_ranges_of_ports_is_refused_before_anything_is_made(kube: FakeKube, where: Where) -> None:
    kube.store.ranges_of_ports = False
    with pytest.raises(DriverError, match="does not know ranges of ports"):
        DenyDns(**where, selector="app=web").plan(WORLD)
    assert writes(kube) == []


def test_a_service_without_pods_or_selector_is_no_target(kube: FakeKube, where: Where) -> None:
    for name, spec in (("empty", {"selector": {"app": "none"}}), ("outside", {"externalName": "example.org"})):
        kube.store.create(("", "v1", "services"), "shop", {"metadata": {"name": name}, "spec": spec})
    denied = DenyNetwork(**where, selector="app=web", direction="egress", to="empty")
    with pytest.raises(NoTargetError, match="no pod is behind the service shop/empty"):
        denied.plan(WORLD)
    with pytest.raises(DriverError, match="the service shop/outside selects no pods"):
        replace(denied, to="outside").plan(WORLD)
