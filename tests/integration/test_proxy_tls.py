"""A proxy that terminates TLS: its certificates, swapped live, and what careful clients make of them."""

from __future__ import annotations

import json
import socket
import ssl
import stat
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gameday.proxy.tls import Authority, TlsError
from gameday.testing import eventually
from tests.fakes.proxying import ProxyProcess, borrowed, dependency, http_server, proxy_process, start, talks

TOXICS = "/proxies/payments/toxics"
REASONS = {
    "expired": "certificate has expired",
    "not_yet_valid": "certificate is not yet valid",
    "other_name": "Hostname mismatch",
    "untrusted": "unable to get local issuer certificate",
}


def described(to: str, **tls: Any) -> list[dict[str, Any]]:
    return [{"name": "payments", "listen": "127.0.0.1:0", "upstream": to, "tls": {"names": ["localhost"], **tls}}]


@pytest.fixture(scope="module", params=["asyncio", "uvloop"])
def shared(request: pytest.FixtureRequest) -> Iterator[ProxyProcess]:
    with (
        dependency() as upstream,
        proxy_process(upstream, proxies=described(upstream), loop=request.param) as proxy,
    ):
        yield proxy


@pytest.fixture
def proxy(shared: ProxyProcess) -> Iterator[ProxyProcess]:
    with borrowed(shared) as proxy:
        yield proxy


def trust(proxy: ProxyProcess) -> ssl.SSLContext:
    pem = proxy.call("GET", "/gameday/proxies/payments")[1]["tls"]["ca"]
    return ssl.create_default_context(cadata=pem)


def secure(proxy: ProxyProcess, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
    sock = (context or trust(proxy)).wrap_socket(proxy.connect(), server_hostname="localhost")
    proxy.opened.append(sock)
    return sock


def was_reset(sock: ssl.SSLSocket) -> bool:
    """Whether the connection below TLS is reset, which the TLS layer of the standard library shows as its end."""
    try:
        socket.socket.recv(sock, 100)
    except ConnectionResetError:
        return True
    return False


def test_bytes_pass_and_the_ends_of_both_sides(proxy: ProxyProcess) -> None:
    sock = secure(proxy)
    assert talks(sock, b"x" * 500_000)
    sock.unwrap()
    assert eventually(lambda: proxy.call("GET", "/gameday/proxies/payments")[1]["connections"] == 0)


@pytest.mark.parametrize("certificate", REASONS)
def test_a_careful_client_refuses_the_bad_certificate(proxy: ProxyProcess, certificate: str) -> None:
    before, context = secure(proxy), trust(proxy)
    assert talks(before)
    body = {"name": "t", "type": "tls_certificate", "attributes": {"certificate": certificate}}
    assert proxy.call("POST", TOXICS, body)[0] == 200
    with pytest.raises(ssl.SSLCertVerificationError, match=REASONS[certificate]):
        secure(proxy, context)
    assert talks(before), "a connection that is open goes on"
    counted = proxy.call("GET", "/gameday/proxies/payments")[1]["toxics"]["t"]
    assert (counted["met"], counted["chunks"]) == (1, 1)
    assert proxy.call("DELETE", f"{TOXICS}/t")[0] == 204
    assert talks(secure(proxy, context)), "a session that was kept does not matter"


def test_http_faults_work_inside(proxy: ProxyProcess) -> None:
    assert proxy.call("POST", TOXICS, {"type": "http_abort", "attributes": {"status": 418}})[0] == 200
    sock = secure(proxy)
    sock.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    assert sock.recv(100).startswith(b"HTTP/1.1 418 ")


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [
        ("latency", {"latency": 50}),
        ("limit_data", {"bytes": 2}),
        ("reset_after", {"bytes": 2}),
        ("slow_close", {"delay": 50}),
    ],
)
def test_toxics_on_bytes_work_inside(proxy: ProxyProcess, kind: str, attributes: dict[str, int]) -> None:
    assert proxy.call("POST", TOXICS, {"type": kind, "attributes": attributes})[0] == 200
    sock = secure(proxy)
    sock.sendall(b"ab")
    if kind == "reset_after":
        assert eventually(lambda: was_reset(sock))
    else:
        assert sock.recv(2) == b"ab"
        if kind == "limit_data":
            assert sock.recv(2) == b""


def test_down_and_its_probe_work_with_tls(proxy: ProxyProcess) -> None:
    live = secure(proxy)
    assert talks(live)
    assert proxy.call("POST", "/gameday/proxies/payments/down/x")[0] == 200
    assert was_reset(live)
    with pytest.raises(ConnectionRefusedError):
        proxy.connect()


def test_whoever_does_not_speak_tls_is_counted(proxy: ProxyProcess) -> None:
    proxy.connect().sendall(b"GET / HTTP/1.1\r\n\r\n")
    assert eventually(lambda: 'bad_handshakes_total{proxy="payments"} 0' not in _metrics(proxy))


def _metrics(proxy: ProxyProcess) -> str:
    with closing(socket.create_connection(proxy.control_address, timeout=5)) as sock:
        sock.sendall(b"GET /metrics HTTP/1.1\r\nConnection: close\r\n\r\n")
        data = b""
        while chunk := sock.recv(65536):
            data += chunk
    return data.decode()


def test_the_dependency_may_speak_tls_too(tmp_path: Path) -> None:
    """Two proxies in a row: the second is the first one's TLS dependency."""
    ca = tmp_path / "ca.pem"
    with dependency(http_server) as plain, proxy_process(plain, proxies=described(plain, ca_file=str(ca))) as inner:
        port = inner.address()[1]
        outer = described(f"localhost:{port}", upstream=True, upstream_ca=str(ca))
        with proxy_process("", proxies=outer) as proxy:
            sock = secure(proxy)
            sock.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            assert sock.recv(100).startswith(b"HTTP/1.1 200 ")
            body = {"type": "tls_certificate", "attributes": {"certificate": "expired"}}
            assert inner.call("POST", TOXICS, body)[0] == 200
            refused = secure(proxy)
            assert eventually(lambda: was_reset(refused))


def test_the_authority_is_written_and_taken_away(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    with dependency() as upstream, proxy_process(upstream, proxies=described(upstream, ca_file=str(ca))) as proxy:
        context = ssl.create_default_context(cafile=str(ca))
        assert stat.S_IMODE(ca.stat().st_mode) & 0o022 == 0
        assert talks(secure(proxy, context))
        proxy.say({"cmd": "end"})
        assert proxy.process.wait(10) == 0
        assert not ca.exists()


def test_an_authority_of_ones_own_signs(tmp_path: Path) -> None:
    own = Authority.new("a company's own")
    (tmp_path / "ca.pem").write_text(own.pem)
    (tmp_path / "ca.key").write_bytes(own.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    files = {"ca_cert": str(tmp_path / "ca.pem"), "ca_key": str(tmp_path / "ca.key")}
    with dependency() as upstream, proxy_process(upstream, proxies=described(upstream, **files)) as proxy:
        assert talks(secure(proxy, ssl.create_default_context(cafile=files["ca_cert"])))


@pytest.mark.parametrize(
    ("tls", "says"),
    [
        ({"names": []}, "tls.names is a list"),
        ({"names": ["h"], "nmaes": 1}, "unknown key 'nmaes'"),
        ({"names": ["h"], "ca_cert": "x"}, "given together"),
        ({"names": ["h"], "ca_cert": "/absent", "ca_key": "/absent"}, "cannot read the authority"),
        ({"names": ["h"], "ca_file": "/absent/ca.pem"}, "cannot write /absent/ca.pem"),
        ({"names": ["h"], "upstream": True, "upstream_ca": "/absent"}, "cannot read the authorities"),
        ([], "tls is an object"),
    ],
)
def test_what_cannot_be_done_is_told(tls: object, says: str) -> None:
    proxies = [{"name": "p", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:1", "tls": tls}]
    with start({"proxies": proxies}) as process:
        assert process.stdout is not None
        answer = json.loads(process.stdout.readline())
        assert process.wait(10) == 1
    assert says in answer["error"]


def test_without_the_extra_it_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(TlsError, match=r"gameday-runner\[tls\]"):
        Authority.new("x")


def test_a_proxy_without_tls_refuses_the_toxic() -> None:
    with dependency() as upstream, proxy_process(upstream) as proxy:
        status, answer = proxy.call("POST", TOXICS, {"type": "tls_certificate"})
        assert (status, answer["error"]) == (400, "this proxy does not terminate TLS")
