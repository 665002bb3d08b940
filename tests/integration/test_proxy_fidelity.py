"""How true the faults are to their numbers, how fast they come and go, and what thousands of connections cost: in numbers, with bounds."""

from __future__ import annotations

import http.client
import json
import math
import resource
import selectors
import socket
import statistics
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from gameday.testing import eventually
from tests.fakes.proxying import ProxyProcess, borrowed, dependency, http_server, proxy_process, talks

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
TOXICS = "/proxies/payments/toxics"


@pytest.fixture(scope="module", params=["asyncio", "uvloop"])
def shared(request: pytest.FixtureRequest) -> Iterator[ProxyProcess]:
    with dependency() as upstream, proxy_process(upstream, loop=request.param, seed=3) as proxy:
        yield proxy


@pytest.fixture
def proxy(shared: ProxyProcess) -> Iterator[ProxyProcess]:
    with borrowed(shared) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def _descriptors() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 20_000 if hard == resource.RLIM_INFINITY else min(hard, 20_000)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


@contextmanager
def mute() -> Generator[tuple[str, list[socket.socket]]]:
    """A dependency in one thread that accepts, echoes and keeps thousands of connections."""
    held: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as server, selectors.DefaultSelector() as ready:
        stop = threading.Event()
        ready.register(server, selectors.EVENT_READ)

        def serve() -> None:
            while not stop.is_set():
                for key, _ in ready.select(0.05):
                    if key.fileobj is server:
                        sock, _ = server.accept()
                        held.append(sock)
                        ready.register(sock, selectors.EVENT_READ)
                        continue
                    sock = cast("socket.socket", key.fileobj)
                    try:
                        data = sock.recv(65536)
                        if data:
                            sock.sendall(data)
                            continue
                    except OSError:
                        pass
                    ready.unregister(sock)
                    sock.close()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{server.getsockname()[1]}", held
        finally:
            stop.set()
            thread.join()
            for sock in held:
                sock.close()


def add(proxy: ProxyProcess, kind: str, **attributes: Any) -> None:
    assert proxy.call("POST", TOXICS, {"name": "t", "type": kind, "attributes": attributes})[0] == 200


def trip(sock: socket.socket) -> float:
    began = time.perf_counter()
    assert talks(sock, b"x" * 100)
    return time.perf_counter() - began


def test_a_delay_is_what_it_says(proxy: ProxyProcess) -> None:
    """The median of 200 round trips is late by less than 3 ms, and none is early."""
    sock = proxy.connect()
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    plain = statistics.median(trip(sock) for _ in range(200))
    add(proxy, "latency", latency=20)
    times = sorted(trip(sock) for _ in range(200))
    assert times[0] >= 0.02
    assert statistics.median(times) - plain - 0.02 < 0.003
    assert times[189] < 0.02 + 0.015, "95 of 100"


def test_jitter_on_the_wire_is_distributed_as_it_says(proxy: ProxyProcess) -> None:
    """Kolmogorov-Smirnov against the uniform distribution; 3 ms of the range of 40 are allowed for the machine."""
    sock = proxy.connect()
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    add(proxy, "latency", latency=30, jitter=20)
    times = sorted(trip(sock) for _ in range(300))
    distance = max(abs((time - 0.01) / 0.04 - (i + 0.5) / 300) for i, time in enumerate(times))
    assert distance < 1.95 / math.sqrt(300) + 3 / 40


@pytest.mark.parametrize("rate", [100, 2000])
def test_bandwidth_is_what_it_says(proxy: ProxyProcess, rate: int) -> None:
    """Within 5 % over two seconds."""
    add(proxy, "bandwidth", rate=rate)
    sock = proxy.connect()
    sock.settimeout(20)
    size = rate * 2000
    sender = threading.Thread(target=sock.sendall, args=(b"x" * size,))
    began = time.perf_counter()
    sender.start()
    got = 0
    while got < size:
        got += len(sock.recv(65536))
    seconds = time.perf_counter() - began
    sender.join()
    assert abs(size / seconds / (rate * 1000) - 1) < 0.05


@pytest.mark.parametrize("share", [0.01, 0.3])
def test_a_share_of_aborts_is_within_its_binomial_bound(share: float) -> None:
    n = 5000
    with dependency(http_server) as upstream, proxy_process(upstream, seed=5) as proxy:
        body = {"name": "t", "type": "http_abort", "toxicity": share, "attributes": {"path": "/a*"}}
        assert proxy.call("POST", TOXICS, body)[0] == 200
        with closing(http.client.HTTPConnection(*proxy.address(), timeout=10)) as client:
            hit = 0
            for _ in range(n):
                client.request("GET", "/ab")
                answer = client.getresponse()
                answer.read()
                hit += answer.status == 503
    assert abs(hit - n * share) <= 4.42 * math.sqrt(n * share * (1 - share)), hit


@pytest.mark.parametrize("kind", ["latency", "http_abort", "down"])
def test_faults_come_and_go_in_ten_milliseconds_with_a_thousand_connections(kind: str, loop: str) -> None:
    """p99 of 100 times setting and taking off, with 1,000 open connections that have all been used."""
    with mute() as (upstream, _), proxy_process(upstream, loop=loop) as proxy:
        socks = [proxy.connect() for _ in range(1000)]
        for sock in socks:
            sock.sendall(b"x")
        assert all(sock.recv(1) == b"x" for sock in socks)
        with closing(http.client.HTTPConnection(*proxy.control_address, timeout=5)) as control:

            def timed(method: str, path: str, body: Any = None) -> float:
                began = time.perf_counter()
                control.request(method, path, None if body is None else json.dumps(body))
                answer = control.getresponse()
                answer.read()
                assert answer.status < 300
                return time.perf_counter() - began

            times: list[float] = []
            for _ in range(100):
                if kind == "down":
                    # keep_open: cutting a thousand connections leaves none for the next round
                    times.append(timed("POST", "/gameday/proxies/payments/down/x", {"keep_open": True}))
                    times.append(timed("DELETE", "/gameday/proxies/payments/down/x"))
                else:
                    times.append(timed("POST", TOXICS, {"name": "t", "type": kind, "attributes": {"latency": 50}}))
                    times.append(timed("DELETE", f"{TOXICS}/t"))
        times.sort()
        assert times[197] <= 0.010, [round(1000 * t, 2) for t in (times[100], times[190], times[197], times[-1])]


@pytest.fixture(params=["asyncio", "uvloop"])
def loop(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_four_thousand_idle_connections_cost_little_and_stay_flat(loop: str) -> None:
    """Under 16 kB each, no growth while toxics come and go for them, and the memory is given back or used again."""
    with mute() as (upstream, held), proxy_process(upstream, loop=loop) as proxy:

        def crowd() -> list[socket.socket]:
            before = len(held)
            socks = [proxy.connect() for _ in range(4000)]
            assert eventually(lambda: len(held) - before == 4000, 30)
            return socks

        empty = resident_kb(proxy)
        socks = crowd()
        full = resident_kb(proxy)
        assert (full - empty) / 4000 < 16
        for _ in range(20):
            add(proxy, "latency", latency=1)
            assert proxy.call("DELETE", f"{TOXICS}/t")[0] == 204
        assert resident_kb(proxy) - full < 4 * 1024
        assert all(talks(sock) for sock in socks[::400])
        for _ in range(2):
            for sock in socks:
                sock.close()
            assert eventually(lambda: connections(proxy) == 0, 30)
            socks = crowd()
            assert resident_kb(proxy) - full < 12 * 1024, "what ended is not kept"


def resident_kb(proxy: ProxyProcess) -> float:
    pages = int(Path(f"/proc/{proxy.process.pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1024


def connections(proxy: ProxyProcess) -> int:
    return int(proxy.call("GET", "/gameday/proxies/payments")[1]["connections"])


def bounded(seconds: float, act: Callable[[], object]) -> None:
    began = time.monotonic()
    act()
    assert time.monotonic() - began < seconds


def test_undo_does_not_wait_for_anybody(proxy: ProxyProcess) -> None:
    """Neither for clients that do not read, nor for bytes that are held back for an hour."""
    stuck = proxy.connect()
    stuck.settimeout(0.5)
    for kind, attributes in (
        ("latency", {"latency": 3_600_000}),
        ("bandwidth", {"rate": 1}),
        ("slicer", {"average_size": 10, "delay": 1_000_000}),
        ("slow_close", {"delay": 3_600_000}),
        ("blackhole", {"new": "accept"}),
    ):
        add(proxy, kind, **attributes)
        with pytest.raises(TimeoutError):
            stuck.sendall(b"x" * 2**26)
        bounded(1, lambda: proxy.call("DELETE", f"{TOXICS}/t"))
        if kind == "blackhole":
            return
