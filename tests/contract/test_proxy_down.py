from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

import pytest

from gameday.model import Plan
from gameday.spi import DriverError, ProxyRef, World
from gameday.spi.processes import await_gone
from gameday.testing import DriverContract, eventually, stays
from gameday_drivers.proxy_down import ProxyDown
from tests.fakes.proxying import TOKEN, ProxyProcess, borrowed, dependency, proxy_process, serving, talks, toxiproxy


@pytest.fixture(scope="module")
def shared() -> Iterator[ProxyProcess]:
    with dependency() as upstream, proxy_process(upstream, token=TOKEN) as proxy:
        yield proxy


@pytest.fixture
def proxy(shared: ProxyProcess) -> Iterator[ProxyProcess]:
    with borrowed(shared) as proxy:
        yield proxy


@pytest.fixture
def doomed() -> Iterator[ProxyProcess]:
    """A proxy of this test's own."""
    with dependency() as upstream, proxy_process(upstream, token=TOKEN) as proxy:
        yield proxy


@pytest.fixture
def world(proxy: ProxyProcess) -> World:
    return proxy.world()


@pytest.fixture
def driver() -> ProxyDown:
    return ProxyDown(proxy="payments")


@pytest.fixture
def plan(driver: ProxyDown, world: World) -> Plan:
    return driver.plan(world)


class TestProxyDown(DriverContract):
    @pytest.fixture
    def world(self, proxy: ProxyProcess) -> World:
        return proxy.world()

    @pytest.fixture
    def driver(self) -> ProxyDown:
        return ProxyDown(proxy="payments")


def test_clients_are_cut_off_and_come_back(proxy: ProxyProcess, driver: ProxyDown, plan: Plan, world: World) -> None:
    before = proxy.connect()
    assert talks(before)
    driver.inject(plan, world)
    with pytest.raises(ConnectionResetError):
        before.recv(1)
    with pytest.raises(ConnectionRefusedError):
        proxy.connect()
    driver.revert(plan, world)
    assert talks(proxy.connect())


def test_overlapping_faults_do_not_undo_each_other(proxy: ProxyProcess, driver: ProxyDown) -> None:
    one, two = proxy.world("one"), proxy.world("two")
    first, second = driver.plan(one), driver.plan(two)
    driver.inject(first, one)
    driver.inject(second, two)
    driver.revert(first, one)
    assert not driver.active(first, one)
    assert driver.active(second, two)
    driver.revert(second, two)
    assert stays(lambda: not driver.active(second, two))


def test_the_very_same_fault_cannot_overlap_itself(driver: ProxyDown, plan: Plan, world: World) -> None:
    driver.inject(plan, world)
    with pytest.raises(DriverError, match="already") as told:
        driver.inject(driver.plan(world), world)
    assert "already" in told.value.hint


def test_our_own_measurements_are_no_traffic(proxy: ProxyProcess, driver: ProxyDown, plan: Plan, world: World) -> None:
    driver.inject(plan, world)
    for _ in range(3):
        assert driver.active(plan, world)
    assert driver.met(plan, world) == 0, "nobody but us has tried to connect"
    assert proxy.turns_away(), "the first client is turned away by hand, because the kernel would not count it"
    assert driver.met(plan, world) == 1
    with pytest.raises(ConnectionRefusedError):
        proxy.connect()


def test_connections_that_were_cut_have_met_it(
    proxy: ProxyProcess, driver: ProxyDown, plan: Plan, world: World
) -> None:
    assert all(talks(proxy.connect()) for _ in range(3))
    driver.inject(plan, world)
    assert driver.met(plan, world) == 3
    driver.revert(plan, world)
    with pytest.raises(DriverError, match="its count is gone"):
        driver.met(plan, world)


def test_measuring_reaches_no_dependency(driver: ProxyDown) -> None:
    served: list[int] = []

    def serve(sock: socket.socket) -> None:
        served.append(1)

    with dependency(serve) as upstream, proxy_process(upstream) as proxy:
        world = proxy.world()
        plan = driver.plan(world)
        assert not driver.active(plan, world)
        assert stays(lambda: not served)
        with closing(proxy.connect()):
            assert eventually(lambda: served == [1]), "but a client does"


def test_a_dead_dependency_is_not_this_fault(driver: ProxyDown) -> None:
    """The proxy resets clients then, too; that must not read as a fault that is still on."""
    with proxy_process("127.0.0.1:1") as proxy:
        world = proxy.world()
        plan = driver.plan(world)
        assert not driver.active(plan, world)
        driver.inject(plan, world)
        assert driver.active(plan, world)
        driver.revert(plan, world)
        assert not driver.active(plan, world)


def test_the_fault_dies_with_the_proxy(doomed: ProxyProcess, driver: ProxyDown) -> None:
    world, ref = doomed.world(), doomed.ref
    plan = driver.plan(world)
    driver.inject(plan, world)
    doomed.process.kill()
    assert await_gone(ref, 5)
    assert not driver.active(plan, world)
    driver.revert(plan, world)
    for act in (driver.inject, driver.met):
        with pytest.raises(DriverError):
            act(plan, world)


def test_a_proxy_that_hangs_is_unknown(doomed: ProxyProcess, driver: ProxyDown) -> None:
    world = doomed.world()
    plan = driver.plan(world)
    os.kill(doomed.process.pid, signal.SIGSTOP)
    with pytest.raises(DriverError, match="no reply"):
        driver.active(plan, world)


def test_after_a_lost_runner_it_reverts_but_never_injects(doomed: ProxyProcess, driver: ProxyDown) -> None:
    world = doomed.world()
    plan = driver.plan(world)
    driver.inject(plan, world)
    doomed.lose_runner()
    assert eventually(lambda: not driver.active(plan, world))
    driver.revert(plan, world)
    driver.revert(plan, world)
    with pytest.raises(DriverError, match="run is over"):
        driver.inject(plan, world)
    assert talks(doomed.connect())


def test_an_unknown_proxy_is_told_with_the_known_ones(driver: ProxyDown, world: World) -> None:
    with pytest.raises(DriverError, match="no proxy 'catalog'") as told:
        ProxyDown(proxy="catalog").plan(world)
    assert told.value.hint == "known: payments"
    with pytest.raises(DriverError):
        driver.plan(World(run_id="r"))


def test_planning_finds_out_that_the_proxy_is_not_there(driver: ProxyDown, world: World) -> None:
    ref = replace(world.proxies["payments"], name="refunds")
    with pytest.raises(DriverError, match="no proxy 'refunds'"):
        driver.plan(replace(world, proxies={"payments": ref}))
    with pytest.raises(DriverError, match="no reply"):
        driver.plan(World(run_id="r", proxies={"payments": ProxyRef(control="http://127.0.0.1:1", name="payments")}))


def test_a_proxy_that_is_not_started_yet_can_be_planned(driver: ProxyDown) -> None:
    ref = ProxyRef(control="", name="payments", listen="127.0.0.1:9102", upstream="127.0.0.1:9002")
    plan = driver.plan(World(run_id="r", proxies={"payments": ref}))
    assert plan.targets == ("proxy payments (127.0.0.1:9102 to 127.0.0.1:9002)",)


def test_the_plan_has_no_token_and_without_it_nothing_happens(driver: ProxyDown, plan: Plan, world: World) -> None:
    assert TOKEN not in json.dumps(plan.to_json())
    driver.inject(plan, world)
    with pytest.raises(DriverError, match="turns us away") as told:
        driver.revert(plan, World(run_id=world.run_id))
    assert "token" in told.value.hint
    assert driver.active(plan, world)


def test_two_faults_with_the_same_parameters_are_two(proxy: ProxyProcess, driver: ProxyDown, world: World) -> None:
    one, two = (replace(world, fault=name) for name in ("first", "second"))
    first, second = driver.plan(one), driver.plan(two)
    driver.inject(first, one)
    driver.inject(second, two)
    driver.revert(first, one)
    assert driver.active(second, two)
    driver.revert(second, two)
    assert not driver.active(second, two)


def test_open_connections_can_be_left_alone(proxy: ProxyProcess, world: World) -> None:
    driver = ProxyDown(proxy="payments", keep_open=True)
    plan = driver.plan(world)
    live = proxy.connect()
    assert talks(live)
    driver.inject(plan, world)
    assert proxy.turns_away()
    with pytest.raises(ConnectionRefusedError):
        proxy.connect()
    assert talks(live)
    driver.revert(plan, world)
    assert talks(live)


class _Recorder(BaseHTTPRequestHandler):
    """Writes down what it is told, in the server's ``told``."""

    def do_DELETE(self) -> None:
        cast("_Recording", self.server).told.append(str(self.headers))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class calls it
        pass


class _Recording(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Recorder)
        self.told: list[str] = []


def test_the_token_goes_to_no_other_address(driver: ProxyDown, plan: Plan, world: World) -> None:
    with serving(_Recording()) as (server, elsewhere):
        driver.revert(replace(plan, undo={**plan.undo, "control": elsewhere}), world)
        (told,) = server.told
    assert TOKEN not in told


def test_whoever_took_a_dead_proxys_control_port_is_not_spoken_to(doomed: ProxyProcess, driver: ProxyDown) -> None:
    world, ref = doomed.world(), doomed.ref
    plan = driver.plan(world)
    doomed.process.kill()
    assert await_gone(ref, 5)
    with serving(_Recording()) as (server, elsewhere):
        driver.revert(replace(plan, undo={**plan.undo, "control": elsewhere}), world)
        assert not server.told


def test_active_is_measured_at_the_port(driver: ProxyDown, plan: Plan, world: World) -> None:
    """The proxy says that it is down, but the port lets clients in: the fault is not in force."""
    driver.inject(plan, world)
    with dependency() as open_port:
        assert not driver.active(replace(plan, undo={**plan.undo, "listen": open_port}), world)
    assert driver.active(plan, world)


def test_a_server_that_is_no_proxy_is_unknown(driver: ProxyDown, plan: Plan, world: World) -> None:
    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"[1, 2]")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class calls it
            pass

    with (
        serving(ThreadingHTTPServer(("127.0.0.1", 0), Other)) as (_, elsewhere),
        pytest.raises(DriverError, match="not a proxy's"),
    ):
        driver.active(replace(plan, undo={**plan.undo, "control": elsewhere, "listen": ""}), world)


def test_a_real_toxiproxy_is_disabled_and_enabled(driver: ProxyDown) -> None:
    """It knows nothing of /gameday and answers 404 in plain text there."""
    with dependency() as upstream, proxy_process(upstream) as proxy, toxiproxy(proxy) as control:
        ref = ProxyRef(control=control, name="payments")
        world = World(run_id="r", proxies={"payments": ref})
        plan = driver.plan(world)
        assert not driver.active(plan, world)
        live = proxy.connect()
        assert talks(live)
        driver.inject(plan, world)
        assert driver.active(plan, world)
        with pytest.raises(DriverError, match="cannot say"):
            driver.met(plan, world)
        driver.revert(plan, world)
        driver.revert(plan, world)
        assert not driver.active(plan, world)
        assert talks(proxy.connect())
