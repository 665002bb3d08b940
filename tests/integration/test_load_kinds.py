"""Every kind of outcome against real sockets: what the system did is what is counted, once for each arrival."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gameday.spi.world import Secrets
from tests.fakes.load_run import profile, run_load, server_stats, stall_server
from tests.fakes.stall_server import SECRET

SELF_SIGNED = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
TO_THIS_HOST = ["-addext", "subjectAltName=IP:127.0.0.1"]
EXPECTED = {
    "fine": "ok",
    "chunked": "ok",
    "until-close": "ok",
    "checked": "ok",
    "headers": "ok",
    "redirect": "ok",
    "head": "ok",
    "expected-404": "ok",
    "private": "ok",
    "404": "http_4xx",
    "503": "http_5xx",
    "503-checked": "http_5xx",
    "unmet": "check",
    "hang": "timeout",
    "trickle": "timeout",
    "reset": "reset",
    "close": "reset",
    "half": "reset",
    "refused": "refused",
    "dns": "dns",
    "tls": "tls",
    "flood": "other",
}


def closed_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def test_every_kind_is_counted_once_and_nothing_is_sent_twice(tmp_path: Path) -> None:
    with stall_server() as address:
        requests: list[dict[str, Any]] = [
            {"name": "fine", "get": "/fine"},
            {"name": "chunked", "get": "/chunked", "check": ["json.ok == 1"]},
            {"name": "until-close", "get": "/eof", "check": ['body contains "ok"']},
            {
                "name": "checked",
                "post": "/buy",
                "json": {"a": 1},
                "check": ['json.items.0.sku == "A1"', "latency < 60s"],
            },
            {"name": "headers", "get": "/fine", "check": ['header.Content-Type == "application/json"']},
            {"name": "redirect", "get": "/redirect"},
            {"name": "head", "head": "/hang-not"},
            {"name": "expected-404", "get": "/status/404", "check": ["status == 404"]},
            {
                "name": "private",
                "get": "/private",
                "headers": {"Authorization": "${token}"},
                "check": ["json.authorized == true"],
            },
            {"name": "404", "get": "/status/404"},
            {"name": "503", "get": "/status/503"},
            {"name": "503-checked", "get": "/status/503", "check": ["status == 200"]},
            {"name": "unmet", "get": "/fine", "check": ["json.ok == false"]},
            {"name": "hang", "get": "/hang"},
            {"name": "trickle", "get": "/trickle"},
            {"name": "reset", "get": "/reset"},
            {"name": "close", "get": "/close"},
            {"name": "half", "get": "/half"},
            {"name": "refused", "get": f"http://127.0.0.1:{closed_port()}/"},
            {"name": "dns", "get": f"http://{'x' * 64}.invalid/"},
            {"name": "tls", "get": f"https://{address}/fine"},
            {"name": "flood", "get": "/flood"},
        ]
        load = profile(f"http://{address}", "80/s", requests, timeout="1500ms", allow_hosts=["127.0.0.1", "*.invalid"])
        heard = run_load(load, 0.9, tmp_path, secrets=Secrets(values={"token": SECRET}))
        stats = server_stats(address)
    counts = heard.counts()
    assert {name: set(kinds) for name, kinds in counts.items()} == {name: {kind} for name, kind in EXPECTED.items()}
    assert heard.rows == heard.bye["offered"] == heard.bye["completed"]
    assert heard.bye["drained"] is True
    for name in ("reset", "close", "half", "hang"):
        assert stats["paths"][f"/{name}"] == sum(counts[name].values()), "a request was repeated behind our back"
    assert "/landed" not in stats["paths"], "a redirect was followed"
    texts = [message["text"] for message in heard.of("log")]
    assert any(text.startswith("refused: refused: ") for text in texts)
    assert any("json.ok == false" in text for text in texts)
    assert SECRET not in json.dumps(heard.messages)
    assert SECRET not in (tmp_path / "load.log").read_text()


def test_a_timeout_is_no_shorter_than_the_limit_and_hardly_longer(tmp_path: Path) -> None:
    with stall_server() as address:
        load = profile(f"http://{address}", "40/s", [{"name": "hang", "get": "/hang"}], timeout="300ms")
        heard = run_load(load, 0.5, tmp_path, limits_us=(300_000, 3_000_000))
    assert set(heard.counts()["hang"]) == {"timeout"}
    assert heard.slower(300_000, "timeout") == heard.bye["offered"]
    assert heard.slower(3_000_000, "timeout") == 0


def test_a_connection_closed_while_idle_is_not_a_failure_of_the_system(tmp_path: Path) -> None:
    with stall_server() as address:
        load = profile(f"http://{address}", "20/s", [{"name": "idle", "get": "/idle"}])
        heard = run_load(load, 1.0, tmp_path)
        stats = server_stats(address)
    assert set(heard.counts()["idle"]) == {"ok"}
    assert stats["paths"]["/idle"] == heard.bye["offered"]


def test_connections_are_used_again(tmp_path: Path) -> None:
    with stall_server() as address:
        heard = run_load(profile(f"http://{address}", "100/s", [{"name": "home", "get": "/"}]), 1.0, tmp_path)
        stats = server_stats(address)
    assert heard.bye["offered"] > 90
    assert stats["connections"] < heard.bye["offered"] / 3


@pytest.mark.parametrize(("verify", "kind"), [(True, "tls"), (False, "ok")])
def test_an_untrusted_certificate_is_a_failure_unless_the_file_says_otherwise(
    tmp_path: Path, *, verify: bool, kind: str
) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [*SELF_SIGNED, *TO_THIS_HOST, "-keyout", str(key), "-out", str(cert)],
        check=True,
        capture_output=True,
    )
    with stall_server("--tls", str(cert), str(key)) as address:
        requests = [{"name": "home", "get": "/", "check": ["json.ok == true"]}]
        heard = run_load(profile(f"https://{address}", "20/s", requests, verify_tls=verify), 1.0, tmp_path)
        connections = server_stats(address, cafile=cert)["connections"]
    assert set(heard.counts()["home"]) == {kind}
    if not verify:
        assert connections < heard.bye["offered"] / 2, "connections with TLS are used again too"
