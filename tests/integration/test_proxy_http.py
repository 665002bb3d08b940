"""HTTP faults on real requests: matched, struck, and gone again on the same connection; what is not HTTP passes unread."""

from __future__ import annotations

import http.client
import math
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from gameday.testing import eventually
from tests.fakes.proxying import ProxyProcess, borrowed, dependency, http_server, proxy_process, talks

TOXICS = "/proxies/payments/toxics"
BODY = b"x" * 1000


@pytest.fixture(scope="module", params=["asyncio", "uvloop"])
def shared(request: pytest.FixtureRequest) -> Iterator[ProxyProcess]:
    with dependency(http_server) as upstream, proxy_process(upstream, loop=request.param, seed=11) as proxy:
        yield proxy


@pytest.fixture
def proxy(shared: ProxyProcess) -> Iterator[ProxyProcess]:
    with borrowed(shared) as proxy:
        yield proxy


@pytest.fixture
def client(proxy: ProxyProcess) -> Iterator[http.client.HTTPConnection]:
    """A connection that is open, and has been used, before any fault is set."""
    with closing(http.client.HTTPConnection(*proxy.address(), timeout=5)) as client:
        assert ask(client) == (200, BODY)
        yield client


def ask(
    client: http.client.HTTPConnection, method: str = "GET", path: str = "/a", body: Any = None, **headers: str
) -> tuple[int, bytes]:
    client.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = client.getresponse()
    return answer.status, answer.read()


def add(proxy: ProxyProcess, kind: str, **attributes: Any) -> None:
    share = attributes.pop("share_of_requests", 1)
    body = {"name": "t", "type": kind, "attributes": attributes, "toxicity": share}
    status, answer = proxy.call("POST", TOXICS, body)
    assert status == 200, answer


def remove(proxy: ProxyProcess) -> None:
    assert proxy.call("DELETE", f"{TOXICS}/t")[0] == 204


def struck(proxy: ProxyProcess) -> int:
    return int(proxy.call("GET", "/gameday/proxies/payments")[1]["toxics"]["t"]["chunks"])


def served(proxy: ProxyProcess) -> int:
    _, metrics = raw_metrics(proxy)
    line = next(line for line in metrics.splitlines() if line.startswith("gameday_proxy_http_requests_total"))
    return int(line.rpartition(" ")[2])


def came(proxy: ProxyProcess) -> int:
    """Bytes that came from clients."""
    lines = raw_metrics(proxy)[1].splitlines()
    return sum(int(line.rpartition(" ")[2]) for line in lines if 'stream="upstream"' in line and "bytes_total" in line)


def raw_metrics(proxy: ProxyProcess) -> tuple[str, str]:
    with closing(http.client.HTTPConnection(*proxy.control_address, timeout=5)) as control:
        control.request("GET", "/metrics")
        answer = control.getresponse()
        return answer.headers["Content-Type"], answer.read().decode()


def test_abort_answers_itself_and_the_connection_goes_on(
    proxy: ProxyProcess, client: http.client.HTTPConnection
) -> None:
    add(proxy, "http_abort", status=418, body="no", set={"Retry-After": "7"})
    client.request("POST", "/a", b"y" * 300_000)
    answer = client.getresponse()
    assert (answer.status, answer.read(), answer.headers["Retry-After"]) == (418, b"no", "7")
    assert ask(client, "HEAD") == (418, b"")
    assert struck(proxy) == 2
    remove(proxy)
    assert ask(client) == (200, BODY)


def test_only_what_matches_is_struck(proxy: ProxyProcess, client: http.client.HTTPConnection) -> None:
    add(proxy, "http_abort", method="POST", path="/pay/*", headers={"X-Tenant": "canary*"})
    hit = {"X_Tenant": "canary-7"}
    assert ask(client, "POST", "/pay/1?q=/x", b"b", **hit)[0] == 503
    assert ask(client, "GET", "/pay/1", **hit)[0] == 200
    assert ask(client, "POST", "/refund/1", b"b", **hit)[0] == 200
    assert ask(client, "POST", "/pay/1", b"b", X_Tenant="other")[0] == 200
    assert ask(client, "POST", "/pay/1", b"b")[0] == 200
    assert struck(proxy) == 1


def test_a_share_of_the_requests_is_struck(proxy: ProxyProcess, client: http.client.HTTPConnection) -> None:
    """Within the bound that a fair share exceeds less than once in 100,000 times."""
    share, n = 0.3, 600
    add(proxy, "http_abort", share_of_requests=share)
    hit = sum(ask(client)[0] == 503 for _ in range(n))
    assert abs(hit - n * share) <= 4.42 * math.sqrt(n * share * (1 - share))
    assert struck(proxy) == hit


def test_answers_keep_their_order_when_requests_are_pipelined(proxy: ProxyProcess) -> None:
    add(proxy, "http_abort", path="/b")
    with closing(proxy.connect()) as sock:
        sock.sendall(b"".join(b"GET /%c HTTP/1.1\r\nHost: h\r\n\r\n" % letter for letter in b"abab"))
        data = b""
        while data.count(b"HTTP/1.1 ") < 4 or not data.endswith(b"\r\n\r\n"):
            data += sock.recv(65536)
    assert [part[:3] for part in data.split(b"HTTP/1.1 ")[1:]] == [b"200", b"503", b"200", b"503"]


def test_whoever_wants_the_connection_closed_gets_it_closed(proxy: ProxyProcess) -> None:
    add(proxy, "http_abort")
    sock = proxy.connect()
    sock.sendall(b"GET / HTTP/1.0\r\n\r\n")
    data = b""
    while chunk := sock.recv(65536):
        data += chunk
    assert data.startswith(b"HTTP/1.1 503 ")


def test_delay_holds_a_request_back_and_lets_it_go_when_it_is_taken_off(
    proxy: ProxyProcess, client: http.client.HTTPConnection
) -> None:
    add(proxy, "http_delay", latency=200)
    began = time.monotonic()
    assert ask(client)[0] == 200
    assert 0.2 <= time.monotonic() - began < 2
    assert proxy.call("PATCH", f"{TOXICS}/t", {"attributes": {"latency": 60_000}})[0] == 200
    client.request("GET", "/a")
    assert eventually(lambda: struck(proxy) == 2)
    remove(proxy)
    assert client.getresponse().read() == BODY


def test_delay_and_abort_together(proxy: ProxyProcess, client: http.client.HTTPConnection) -> None:
    add(proxy, "http_delay", latency=200)
    assert proxy.call("POST", TOXICS, {"type": "http_abort", "attributes": {"status": 500}})[0] == 200
    began = time.monotonic()
    assert ask(client)[0] == 500
    assert time.monotonic() - began >= 0.199, "uvloop counts in milliseconds"


def test_corrupt_changes_bytes_and_not_their_number(proxy: ProxyProcess, client: http.client.HTTPConnection) -> None:
    add(proxy, "http_corrupt", share=0.1)
    wrong = 0
    for _ in range(10):
        status, body = ask(client)
        assert (status, len(body)) == (200, 1000)
        wrong += sum(byte != ord("x") for byte in body)
    assert abs(wrong - 1000) <= 4.42 * math.sqrt(10_000 * 0.1 * 0.9)
    assert proxy.call("PATCH", f"{TOXICS}/t", {"attributes": {"share": 0}})[0] == 200
    assert sum(byte != ord("x") for byte in ask(client)[1]) == 1, "at least one"


def test_truncate_ends_in_the_middle_of_the_body(proxy: ProxyProcess, client: http.client.HTTPConnection) -> None:
    add(proxy, "http_truncate", bytes=10)
    with pytest.raises(http.client.IncompleteRead) as told:
        ask(client)
    assert told.value.partial == b"x" * 10


def test_headers_of_request_and_answer(proxy: ProxyProcess, client: http.client.HTTPConnection) -> None:
    add(proxy, "http_header", set={"X-New": "1"}, remove=["x-asked"])
    client.request("GET", "/a")
    answer = client.getresponse()
    assert (answer.headers["X-New"], answer.headers["X-Asked"], answer.read()) == ("1", None, BODY)
    remove(proxy)
    client.request("GET", "/a")
    answer = client.getresponse()
    assert (answer.headers["X-New"], answer.headers["X-Asked"], answer.read()) == (None, "GET /a HTTP/1.1", BODY)


def test_rate_limit_turns_away_what_is_too_much(proxy: ProxyProcess, client: http.client.HTTPConnection) -> None:
    add(proxy, "http_rate_limit", rate=20, burst=3)
    first = [ask(client)[0] for _ in range(6)]
    assert first[:3] == [200] * 3
    assert first[3:].count(429) >= 2
    time.sleep(0.2)
    assert ask(client)[0] == 200


def test_throttle_lets_the_body_come_slowly(proxy: ProxyProcess, client: http.client.HTTPConnection) -> None:
    add(proxy, "http_throttle", rate=2)
    began = time.monotonic()
    assert ask(client) == (200, BODY)
    assert 0.4 <= time.monotonic() - began < 3
    assert proxy.call("PATCH", f"{TOXICS}/t", {"attributes": {"rate": 0}})[0] == 200
    client.request("GET", "/a")
    answer = client.getresponse()
    remove(proxy)
    assert answer.read() == BODY


def test_a_fault_set_between_requests_meets_the_next_one(
    proxy: ProxyProcess, client: http.client.HTTPConnection
) -> None:
    for _ in range(5):
        add(proxy, "http_abort")
        assert ask(client)[0] == 503
        assert ask(client)[0] == 503
        remove(proxy)
        assert ask(client)[0] == 200


def test_a_fault_set_in_the_middle_of_a_request_leaves_it_alone(proxy: ProxyProcess) -> None:
    head = b"POST /a HTTP/1.1\r\nContent-Length: 60\r\n\r\n"
    before = came(proxy)
    with closing(proxy.connect()) as sock:
        sock.sendall(head)
        assert eventually(lambda: came(proxy) == before + len(head))
        add(proxy, "http_abort")
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n" + b"z" * 42)
        assert sock.recv(15) == b"HTTP/1.1 200 OK", "a body that looks like a request is not one"


@pytest.mark.parametrize("kind", ["http_abort", "http_delay"])
def test_what_is_not_http_passes_unread(kind: str) -> None:
    with dependency() as upstream, proxy_process(upstream) as proxy:
        before = proxy.connect()
        assert talks(before)
        add(proxy, kind, **({"latency": 60_000} if kind == "http_delay" else {}))
        for sock in (before, proxy.connect()):
            assert talks(sock, b"\x00\x00\x00\x08\x04\xd2\x16\x2f")
            assert talks(sock, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
            assert talks(sock, b"ab")


def test_a_server_that_speaks_first_passes_unread() -> None:
    def greet(sock: socket.socket) -> None:
        sock.sendall(b"220 ready\r\n")
        while data := sock.recv(100):
            sock.sendall(data)

    with dependency(greet) as upstream, proxy_process(upstream) as proxy:
        add(proxy, "http_abort")
        sock = proxy.connect()
        assert sock.recv(100) == b"220 ready\r\n"
        assert talks(sock, b"EHLO x\r\n")


def test_an_upgrade_is_passed_on() -> None:
    def switch(sock: socket.socket) -> None:
        while b"\r\n\r\n" not in sock.recv(65536):
            pass
        sock.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n")
        while data := sock.recv(65536):
            sock.sendall(data)

    with dependency(switch) as upstream, proxy_process(upstream) as proxy:
        add(proxy, "http_header", set={"X-New": "1"})
        sock = proxy.connect()
        sock.sendall(b"GET / HTTP/1.1\r\nUpgrade: echo\r\nConnection: upgrade\r\n\r\n")
        assert b"X-New: 1" in sock.recv(65536)
        assert talks(sock, b"GET / HTTP/1.1\r\n\r\nnot a request any more")


def test_a_client_that_asks_on_without_reading_is_not_kept(proxy: ProxyProcess) -> None:
    add(proxy, "http_abort", body="b" * 4000)
    with closing(proxy.connect()) as sock:
        sock.settimeout(20)
        assert eventually(lambda: not _takes(sock, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n" * 500), 30)


def _takes(sock: socket.socket, data: bytes) -> bool:
    try:
        sock.sendall(data)
    except (ConnectionResetError, BrokenPipeError):
        return False
    return True


def test_requests_are_counted(proxy: ProxyProcess, client: http.client.HTTPConnection) -> None:
    before = served(proxy)
    add(proxy, "http_abort", share_of_requests=0)
    assert [ask(client)[0] for _ in range(5)] == [200] * 5
    assert served(proxy) == before + 5
    assert raw_metrics(proxy)[0] == "text/plain; version=0.0.4; charset=utf-8"


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        ("http_abort", {"status": 99}),
        ("http_abort", {"status": "503"}),
        ("http_abort", {"set": {"A": "b\r\nC: d"}}),
        ("http_abort", {"set": {"Content-Length": "1"}}),
        ("http_abort", {"method": "get"}),
        ("http_abort", {"headers": ["a"]}),
        ("http_header", {"remove": ["Transfer-Encoding"]}),
        ("http_header", {"remove": "A"}),
        ("http_header", {"on": "both"}),
        ("http_corrupt", {"share": 2}),
        ("http_delay", {"distribution": "cauchy"}),
    ],
)
def test_nonsense_is_refused(proxy: ProxyProcess, kind: str, attributes: dict[str, Any]) -> None:
    status, answer = proxy.call("POST", TOXICS, {"type": kind, "attributes": attributes})
    assert status == 400, answer
    assert proxy.call("GET", TOXICS)[1] == []
