"""Each toxic on real connections, on both event loops: what a client sees, and what it sees when the toxic goes."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from gameday.testing import eventually
from tests.fakes.proxying import ProxyProcess, borrowed, dependency, proxy_process, talks

TOXICS = "/proxies/payments/toxics"
ACCOUNT = "/gameday/proxies/payments"


@pytest.fixture(scope="module", params=["asyncio", "uvloop"])
def shared(request: pytest.FixtureRequest) -> Iterator[ProxyProcess]:
    with dependency() as upstream, proxy_process(upstream, loop=request.param, seed=11) as proxy:
        yield proxy


@pytest.fixture
def proxy(shared: ProxyProcess) -> Iterator[ProxyProcess]:
    with borrowed(shared) as proxy:
        yield proxy


def add(proxy: ProxyProcess, kind: str, attributes: dict[str, Any], **more: Any) -> None:
    body = {"name": "t", "type": kind, "attributes": attributes, **more}
    assert proxy.call("POST", TOXICS, body)[0] == 200


def remove(proxy: ProxyProcess) -> None:
    assert proxy.call("DELETE", f"{TOXICS}/t")[0] == 204


def counts(proxy: ProxyProcess) -> tuple[int, int]:
    toxic = proxy.call("GET", ACCOUNT)[1]["toxics"]["t"]
    return toxic["met"], toxic["chunks"]


def read_all(sock: socket.socket) -> bytes:
    data = b""
    while chunk := sock.recv(65536):
        data += chunk
    return data


def seconds(sock: socket.socket, data: bytes) -> float:
    began = time.monotonic()
    assert talks(sock, data)
    return time.monotonic() - began


def silent(sock: socket.socket, wait: float = 0.15) -> bool:
    sock.settimeout(wait)
    try:
        sock.recv(1)
    except TimeoutError:
        return True
    finally:
        sock.settimeout(5)
    return False


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
def test_bandwidth(proxy: ProxyProcess, stream: str) -> None:
    live = proxy.connect()
    assert talks(live)
    add(proxy, "bandwidth", {"rate": 100}, stream=stream)
    assert 0.45 <= seconds(live, b"x" * 50_000) < 2
    assert counts(proxy)[0] == 1
    remove(proxy)
    assert seconds(live, b"x" * 50_000) < 0.4


def test_what_bandwidth_holds_back_leaves_when_it_goes(proxy: ProxyProcess) -> None:
    add(proxy, "bandwidth", {"rate": 1})
    live = proxy.connect()
    live.sendall(b"x" * 100_000)
    assert eventually(lambda: counts(proxy)[1] >= 1)
    began = time.monotonic()
    remove(proxy)
    got = b""
    while len(got) < 100_000:
        got += live.recv(65536)
    assert got == b"x" * 100_000
    assert time.monotonic() - began < 2


def test_nothing_passes_at_a_rate_of_nothing(proxy: ProxyProcess) -> None:
    add(proxy, "bandwidth", {"rate": 0})
    live = proxy.connect()
    live.sendall(b"x")
    assert silent(live)
    remove(proxy)
    assert live.recv(1) == b"x"


def test_slow_close(proxy: ProxyProcess) -> None:
    add(proxy, "slow_close", {"delay": 400})
    live = proxy.connect()
    assert seconds(live, b"bytes are not slowed") < 0.3
    began = time.monotonic()
    live.shutdown(socket.SHUT_WR)
    assert read_all(live) == b""
    assert 0.4 <= time.monotonic() - began < 2
    assert counts(proxy) == (1, 1)


def test_an_end_that_is_held_back_comes_when_the_toxic_goes(proxy: ProxyProcess) -> None:
    add(proxy, "slow_close", {"delay": 60_000})
    live = proxy.connect()
    assert talks(live)
    live.shutdown(socket.SHUT_WR)
    assert silent(live)
    remove(proxy)
    assert read_all(live) == b""


def test_timeout_swallows_and_then_closes(proxy: ProxyProcess) -> None:
    live = proxy.connect()
    assert talks(live)
    add(proxy, "timeout", {"timeout": 400})
    began = time.monotonic()
    live.sendall(b"into the void")
    assert read_all(live) == b""
    assert 0.4 <= time.monotonic() - began < 2


def test_a_silent_connection_is_closed_too(proxy: ProxyProcess) -> None:
    live = proxy.connect()
    assert talks(live)
    add(proxy, "timeout", {"timeout": 200})
    assert read_all(live) == b""


def test_the_connections_of_a_timeout_close_when_it_goes(proxy: ProxyProcess) -> None:
    """A stream that lost bytes must not go on as if it had not."""
    add(proxy, "timeout", {"timeout": 0})
    live = proxy.connect()
    live.sendall(b"lost")
    assert eventually(lambda: counts(proxy) == (1, 1))
    remove(proxy)
    assert read_all(live) == b""
    assert talks(proxy.connect())


def test_reset_peer(proxy: ProxyProcess) -> None:
    add(proxy, "reset_peer", {"timeout": 200})
    live = proxy.connect()
    assert silent(live), "nothing happens before the first byte"
    began = time.monotonic()
    live.sendall(b"x")
    with pytest.raises(ConnectionResetError):
        live.recv(1)
    assert 0.2 <= time.monotonic() - began < 2
    assert counts(proxy) == (1, 1)


def test_slicer(proxy: ProxyProcess) -> None:
    add(proxy, "slicer", {"average_size": 1000, "size_variation": 100, "delay": 20_000})
    live = proxy.connect()
    data = bytes(range(256)) * 40
    assert 0.15 <= seconds(live, data) < 3
    remove(proxy)
    assert seconds(live, data) < 0.15


def test_limit_data(proxy: ProxyProcess) -> None:
    add(proxy, "limit_data", {"bytes": 10})
    live = proxy.connect()
    assert talks(live, b"1234567")
    live.sendall(b"8901234567")
    assert read_all(live) == b"890"
    assert counts(proxy) == (1, 1)


def test_a_limit_counts_from_when_it_was_set(proxy: ProxyProcess) -> None:
    live = proxy.connect()
    assert talks(live, b"x" * 1000)
    add(proxy, "limit_data", {"bytes": 10})
    assert talks(live, b"1234567")
    remove(proxy)
    assert talks(live, b"x" * 1000)


def test_reset_after(proxy: ProxyProcess) -> None:
    add(proxy, "reset_after", {"bytes": 10})
    live = proxy.connect()
    assert talks(live, b"1234567")
    live.sendall(b"8901234567")
    with pytest.raises(ConnectionResetError):
        read_all(live)


@pytest.mark.parametrize("new", ["drop", "accept"])
def test_blackhole_of_new_connections(proxy: ProxyProcess, new: str) -> None:
    live = proxy.connect()
    assert talks(live)
    add(proxy, "blackhole", {"established": False, "new": new})
    assert talks(live), "open connections are not meant"
    first = proxy.connect()
    first.sendall(b"x")
    assert silent(first)
    assert counts(proxy)[0] == 1
    if new == "drop":
        with pytest.raises(TimeoutError):
            socket.create_connection(proxy.address(), timeout=0.5)
    else:
        assert silent(proxy.connect())
    remove(proxy)
    with pytest.raises(ConnectionResetError):
        read_all(first)
    assert talks(proxy.connect())
    assert talks(live)
    assert eventually(lambda: proxy.call("GET", ACCOUNT)[1]["connections"] == 2)


def test_blackhole_of_open_connections(proxy: ProxyProcess) -> None:
    lossy, clean = proxy.connect(), proxy.connect()
    assert talks(lossy)
    assert talks(clean)
    add(proxy, "blackhole", {"new": "pass"})
    lossy.sendall(b"lost")
    assert silent(lossy)
    assert talks(proxy.connect()), "new connections are not meant"
    remove(proxy)
    with pytest.raises(ConnectionResetError):
        read_all(lossy)
    assert talks(clean), "a connection that lost nothing goes on"


def test_a_blackhole_and_an_outage_at_once(proxy: ProxyProcess) -> None:
    add(proxy, "blackhole", {"new": "drop"})
    assert silent(proxy.connect())
    assert proxy.call("POST", f"{ACCOUNT}/down/x")[0] == 200
    with pytest.raises(ConnectionRefusedError):
        proxy.connect()
    assert proxy.call("DELETE", f"{ACCOUNT}/down/x")[0] == 204
    with pytest.raises(TimeoutError):
        socket.create_connection(proxy.address(), timeout=0.5)
    remove(proxy)
    assert talks(proxy.connect())


def test_toxics_work_together_in_the_order_in_which_they_were_set(proxy: ProxyProcess) -> None:
    for name, kind, attributes in [
        ("a", "latency", {"latency": 100}),
        ("b", "bandwidth", {"rate": 100}),
        ("c", "slicer", {"average_size": 500, "size_variation": 50}),
    ]:
        assert proxy.call("POST", TOXICS, {"name": name, "type": kind, "attributes": attributes})[0] == 200
    live = proxy.connect()
    assert 0.3 <= seconds(live, b"x" * 20_000) < 2


def test_a_lease_lapses_and_is_renewed(proxy: ProxyProcess) -> None:
    add(proxy, "latency", {"latency": 60_000}, lease_ms=300)
    lease = f"{ACCOUNT}/toxics/t/lease"
    for _ in range(4):
        time.sleep(0.15)
        assert proxy.call("POST", lease, {"lease_ms": 300})[0] == 204
    live = proxy.connect()
    live.sendall(b"x")
    assert live.recv(1) == b"x", "what it held back comes when it lapses"
    assert proxy.call("GET", TOXICS)[1] == []
    assert proxy.call("POST", lease, {"lease_ms": 300})[0] == 404
    assert proxy.call("GET", TOXICS)[1] == [], "a lease never makes a fault"


def test_a_holder_lapses_too(proxy: ProxyProcess) -> None:
    assert proxy.call("POST", f"{ACCOUNT}/down/x", {"lease_ms": 200})[0] == 200
    assert proxy.turns_away()
    assert eventually(lambda: proxy.call("GET", ACCOUNT)[1]["enabled"] is True)
    assert proxy.call("POST", f"{ACCOUNT}/down/x/lease", {"lease_ms": 200})[0] == 404
    assert talks(proxy.connect())


@pytest.mark.parametrize("lease", [0, -1, 1.5, "1", True, 10**12])
def test_a_lease_of_nonsense_is_refused(proxy: ProxyProcess, lease: object) -> None:
    body = {"type": "latency", "attributes": {"latency": 1}, "lease_ms": lease}
    assert proxy.call("POST", TOXICS, body)[0] == 400
    assert proxy.call("GET", TOXICS)[1] == []


def test_the_same_seed_strikes_the_same_connections(proxy: ProxyProcess) -> None:
    struck: list[list[bool]] = []
    for _ in range(2):
        add(proxy, "limit_data", {"bytes": 1}, toxicity=0.5, seed=42)
        one: list[bool] = []
        for _ in range(12):
            sock = proxy.connect()
            sock.sendall(b"xy")
            first = sock.recv(2)
            one.append(first == b"x" and not sock.recv(1))
            sock.close()
        struck.append(one)
        remove(proxy)
        assert eventually(lambda: proxy.call("GET", ACCOUNT)[1]["connections"] == 0)
    assert struck[0] == struck[1]
    assert len(set(struck[0])) == 2
