from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from gameday.model import Plan
from gameday.spi import DriverError, World
from gameday.spi.processes import await_gone
from gameday.testing import DriverContract, eventually, parameters
from gameday_drivers.proxy_latency import ProxyLatency
from tests.fakes.proxying import ProxyProcess, borrowed, dependency, proxy_process, talks

LATENCY_MS = 150


@pytest.fixture(scope="module")
def shared() -> Iterator[ProxyProcess]:
    with dependency() as upstream, proxy_process(upstream) as proxy:
        yield proxy


@pytest.fixture
def proxy(shared: ProxyProcess) -> Iterator[ProxyProcess]:
    with borrowed(shared) as proxy:
        yield proxy


@pytest.fixture
def world(proxy: ProxyProcess) -> World:
    return proxy.world()


class TestProxyLatency(DriverContract):
    @pytest.fixture
    def world(self, proxy: ProxyProcess) -> World:
        return proxy.world()

    @pytest.fixture
    def driver(self) -> ProxyLatency:
        return ProxyLatency(proxy="payments", latency=LATENCY_MS, jitter=20, stream="both")


@pytest.mark.parametrize(("stream", "times"), [("downstream", 1), ("upstream", 1), ("both", 2)])
def test_answers_come_later_on_an_open_connection(proxy: ProxyProcess, world: World, stream: str, times: int) -> None:
    driver = ProxyLatency(proxy="payments", latency=LATENCY_MS, stream=stream)  # type: ignore[arg-type] # parametrized
    plan = driver.plan(world)
    live = proxy.connect()
    assert talks(live)
    driver.inject(plan, world)
    start = time.monotonic()
    assert talks(live)
    assert time.monotonic() - start >= times * LATENCY_MS / 1000
    assert driver.met(plan, world) == 1
    driver.revert(plan, world)
    with pytest.raises(DriverError, match="its count is gone"):
        driver.met(plan, world)


def test_nothing_passed_is_nothing_met(proxy: ProxyProcess, world: World) -> None:
    driver = ProxyLatency(proxy="payments", latency=LATENCY_MS)
    plan = driver.plan(world)
    driver.inject(plan, world)
    proxy.connect().close()
    assert driver.active(plan, world)
    assert eventually(lambda: proxy.call("GET", "/gameday/proxies/payments")[1]["connections"] == 0)
    assert driver.met(plan, world) == 0


def test_overlapping_faults_do_not_undo_each_other(world: World) -> None:
    short, long = (ProxyLatency(proxy="payments", latency=ms) for ms in (10, 20))
    first, second = short.plan(world), long.plan(world)
    short.inject(first, world)
    long.inject(second, world)
    with pytest.raises(DriverError, match="already exists") as told:
        short.inject(first, world)
    assert "already" in told.value.hint
    short.revert(first, world)
    assert not short.active(first, world)
    assert long.active(second, world)


@pytest.mark.parametrize("spoil", ["half", "changed"])
def test_what_is_neither_this_fault_nor_none_is_unknown(proxy: ProxyProcess, world: World, spoil: str) -> None:
    driver = ProxyLatency(proxy="payments", latency=LATENCY_MS, stream="both")
    plan = driver.plan(world)
    driver.inject(plan, world)
    path = f"/proxies/payments/toxics/{plan.undo['toxics'][0]['name']}"
    method, body = ("DELETE", None) if spoil == "half" else ("PATCH", {"attributes": {"latency": 1}})
    assert proxy.call(method, path, body)[0] in (200, 204)
    with pytest.raises(DriverError, match="in part, or somebody changed it"):
        driver.active(plan, world)
    driver.revert(plan, world)
    assert not driver.active(plan, world)


def test_the_fault_dies_with_the_proxy() -> None:
    driver = ProxyLatency(proxy="payments", latency=LATENCY_MS)
    with proxy_process("127.0.0.1:1") as proxy:
        world, ref = proxy.world(), proxy.ref
        plan = driver.plan(world)
        driver.inject(plan, world)
    assert await_gone(ref, 5)
    restored = Plan.from_json(json.loads(json.dumps(plan.to_json())))
    assert not driver.active(restored, world)
    driver.revert(restored, world)


def test_the_file_says_durations_with_their_unit() -> None:
    driver = ProxyLatency(proxy="payments", latency=1_500, jitter=250)
    assert parameters(driver) == {"proxy": "payments", "latency": "1s500ms", "jitter": "250ms"}


def test_more_jitter_than_latency_is_refused() -> None:
    with pytest.raises(ValueError, match="jitter"):
        ProxyLatency(proxy="payments", latency=10, jitter=11)
