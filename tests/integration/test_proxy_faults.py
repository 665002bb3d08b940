"""Faults of the proxy on real connections: in force when the call returns, on old and new ones alike, and gone as fast."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from gameday.testing import eventually
from tests.fakes.proxying import ProxyProcess, borrowed, dependency, proxy_process, talks

DOWN = "/gameday/proxies/payments/down/test"
TOXICS = "/proxies/payments/toxics"


@pytest.fixture(scope="module")
def shared() -> Iterator[ProxyProcess]:
    with dependency() as upstream, proxy_process(upstream) as proxy:
        yield proxy


@pytest.fixture
def proxy(shared: ProxyProcess) -> Iterator[ProxyProcess]:
    with borrowed(shared) as proxy:
        yield proxy


def refused(proxy: ProxyProcess) -> bool:
    try:
        proxy.connect()
    except ConnectionRefusedError:
        return True
    return False


def slow(proxy: ProxyProcess, milliseconds: int, **more: object) -> None:
    body = {"type": "latency", "attributes": {"latency": milliseconds}, **more}
    assert proxy.call("POST", TOXICS, body)[0] == 200


def seconds(sock: socket.socket) -> float:
    start = time.monotonic()
    assert talks(sock)
    return time.monotonic() - start


def met_latency(proxy: ProxyProcess) -> int:
    return int(proxy.call("GET", "/gameday/proxies/payments")[1]["toxics"]["latency_downstream"]["met"])


def readable(socks: list[socket.socket]) -> list[socket.socket]:
    return select.select(socks, [], [], 0)[0]


def test_down_is_in_force_when_the_call_returns(proxy: ProxyProcess) -> None:
    for _ in range(20):
        live = [proxy.connect() for _ in range(5)]
        assert all(talks(sock) for sock in live)
        proxy.call("POST", DOWN)
        assert refused(proxy)
        for sock in live:
            with pytest.raises(ConnectionResetError):
                sock.recv(1)
        proxy.call("DELETE", DOWN)
        assert talks(proxy.connect())


def test_down_through_the_toxiproxy_switch_is_idempotent(proxy: ProxyProcess) -> None:
    assert talks(proxy.connect())
    for _ in range(2):
        assert proxy.call("POST", "/proxies/payments", {"enabled": False})[1]["enabled"] is False
        assert refused(proxy)
    for _ in range(2):
        assert proxy.call("POST", "/proxies/payments", {"enabled": True})[1]["enabled"] is True
        assert talks(proxy.connect())


def test_the_dependency_is_reset_too() -> None:
    ends: list[str] = []

    def listen(sock: socket.socket) -> None:
        try:
            while sock.recv(100):
                pass
        except ConnectionResetError:
            ends.append("reset")

    with dependency(listen) as upstream, proxy_process(upstream) as proxy:
        sock = proxy.connect()
        sock.sendall(b"x")
        assert eventually(lambda: proxy.call("GET", "/gameday/proxies/payments")[1]["connections"] == 1)
        proxy.call("POST", DOWN)
        assert eventually(lambda: ends == ["reset"])


def test_nobody_can_take_the_port_while_it_is_down(proxy: ProxyProcess) -> None:
    assert talks(proxy.connect())
    proxy.call("POST", DOWN)
    assert refused(proxy)
    for options in ([], [socket.SO_REUSEADDR], [socket.SO_REUSEPORT], [socket.SO_REUSEADDR, socket.SO_REUSEPORT]):
        with socket.socket() as thief:
            for option in options:
                thief.setsockopt(socket.SOL_SOCKET, option, 1)
            with pytest.raises(OSError, match="in use"):
                thief.bind(proxy.address())
    proxy.call("DELETE", DOWN)
    assert talks(proxy.connect())


def test_the_first_client_without_an_open_connection_is_counted(proxy: ProxyProcess) -> None:
    proxy.call("POST", DOWN)
    assert proxy.turns_away()
    assert refused(proxy)
    assert proxy.call("GET", "/gameday/proxies/payments")[1]["down"] == {"test": {"met": 1}}
    proxy.call("POST", f"{DOWN}-2")
    assert proxy.call("GET", "/gameday/proxies/payments")[1]["down"] == {"test": {"met": 1}, "test-2": {"met": 0}}
    assert proxy.turns_away()
    assert refused(proxy)
    assert proxy.call("GET", "/gameday/proxies/payments")[1]["down"] == {"test": {"met": 2}, "test-2": {"met": 1}}
    proxy.call("DELETE", DOWN)
    assert refused(proxy), "the other one still holds it down"
    proxy.call("DELETE", f"{DOWN}-2")
    assert talks(proxy.connect())


def test_up_only_when_the_last_holder_lets_go(proxy: ProxyProcess) -> None:
    assert talks(proxy.connect())
    proxy.call("POST", DOWN)
    proxy.call("POST", "/proxies/payments", {"enabled": False})
    proxy.call("DELETE", DOWN)
    assert proxy.call("GET", "/proxies/payments")[1]["enabled"] is False
    proxy.call("POST", "/proxies/payments", {"enabled": True})
    assert talks(proxy.connect())


def test_an_announced_probe_is_answered_without_the_dependency(proxy: ProxyProcess) -> None:
    with socket.socket() as prober:
        prober.settimeout(5)
        prober.bind(("127.0.0.1", 0))
        peer = f"127.0.0.1:{prober.getsockname()[1]}"
        proxy.call("POST", f"/gameday/proxies/payments/probes/{peer}")
        prober.connect(proxy.address())
        assert prober.recv(1) == b""
    assert proxy.call("GET", "/gameday/proxies/payments")[1]["connections"] == 0
    with socket.socket() as prober:
        prober.settimeout(5)
        prober.bind(("127.0.0.1", 0))
        peer = f"127.0.0.1:{prober.getsockname()[1]}"
        proxy.call("POST", f"/gameday/proxies/payments/probes/{peer}")
        proxy.call("DELETE", f"/gameday/proxies/payments/probes/{peer}")
        prober.connect(proxy.address())
        assert talks(prober), "an announcement that was taken back holds for nobody"


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
def test_latency_on_old_and_new_connections(proxy: ProxyProcess, stream: str) -> None:
    old = proxy.connect()
    assert talks(old)
    slow(proxy, 200, stream=stream)
    assert 0.2 <= seconds(old) < 1.2
    assert 0.2 <= seconds(proxy.connect()) < 1.2
    proxy.call("DELETE", f"{TOXICS}/latency_{stream}")
    assert seconds(old) < 0.2


def test_order_is_kept_under_jitter(proxy: ProxyProcess) -> None:
    slow(proxy, 20)
    proxy.call("PATCH", f"{TOXICS}/latency_downstream", {"attributes": {"jitter": 20}})
    sock = proxy.connect()
    numbers = b"".join(b"%08d" % i for i in range(500))

    def send() -> None:
        for i in range(0, len(numbers), 8):
            sock.sendall(numbers[i : i + 8])
            time.sleep(0.0005)

    sender = threading.Thread(target=send)
    sender.start()
    back = b""
    while len(back) < len(numbers):
        back += sock.recv(65536)
    sender.join()
    assert back == numbers


@pytest.mark.parametrize("undo", ["delete", "reset", "shorten"])
def test_what_is_held_back_leaves_at_once_when_the_fault_goes(proxy: ProxyProcess, undo: str) -> None:
    slow(proxy, 50_000)
    sock = proxy.connect()
    for i in range(10):
        sock.sendall(b"%d" % i)
    assert eventually(lambda: met_latency(proxy) == 1)
    time.sleep(0.05)
    start = time.monotonic()
    if undo == "delete":
        proxy.call("DELETE", f"{TOXICS}/latency_downstream")
    elif undo == "reset":
        proxy.call("POST", "/reset")
    else:
        proxy.call("PATCH", f"{TOXICS}/latency_downstream", {"attributes": {"latency": 1}})
    back = b""
    while len(back) < 10:
        back += sock.recv(100)
    assert back == b"0123456789"
    assert time.monotonic() - start < 2


def test_undo_does_not_wait_for_a_client_that_does_not_read(proxy: ProxyProcess) -> None:
    slow(proxy, 50_000)
    stuck = proxy.connect()
    stuck.settimeout(0.5)
    with pytest.raises(TimeoutError):
        stuck.sendall(b"x" * 2**28)
    start = time.monotonic()
    assert proxy.call("DELETE", f"{TOXICS}/latency_downstream")[0] == 204
    assert time.monotonic() - start < 2
    assert seconds(proxy.connect()) < 2


def test_a_share_of_the_connections(proxy: ProxyProcess) -> None:
    slow(proxy, 60_000, toxicity=0.5)
    socks = [proxy.connect() for _ in range(100)]
    for sock in socks:
        sock.sendall(b"x")
    assert eventually(lambda: len(readable(socks)) + met_latency(proxy) == 100)
    assert 20 <= met_latency(proxy) <= 80
