"""Every fault of a fault proxy and of a Toxiproxy server: set, measured, taken off, in this process and in another.

The contract with all of its kill cases is inherited for each mechanism: latency and down in files of their own, the others here, in
the slow lane. What differs between faults of one mechanism is the toxics that they set.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import entry_points

import pytest

from gameday.model import Plan
from gameday.spi import Driver, DriverError, Expires, Meets, ProxyRef, World
from gameday.testing import DriverContract, eventually
from gameday_drivers.proxy_bytes import (
    ProxyBandwidth,
    ProxyBlackhole,
    ProxyLimitData,
    ProxyResetAfter,
    ProxyResetPeer,
    ProxySlicer,
    ProxySlowClose,
    ProxyTimeout,
)
from gameday_drivers.proxy_down import ProxyDown
from gameday_drivers.proxy_http import (
    ProxyHttpAbort,
    ProxyHttpCorrupt,
    ProxyHttpDelay,
    ProxyHttpHeader,
    ProxyHttpRateLimit,
    ProxyHttpThrottle,
    ProxyHttpTruncate,
)
from gameday_drivers.proxy_latency import ProxyLatency
from gameday_drivers.proxy_tls import ProxyTlsExpired, ProxyTlsNotYetValid, ProxyTlsOtherName, ProxyTlsUntrusted
from gameday_drivers.toxiproxy_server import (
    ToxiproxyBandwidth,
    ToxiproxyDown,
    ToxiproxyLatency,
    ToxiproxyLimitData,
    ToxiproxyResetPeer,
    ToxiproxySlicer,
    ToxiproxySlowClose,
    ToxiproxyTimeout,
)
from tests.fakes.proxying import ProxyProcess, borrowed, dependency, proxy_process, toxiproxy

P, TLS = "payments", "secure"
OURS: list[Driver] = [
    ProxyDown(proxy=P),
    ProxyLatency(proxy=P, latency=50, jitter=10, distribution="pareto", stream="both", share=0.3),
    ProxyBandwidth(proxy=P, rate=10, stream="both"),
    ProxySlowClose(proxy=P, delay=50),
    ProxyTimeout(proxy=P, timeout=500),
    ProxyResetPeer(proxy=P, timeout=5),
    ProxyResetAfter(proxy=P, bytes=10),
    ProxyLimitData(proxy=P, bytes=10, stream="upstream"),
    ProxySlicer(proxy=P, size=10, variation=2, pause=100),
    ProxyBlackhole(proxy=P, new="accept"),
    ProxyHttpAbort(proxy=P, status=500, method="POST", path="/pay/*", headers={"X-Tenant": "canary*"}, share=0.1),
    ProxyHttpDelay(proxy=P, latency=100, jitter=10, distribution="normal"),
    ProxyHttpCorrupt(proxy=P, bytes=0.05),
    ProxyHttpTruncate(proxy=P, bytes=10),
    ProxyHttpHeader(proxy=P, set={"Retry-After": "9"}, remove=("ETag",)),
    ProxyHttpRateLimit(proxy=P, rate=5, burst=2),
    ProxyHttpThrottle(proxy=P, rate=3),
    ProxyTlsExpired(proxy=TLS),
    ProxyTlsNotYetValid(proxy=TLS),
    ProxyTlsOtherName(proxy=TLS),
    ProxyTlsUntrusted(proxy=TLS),
]
THEIRS: list[Driver] = [
    ToxiproxyDown(proxy=P),
    ToxiproxyLatency(proxy=P, latency=50, jitter=10, stream="both", share=0.3),
    ToxiproxyBandwidth(proxy=P, rate=10),
    ToxiproxySlowClose(proxy=P, delay=50),
    ToxiproxyTimeout(proxy=P, timeout=500),
    ToxiproxyResetPeer(proxy=P, timeout=5),
    ToxiproxyLimitData(proxy=P, bytes=10),
    ToxiproxySlicer(proxy=P, size=10, variation=2, pause=100),
]


@pytest.fixture(scope="module")
def shared() -> Iterator[ProxyProcess]:
    with dependency() as upstream:
        proxies = [
            {"name": P, "listen": "127.0.0.1:0", "upstream": upstream},
            {"name": TLS, "listen": "127.0.0.1:0", "upstream": upstream, "tls": {"names": ["localhost", "127.0.0.1"]}},
        ]
        with proxy_process(upstream, proxies=proxies) as proxy:
            yield proxy


@pytest.fixture
def proxy(shared: ProxyProcess) -> Iterator[ProxyProcess]:
    with borrowed(shared) as proxy:
        yield proxy


@pytest.fixture
def world(proxy: ProxyProcess) -> World:
    return proxy.world()


@pytest.fixture
def elsewhere(proxy: ProxyProcess) -> Iterator[World]:
    """A world that knows the proxy as one of a Toxiproxy server."""
    with toxiproxy(proxy) as control:
        yield World(run_id="r", proxies={P: ProxyRef(control=control, name=P)})


def _all(driver: Driver, world: World) -> None:
    plan = driver.plan(world)
    assert plan == driver.plan(world)
    assert Plan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    for _ in range(2):
        driver.revert(plan, world)
        assert not driver.active(plan, world)
        driver.inject(plan, world)
        assert driver.active(plan, world)
        with pytest.raises(DriverError, match="already"):
            driver.inject(plan, world)
        other = replace(world, fault="another")
        assert not driver.active(driver.plan(other), other) or isinstance(driver, ToxiproxyDown)
        driver.revert(plan, world)
        driver.revert(plan, world)
        assert not driver.active(plan, world)


@pytest.mark.parametrize("driver", OURS, ids=lambda driver: driver.name)
def test_each_fault_of_ours(driver: Driver, world: World) -> None:
    assert [point.load() for point in entry_points(group="gameday.drivers", name=driver.name)] == [type(driver)]
    _all(driver, world)
    assert isinstance(driver, Expires)
    assert isinstance(driver, Meets)
    plan = driver.plan(world)
    with pytest.raises(DriverError):
        driver.renew(plan, world, 1)
    driver.inject(plan, world)
    assert driver.met(plan, world) == 0
    driver.renew(plan, world, 0.1)
    assert eventually(lambda: not driver.active(plan, world)), "its lease never ended"


@pytest.mark.parametrize("driver", THEIRS, ids=lambda driver: driver.name)
def test_each_fault_of_a_toxiproxy_server(driver: Driver, elsewhere: World) -> None:
    assert [point.load() for point in entry_points(group="gameday.drivers", name=driver.name)] == [type(driver)]
    assert not isinstance(driver, Expires)
    _all(driver, elsewhere)


def test_none_is_forgotten() -> None:
    names = {point.name for point in entry_points(group="gameday.drivers")}
    assert {name for name in names if name.startswith(("proxy.", "toxiproxy."))} == {one.name for one in OURS + THEIRS}


def test_ours_work_on_a_toxiproxy_server_too(elsewhere: World) -> None:
    driver = ProxyLatency(proxy=P, latency=50)
    plan = driver.plan(elsewhere)
    driver.inject(plan, elsewhere)
    driver.renew(plan, elsewhere, 0.05)
    with pytest.raises(DriverError, match="cannot say"):
        driver.met(plan, elsewhere)
    assert driver.ends_with(plan) == frozenset()
    assert driver.active(plan, elsewhere)
    driver.revert(plan, elsewhere)
    assert not driver.active(plan, elsewhere)


def test_a_proxy_without_tls_has_no_certificate_to_spoil(world: World) -> None:
    with pytest.raises(DriverError, match="does not terminate TLS") as told:
        ProxyTlsExpired(proxy=P).plan(world)
    assert "tls:" in told.value.hint


def test_the_last_of_two_bad_certificates_is_in_force(world: World) -> None:
    first, second = ProxyTlsExpired(proxy=TLS), ProxyTlsOtherName(proxy=TLS)
    one, two = first.plan(world), second.plan(world)
    first.inject(one, world)
    second.inject(two, world)
    assert (first.active(one, world), second.active(two, world)) == (False, True)
    second.revert(two, world)
    assert (first.active(one, world), second.active(two, world)) == (True, False)
    first.revert(one, world)


@pytest.mark.long
class TestBlackhole(DriverContract):
    @pytest.fixture
    def world(self, proxy: ProxyProcess) -> World:
        return proxy.world()

    @pytest.fixture
    def driver(self) -> ProxyBlackhole:
        return ProxyBlackhole(proxy=P)


@pytest.mark.long
class TestHttpAbort(DriverContract):
    @pytest.fixture
    def world(self, proxy: ProxyProcess) -> World:
        return proxy.world()

    @pytest.fixture
    def driver(self) -> ProxyHttpAbort:
        return ProxyHttpAbort(proxy=P, method="POST")


@pytest.mark.long
class TestTlsExpired(DriverContract):
    @pytest.fixture
    def world(self, proxy: ProxyProcess) -> World:
        return proxy.world()

    @pytest.fixture
    def driver(self) -> ProxyTlsExpired:
        return ProxyTlsExpired(proxy=TLS)


@pytest.mark.long
class TestToxiproxyLatency(DriverContract):
    lands_late = True

    @pytest.fixture
    def world(self, elsewhere: World) -> World:
        return elsewhere

    @pytest.fixture
    def driver(self) -> ToxiproxyLatency:
        return ToxiproxyLatency(proxy=P, latency=100, stream="both")


@pytest.mark.long
class TestToxiproxyDown(DriverContract):
    lands_late = True

    @pytest.fixture
    def world(self, elsewhere: World) -> World:
        return elsewhere

    @pytest.fixture
    def driver(self) -> ToxiproxyDown:
        return ToxiproxyDown(proxy=P)
