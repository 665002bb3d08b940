"""The proxy passes bytes as the network would: both ways, in order, no more than fit, and every end of a connection."""

from __future__ import annotations

import hashlib
import os
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from gameday.testing import eventually
from tests.fakes.proxying import ProxyProcess, borrowed, dependency, proxy_process, talks

MEGABYTES = 10
BLOCK = os.urandom(1024 * 1024)


@pytest.fixture(scope="module")
def shared() -> Iterator[ProxyProcess]:
    with dependency() as upstream, proxy_process(upstream) as proxy:
        yield proxy


@pytest.fixture
def proxy(shared: ProxyProcess) -> Iterator[ProxyProcess]:
    with borrowed(shared) as proxy:
        yield proxy


def connections(proxy: ProxyProcess) -> int:
    return int(proxy.call("GET", "/gameday/proxies/payments")[1]["connections"])


def resident_mb(proxy: ProxyProcess) -> float:
    pages = int(Path(f"/proc/{proxy.process.pid}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


@pytest.mark.parametrize("latency", [0, 20])
def test_ten_megabytes_go_there_and_back_unchanged(proxy: ProxyProcess, latency: int) -> None:
    if latency:
        proxy.call("POST", "/proxies/payments/toxics", {"type": "latency", "attributes": {"latency": latency}})
    sock = proxy.connect()
    sock.settimeout(20)
    sent, got = hashlib.sha256(), hashlib.sha256()

    def send() -> None:
        for _ in range(MEGABYTES):
            sent.update(BLOCK)
            sock.sendall(BLOCK)
        sock.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    length = 0
    while data := sock.recv(65536):
        got.update(data)
        length += len(data)
    sender.join()
    assert length == MEGABYTES * len(BLOCK)
    assert got.digest() == sent.digest()
    assert eventually(lambda: connections(proxy) == 0)


@pytest.mark.parametrize("latency", [0, 60_000])
def test_a_reader_that_does_not_read_stops_the_writer(latency: int) -> None:
    """What the proxy holds is bounded, whether the other side is slow or a fault holds it back."""
    taken: list[int] = []
    stop = threading.Event()

    def flood(sock: socket.socket) -> None:
        sock.settimeout(0.2)
        while not stop.is_set():
            with suppress(TimeoutError):
                taken.append(sock.send(BLOCK))

    with dependency(flood) as upstream, proxy_process(upstream) as proxy:
        proxy.call("POST", "/proxies/payments/toxics", {"type": "latency", "attributes": {"latency": latency}})
        before = resident_mb(proxy)
        with closing(proxy.connect()):
            assert eventually(lambda: _still(taken))
            assert resident_mb(proxy) - before < 16
            assert sum(taken) < 64 * 2**20
            assert proxy.call("POST", "/reset")[0] == 204
        stop.set()


def _still(taken: list[int]) -> bool:
    """Whether something was sent, and nothing more for half a second."""
    so_far = len(taken)
    time.sleep(0.5)
    return so_far > 0 and len(taken) == so_far


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_an_answer_in_two_parts_does_not_wait_for_an_acknowledgement(loop: str) -> None:
    """Without TCP_NODELAY on both sides the second part waits 40 ms for the client's delayed acknowledgement."""

    def answer(sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while sock.recv(100):
            sock.sendall(b"head")
            time.sleep(0.002)
            sock.sendall(b"body")

    with dependency(answer) as upstream, proxy_process(upstream, loop=loop) as proxy:
        sock = proxy.connect()
        times: list[float] = []
        for _ in range(40):
            began = time.monotonic()
            sock.sendall(b"?")
            got = b""
            while len(got) < 8:
                got += sock.recv(8)
            times.append(time.monotonic() - began)
        assert sorted(times)[20] < 0.03


def test_each_direction_ends_on_its_own() -> None:
    """A client may say that it is done and still wait for the answer."""

    def count(sock: socket.socket) -> None:
        length = 0
        while data := sock.recv(65536):
            length += len(data)
        sock.sendall(str(length).encode())

    with dependency(count) as upstream, proxy_process(upstream) as proxy:
        proxy.call("POST", "/proxies/payments/toxics", {"type": "latency", "attributes": {"latency": 30}})
        proxy.call(
            "POST", "/proxies/payments/toxics", {"type": "latency", "stream": "upstream", "attributes": {"latency": 30}}
        )
        sock = proxy.connect()
        sock.sendall(b"x" * 1000)
        sock.shutdown(socket.SHUT_WR)
        answer = b""
        while data := sock.recv(100):
            answer += data
        assert answer == b"1000"
        assert eventually(lambda: connections(proxy) == 0)


def test_the_server_may_end_first() -> None:
    heard: list[bytes] = []

    def greet(sock: socket.socket) -> None:
        sock.sendall(b"hello")
        sock.shutdown(socket.SHUT_WR)
        while data := sock.recv(100):
            heard.append(data)

    with dependency(greet) as upstream, proxy_process(upstream) as proxy:
        sock = proxy.connect()
        assert sock.recv(100) == b"hello"
        assert sock.recv(100) == b""
        sock.sendall(b"still here")
        assert eventually(lambda: b"".join(heard) == b"still here")
        sock.close()
        assert eventually(lambda: connections(proxy) == 0)


def test_a_reset_is_passed_on_behind_the_bytes_before_it() -> None:
    def answer_and_die(sock: socket.socket) -> None:
        sock.recv(1)
        sock.sendall(b"last words")
        time.sleep(0.05)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    with dependency(answer_and_die) as upstream, proxy_process(upstream) as proxy:
        proxy.call("POST", "/proxies/payments/toxics", {"type": "latency", "attributes": {"latency": 200}})
        sock = proxy.connect()
        sock.sendall(b"?")
        assert sock.recv(100) == b"last words"
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
        assert eventually(lambda: connections(proxy) == 0)


def test_a_client_that_resets_is_passed_on() -> None:
    ends: list[str] = []

    def listen(sock: socket.socket) -> None:
        try:
            while sock.recv(100):
                pass
            ends.append("end")
        except ConnectionResetError:
            ends.append("reset")

    with dependency(listen) as upstream, proxy_process(upstream) as proxy:
        sock = proxy.connect()
        sock.sendall(b"x")
        assert eventually(lambda: connections(proxy) == 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.close()
        assert eventually(lambda: ends == ["reset"])
        assert eventually(lambda: connections(proxy) == 0)


def test_without_a_dependency_the_client_is_reset() -> None:
    with proxy_process("127.0.0.1:1") as proxy:
        assert proxy.turns_away()
        assert eventually(lambda: connections(proxy) == 0)


def test_a_name_that_is_none_resets_the_client() -> None:
    with proxy_process("a..b:1") as proxy:
        assert proxy.turns_away()


def test_what_is_sent_before_the_dependency_answers_is_kept() -> None:
    """The client's first bytes arrive before the proxy has dialled."""
    with dependency() as upstream, proxy_process(upstream) as proxy:
        assert all(talks(proxy.connect(), b"first") for _ in range(50))


def test_five_hundred_idle_connections_cost_little(proxy: ProxyProcess) -> None:
    before = resident_mb(proxy)
    idle = [proxy.connect() for _ in range(500)]
    assert eventually(lambda: connections(proxy) == 500)
    assert resident_mb(proxy) - before < 16
    assert all(talks(sock) for sock in idle[::50])
    for sock in idle:
        sock.close()
    assert eventually(lambda: connections(proxy) == 0)


def test_ipv6_both_ways() -> None:
    if not _has_ipv6():
        pytest.skip("this machine has no IPv6 loopback")
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        upstream = f"[::1]:{server.getsockname()[1]}"
        listen = [{"name": "payments", "listen": "[::1]:0", "upstream": upstream}]
        with proxy_process(upstream, proxies=listen) as proxy, closing(proxy.connect()) as client:
            accepted, _ = server.accept()
            with accepted:
                client.sendall(b"six")
                assert accepted.recv(3) == b"six"


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True
