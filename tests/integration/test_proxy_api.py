"""The control port answers as Toxiproxy does, refuses whom it must, and survives whatever it is sent."""

from __future__ import annotations

import asyncio
import json
import random
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pytest

from gameday.proxy.address import Address
from gameday.proxy.api import Api
from gameday.proxy.control import ControlServer
from gameday.proxy.proxies import Proxies
from gameday.testing import eventually, stays
from tests.fakes.proxying import TOKEN, ProxyProcess, dependency, proxy_process, talks
from tests.harness import free_port

LATENCY = {"type": "latency", "attributes": {"latency": 100}}


@pytest.fixture(scope="module")
def upstream() -> Iterator[str]:
    with dependency() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def shared(upstream: str) -> Iterator[ProxyProcess]:
    with proxy_process(upstream) as proxy:
        yield proxy


@pytest.fixture
def proxy(shared: ProxyProcess) -> ProxyProcess:
    assert shared.call("POST", "/reset")[0] == 204
    return shared


def raw(proxy: ProxyProcess, data: bytes, *, seconds: float = 5) -> bytes:
    """Send bytes to the control port; return all that comes back until it closes."""
    back = b""
    with closing(socket.create_connection(proxy.control_address, timeout=seconds)) as sock, suppress(ConnectionError):
        sock.sendall(data)
        while chunk := sock.recv(65536):
            back += chunk
    return back


def exact(proxy: ProxyProcess, method: str, path: str, body: str = "") -> tuple[int, str]:
    """The status and the very bytes of the body."""
    request = f"{method} {path} HTTP/1.1\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
    head, _, content = raw(proxy, request.encode()).partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), content.decode()


def test_golden_replies(proxy: ProxyProcess, upstream: str) -> None:
    """Order and spelling are Toxiproxy's own, captured from it."""
    made, body = exact(
        proxy, "POST", "/proxies", json.dumps({"name": "g", "listen": "127.0.0.1:0", "upstream": upstream})
    )
    listen = json.loads(body)["listen"]
    assert not listen.endswith(":0")
    whole = f'{{"name":"g","listen":"{listen}","upstream":"{upstream}","enabled":true,"Logger":{{}},"toxics":[%s]}}'
    toxic = (
        '{"attributes":{"latency":100,"jitter":%d},'
        '"name":"latency_downstream","type":"latency","stream":"downstream","toxicity":1}'
    )
    assert (made, body) == (201, whole % "")
    for method, path, sent, status, answer in [
        ("POST", "/proxies", json.dumps({"name": "g", "upstream": upstream}), 409, _error("proxy already exists", 409)),
        ("POST", "/proxies", "{}", 400, _error("missing required field: name", 400)),
        ("POST", "/proxies", '{"name":"h"}', 400, _error("missing required field: upstream", 400)),
        ("GET", "/proxies/g", "", 200, whole % ""),
        ("GET", "/proxies/absent", "", 404, _error("proxy not found", 404)),
        ("GET", "/proxies/g/toxics", "", 200, "[]"),
        ("GET", "/proxies/g/toxics/absent", "", 404, _error("toxic not found", 404)),
        ("POST", "/proxies/g/toxics", json.dumps(LATENCY), 200, toxic % 0),
        ("POST", "/proxies/g/toxics", json.dumps(LATENCY), 409, _error("toxic already exists", 409)),
        ("POST", "/proxies/g/toxics", '{"type":"nonsense"}', 400, _error("invalid toxic type", 400)),
        ("POST", "/proxies/g/toxics", '{"type":"latency","stream":"x"}', 400, _error(STREAM, 400)),
        ("PATCH", "/proxies/g/toxics/latency_downstream", '{"attributes":{"jitter":5}}', 200, toxic % 5),
        ("POST", "/proxies/g/toxics/latency_downstream", '{"attributes":{"latency":100}}', 200, toxic % 5),
        ("GET", "/proxies/g/toxics/latency_downstream", "", 200, toxic % 5),
        ("GET", "/proxies/g/toxics", "", 200, f"[{toxic % 5}]"),
        ("GET", "/proxies/g", "", 200, whole % (toxic % 5)),
        ("DELETE", "/proxies/g/toxics/latency_downstream", "", 204, ""),
        ("DELETE", "/proxies/g/toxics/latency_downstream", "", 404, _error("toxic not found", 404)),
        ("POST", "/proxies/g", '{"enabled":false}', 200, (whole % "").replace("true", "false")),
        ("POST", "/reset", "", 204, ""),
        ("PATCH", "/proxies/g", "{}", 200, whole % ""),
        ("DELETE", "/proxies/g", "", 204, ""),
        ("DELETE", "/proxies/g", "", 404, _error("proxy not found", 404)),
        ("GET", "/version", "", 200, '{"version": "git"}\n'),
    ]:
        assert exact(proxy, method, path, sent) == (status, answer), f"{method} {path} {sent}"


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        ("latency", '"latency":7,"jitter":0'),
        ("bandwidth", '"rate":7'),
        ("slow_close", '"delay":7'),
        ("timeout", '"timeout":7'),
        ("reset_peer", '"timeout":7'),
        ("slicer", '"average_size":7,"size_variation":0,"delay":0'),
        ("limit_data", '"bytes":7'),
    ],
)
def test_each_toxic_is_answered_as_toxiproxy_does(proxy: ProxyProcess, kind: str, attributes: str) -> None:
    """Defaults, order and spelling of its attributes, a float32 share, a stream in capitals, and unknown keys ignored."""
    first = attributes.partition(":")[0]
    sent = f'{{"type":"{kind}","stream":"UPSTREAM","toxicity":0.1,"attributes":{{{first}:7,"other":1}},"more":2}}'
    whole = f'{{"attributes":{{%s}},"name":"{kind}_UPSTREAM","type":"{kind}","stream":"UPSTREAM","toxicity":%s}}'
    path = f"/proxies/payments/toxics/{kind}_UPSTREAM"
    assert exact(proxy, "POST", "/proxies/payments/toxics", sent) == (200, whole % (attributes, "0.1"))
    changed = attributes.replace("7", "8", 1)
    body = f'{{"attributes":{{{first}:8}},"toxicity":0.25}}'
    assert exact(proxy, "PATCH", path, body) == (200, whole % (changed, "0.25"))
    assert exact(proxy, "GET", path) == (200, whole % (changed, "0.25"))
    assert exact(proxy, "DELETE", path) == (204, "")


def test_golden_replies_of_populate(proxy: ProxyProcess, upstream: str) -> None:
    listen = f"127.0.0.1:{free_port()}"
    entry = {"name": "pop", "listen": listen, "upstream": upstream}
    whole = f'{{"name":"pop","listen":"{listen}","upstream":"{upstream}","enabled":true,"Logger":{{}},"toxics":[]}}'
    for sent, status, answer in [
        (json.dumps([entry]), 201, f'{{"proxies":[{whole}]}}'),
        (json.dumps([entry]), 201, f'{{"proxies":[{whole}]}}'),
        ("[]", 201, '{"proxies":null}'),
        ('[{"upstream":"a:1"}]', 400, _populate_error("missing required field: name at proxy 1", 400)),
        (json.dumps([entry, {"name": "x"}]), 400, _populate_error("missing required field: upstream at proxy 2", 400)),
        (json.dumps([entry, entry]), 500, _populate_error('duplicate proxy name "pop"', 500)),
        ("", 400, _populate_error("bad request body: EOF", 400)),
    ]:
        assert exact(proxy, "POST", "/populate", sent) == (status, answer), sent
    with closing(socket.create_connection(("127.0.0.1", int(listen.rpartition(":")[2])), timeout=5)) as sock:
        assert talks(sock)
        assert exact(proxy, "POST", "/populate", json.dumps([entry]))[0] == 201
        assert talks(sock), "a proxy that is as it should be is left alone"
        moved = {**entry, "upstream": "127.0.0.1:1", "enabled": False}
        assert json.loads(exact(proxy, "POST", "/populate", json.dumps([moved]))[1])["proxies"][0]["enabled"] is False
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
    assert proxy.call("DELETE", "/proxies/pop")[0] == 204


def _populate_error(message: str, status: int) -> str:
    return json.dumps({"error": message, "status": status, "proxies": None}, separators=(",", ":"))


def test_what_clients_can_see_beside_the_body(proxy: ProxyProcess) -> None:
    """Go's HTTP library makes plain text of every error, with a line end behind it; and escapes in JSON what HTML would not bear."""
    answer = raw(proxy, b"GET /proxies/absent HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert b"\r\nContent-Type: text/plain; charset=utf-8\r\n" in answer
    assert b"\r\nX-Content-Type-Options: nosniff\r\n" in answer
    assert answer.endswith(b'{"error":"proxy not found","status":404}\n')
    answer = raw(proxy, b"GET /version HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert b"\r\nContent-Type: application/json;charset=utf-8\r\n" in answer
    name = "<é&\u2028>"
    assert proxy.call("POST", "/proxies", {"name": "<é&>", "upstream": "127.0.0.1:1"})[0] == 201
    assert '"name":"\\u003cé\\u0026\\u003e"' in exact(proxy, "GET", "/proxies/%3C%C3%A9%26%3E")[1]
    assert proxy.call("POST", "/proxies", {"name": name, "upstream": "127.0.0.1:1"})[0] == 400
    assert proxy.call("DELETE", "/proxies/%3C%C3%A9%26%3E")[0] == 204


@pytest.mark.parametrize("body", [b"2\r\n{}\r\n0\r\n\r\n", b"1\r\n{\r\n1;x\r\n}\r\n0\r\n\r\n"])
def test_a_body_may_come_in_chunks(proxy: ProxyProcess, body: bytes) -> None:
    """As .NET clients send it."""
    head = b"POST /proxies HTTP/1.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    assert b"missing required field: name" in raw(proxy, head + body)


@pytest.mark.parametrize("body", [b"x\r\n", b"2\r\n{}xx", b"FFFFFFF\r\n", b"-1\r\n"])
def test_chunks_of_nonsense_are_refused(proxy: ProxyProcess, body: bytes) -> None:
    answer = raw(proxy, b"POST /proxies HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
    assert answer.startswith(b"HTTP/1.1 400 ")


STREAM = "stream was invalid, can be either upstream or downstream"


def _error(message: str, status: int) -> str:
    return json.dumps({"error": message, "status": status}, separators=(",", ":")) + "\n"


def test_a_proxy_is_listed_moved_and_removed(proxy: ProxyProcess, upstream: str) -> None:
    proxy.call("POST", "/proxies", {"name": "a/b c", "listen": "localhost:0", "upstream": "127.0.0.1:1"})
    status, moved = proxy.call("POST", "/proxies/a%2Fb%20c", {"upstream": upstream})
    assert (status, moved["upstream"]) == (200, upstream)
    host, _, port = moved["listen"].rpartition(":")
    with closing(socket.create_connection((host, int(port)), timeout=5)) as sock:
        assert talks(sock)
        assert set(proxy.call("GET", "/proxies")[1]) == {"payments", "a/b c"}
        assert proxy.call("POST", "/proxies/a%2Fb%20c", {"listen": "127.0.0.1:0"})[1]["listen"] != moved["listen"]
        with pytest.raises(ConnectionResetError):
            sock.recv(1)
    assert proxy.call("DELETE", "/proxies/a%2Fb%20c")[0] == 204
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)


def test_a_port_in_use_is_told_and_changes_nothing(proxy: ProxyProcess) -> None:
    taken = f"127.0.0.1:{proxy.control_address[1]}"
    for method, path, body in [
        ("POST", "/proxies", {"name": "x", "listen": taken, "upstream": "127.0.0.1:1"}),
        ("POST", "/proxies/payments", {"listen": taken}),
    ]:
        status, answer = proxy.call(method, path, body)
        assert (status, answer["error"]) == (500, f"listen tcp {taken}: bind: address already in use")
    assert set(proxy.call("GET", "/proxies")[1]) == {"payments"}
    assert talks(proxy.connect())


@pytest.mark.parametrize(
    "body",
    [
        {"type": "latency", "attributes": {"latency": -1}},
        {"type": "latency", "attributes": {"latency": 1.5}},
        {"type": "latency", "attributes": {"latency": True}},
        {"type": "latency", "attributes": {"latency": 10**30}},
        {"type": "latency", "attributes": [1]},
        {"type": "latency", "toxicity": 2},
        {"type": "latency", "toxicity": "1"},
        {"type": "latency", "name": 1},
        {"type": "latency", "name": "x" * 1000},
        {"type": "latency", "name": "\ud800"},
        {"type": ["latency"]},
        {"type": "latency", "stream": ["upstream"]},
        [],
    ],
)
def test_a_toxic_of_nonsense_is_refused(proxy: ProxyProcess, body: Any) -> None:
    status, answer = proxy.call("POST", "/proxies/payments/toxics", body)
    assert status == 400, answer
    assert proxy.call("GET", "/proxies/payments/toxics")[1] == []


def test_other_paths_and_methods(proxy: ProxyProcess) -> None:
    assert exact(proxy, "GET", "/nonsense") == (404, "404 page not found\n")
    assert exact(proxy, "PUT", "/proxies") == (405, "")
    assert proxy.call("GET", "/proxies/?x=1")[0] == 200


def test_a_browser_is_turned_away(proxy: ProxyProcess) -> None:
    for headers in ({"User-Agent": "Mozilla/5.0 (X11)"}, {"Origin": "http://evil.example"}):
        given = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        answer = raw(proxy, f"POST /reset HTTP/1.1\r\nConnection: close\r\n{given}\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n")
        assert answer.endswith(b"\r\n\r\nUser agent not allowed\n")
    assert proxy.call("GET", "/proxies/payments/toxics")[1] == []


def test_without_its_token_it_answers_nothing(upstream: str) -> None:
    with proxy_process(upstream, token=TOKEN) as proxy:
        assert proxy.call("GET", "/version")[0] == 200
        for wrong in ("", "Bearer", f"Bearer {TOKEN}x", f"Basic {TOKEN}", f"Bearer {TOKEN[:-1]}", "Bearer \xe9"):
            for method, path in (("GET", "/version"), ("POST", "/reset"), ("POST", "/gameday/end"), ("GET", "/no")):
                assert proxy.call(method, path, headers={"Authorization": wrong})[0] == 401


def test_one_connection_carries_many_requests(proxy: ProxyProcess) -> None:
    request = b"GET /version HTTP/1.1\r\nHost: h\r\n\r\n"
    last = b"GET /version HTTP/1.0\r\n\r\n"
    answers = raw(proxy, request * 300 + last)
    assert answers.count(b'{"version": "git"}') == 301


def test_what_is_too_large_is_refused(proxy: ProxyProcess) -> None:
    assert b" 431 " in raw(proxy, b"GET / HTTP/1.1\r\nX: " + b"a" * 16_400).split(b"\r\n")[0]
    assert b" 413 " in raw(proxy, b"POST /proxies HTTP/1.1\r\nContent-Length: 300000\r\n\r\n")
    assert b" 411 " in raw(proxy, b"POST /proxies HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n")


def test_a_request_that_drips_is_cut_off() -> None:
    async def drip() -> float:
        server = ControlServer(Api(Proxies(run="r")), request_seconds=0.3)
        address = await server.start(Address("127.0.0.1", 0))
        reader, writer = await asyncio.open_connection(address.host, address.port)
        began = asyncio.get_running_loop().time()
        with suppress(ConnectionError):
            while not reader.at_eof():
                writer.write(b"G")
                await writer.drain()
                await asyncio.sleep(0.01)
        writer.close()
        server.close()
        return asyncio.get_running_loop().time() - began

    assert 0.25 <= asyncio.run(asyncio.wait_for(drip(), 20)) < 10


def test_a_connection_that_asks_nothing_is_closed() -> None:
    async def idle() -> bytes:
        server = ControlServer(Api(Proxies(run="r")), request_seconds=20, idle_seconds=0.2)
        address = await server.start(Address("127.0.0.1", 0))
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(b"GET /version HTTP/1.1\r\n\r\n")
        answer = b""
        with suppress(ConnectionError):
            while data := await reader.read(1000):
                answer += data
        writer.close()
        server.close()
        return answer

    assert b"git" in asyncio.run(asyncio.wait_for(idle(), 10))


def test_too_many_connections_leave_room_again(proxy: ProxyProcess) -> None:
    socks = [socket.create_connection(proxy.control_address, timeout=5) for _ in range(200)]
    for sock in socks:
        sock.close()
    assert eventually(lambda: _answers(proxy))


def _answers(proxy: ProxyProcess) -> bool:
    try:
        return proxy.call("GET", "/version")[0] == 200
    except (ConnectionError, OSError):
        return False


def test_a_client_that_takes_no_reply_has_to_wait(proxy: ProxyProcess) -> None:
    requests = b"GET /proxies HTTP/1.1\r\nHost: h\r\n\r\n" * 10_000
    with closing(socket.create_connection(proxy.control_address)) as sock:
        sock.settimeout(0)

        def full() -> bool:
            try:
                sock.send(requests)
            except BlockingIOError:
                return True
            return False

        assert eventually(lambda: stays(full, 2.0), 30), "it goes on answering into nowhere"
    assert _answers(proxy)


def test_seeded_garbage_never_ends_it(proxy: ProxyProcess) -> None:
    """Mutations of whole requests: cut, doubled, bytes swapped in; it answers or closes, and serves on."""
    rng = random.Random(20_261_123)
    seeds = [
        b"POST /proxies/payments/toxics HTTP/1.1\r\nHost: h\r\nContent-Length: 49\r\n\r\n"
        + json.dumps(LATENCY).encode(),
        b"PATCH /proxies/payments HTTP/1.1\r\nContent-Length: 16\r\n\r\n" + b'{"enabled":true}',
        b"DELETE /gameday/proxies/payments/down/x HTTP/1.1\r\nAuthorization: Bearer x\r\n\r\n",
        b"POST /populate HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n",
        b'POST /proxies/payments/toxics HTTP/1.1\r\nContent-Length: 46\r\n\r\n{"type":"http_abort","attributes":{"status":5}}',
        b"POST /gameday/proxies/payments/toxics/x/lease HTTP/1.1\r\nContent-Length: 14\r\n\r\n" + b'{"lease_ms":1}',
        b"GET /proxies HTTP/1.1\r\nUser-Agent: t\r\nConnection: keep-alive\r\n\r\n",
    ]
    for _ in range(400):
        data = bytearray(rng.choice(seeds))
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(len(data) + 1)
            match rng.randrange(4):
                case 0:
                    data[at : at + rng.randint(1, 9)] = b""
                case 1:
                    data[at:at] = rng.randbytes(rng.randint(1, 9))
                case 2:
                    data[at:at] = rng.choice([b"\r\n", b"\r\n\r\n", b"\0", b"{", b"[" * 500, b"%", b"9" * 40, b"/"])
                case _:
                    data += data[:at]
        with closing(socket.create_connection(proxy.control_address, timeout=5)) as sock, suppress(ConnectionError):
            sock.sendall(bytes(data))
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass
    assert proxy.process.poll() is None
    assert proxy.call("POST", "/reset")[0] == 204
    assert talks(proxy.connect())
