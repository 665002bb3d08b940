"""A proxy process ends when it should, never before, and no fault of it outlives its runner."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from gameday.testing import eventually, stays
from tests.fakes.proxying import ProxyProcess, dependency, proxy_process, start, talks
from tests.harness import free_port

TOXICS = "/proxies/payments/toxics"
LATENCY = {"type": "latency", "attributes": {"latency": 50_000}}
DOWN = "/gameday/proxies/payments/down/test"


@pytest.fixture
def upstream() -> Iterator[str]:
    with dependency() as upstream:
        yield upstream


def refused(proxy: ProxyProcess) -> bool:
    try:
        socket.create_connection(proxy.address(), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def test_a_lost_runner_takes_its_faults_along(upstream: str) -> None:
    proxies = [{"name": name, "listen": "127.0.0.1:0", "upstream": upstream} for name in ("payments", "catalog")]
    with proxy_process(upstream, proxies=proxies) as proxy:
        held = proxy.connect("catalog")
        assert talks(held)
        proxy.call("POST", "/proxies/catalog/toxics", LATENCY)
        held.sendall(b"held")
        assert eventually(
            lambda: proxy.call("GET", "/gameday/proxies/catalog")[1]["toxics"]["latency_downstream"]["met"] == 1
        )
        proxy.call("POST", DOWN)
        proxy.lose_runner()
        assert held.recv(4) == b"held"
        assert eventually(lambda: not refused(proxy))
        assert talks(proxy.connect())
        assert proxy.call("GET", "/gameday")[1]["over"] is True


def test_after_a_lost_runner_it_may_only_be_read_and_undone(upstream: str) -> None:
    with proxy_process(upstream) as proxy:
        proxy.lose_runner()
        assert eventually(lambda: proxy.call("GET", "/gameday")[1]["over"] is True)
        for method, path, body in [
            ("POST", TOXICS, LATENCY),
            ("POST", "/proxies/payments", {"enabled": False}),
            ("POST", "/proxies/payments", {"upstream": "127.0.0.1:1"}),
            ("POST", "/proxies", {"name": "x", "upstream": upstream}),
            ("DELETE", "/proxies/payments", None),
            ("POST", DOWN, None),
        ]:
            assert proxy.call(method, path, body) == (409, {"error": "run is over", "status": 409})
        for method, path, body in [
            ("DELETE", f"{TOXICS}/absent", None),
            ("DELETE", DOWN, None),
            ("POST", "/proxies/payments", {"enabled": True}),
            ("POST", "/reset", None),
            ("GET", "/proxies", None),
        ]:
            assert proxy.call(method, path, body)[0] in (200, 204)
        assert talks(proxy.connect())


def test_it_ends_when_nobody_has_talked_for_a_while(upstream: str) -> None:
    with proxy_process(upstream, linger_ms=400) as proxy:
        sock = proxy.connect()
        assert talks(sock)
        proxy.lose_runner()
        assert stays(lambda: proxy.process.poll() is None, 1.0), "it left a client in the lurch"
        sock.close()
        closed = time.monotonic()
        assert proxy.process.wait(10) == 0
        assert time.monotonic() - closed >= 0.35


def test_it_never_ends_while_its_runner_lives(upstream: str) -> None:
    with proxy_process(upstream, linger_ms=0) as proxy:
        assert stays(lambda: proxy.process.poll() is None, 0.5)


@pytest.mark.parametrize("how", ["told", "SIGTERM"])
def test_the_normal_end(upstream: str, how: str) -> None:
    with proxy_process(upstream) as proxy:
        sock = proxy.connect()
        assert talks(sock)
        proxy.call("POST", TOXICS, LATENCY)
        sock.sendall(b"on its way")
        assert eventually(
            lambda: proxy.call("GET", "/gameday/proxies/payments")[1]["toxics"]["latency_downstream"]["met"]
        )
        if how == "told":
            proxy.say({"cmd": "end"})
        else:
            proxy.process.send_signal(signal.SIGTERM)
        assert sock.recv(100) == b"on its way"
        assert proxy.process.wait(10) == 0
        assert refused(proxy)


def test_signals_of_a_terminal_are_the_runners_to_handle(upstream: str) -> None:
    with proxy_process(upstream) as proxy:
        for signum in (signal.SIGINT, signal.SIGHUP):
            proxy.process.send_signal(signum)
        assert stays(lambda: proxy.process.poll() is None)
        assert talks(proxy.connect())


def test_lines_that_are_no_command_change_nothing(upstream: str) -> None:
    with proxy_process(upstream) as proxy:
        assert proxy.process.stdin is not None
        proxy.process.stdin.write(b'\n{"cmd": "nonsense"}\n[1]\n\xff\n{"cmd"')
        proxy.process.stdin.flush()
        assert stays(lambda: proxy.process.poll() is None)
        proxy.process.stdin.write(b': "end"}\n')
        proxy.process.stdin.flush()
        assert proxy.process.wait(10) == 0


def test_a_successor_gets_the_port_while_old_connections_finish(upstream: str) -> None:
    listen = f"127.0.0.1:{free_port()}"
    proxies = [{"name": "payments", "listen": listen, "upstream": upstream}]
    with proxy_process(upstream, proxies=proxies) as old:
        sock = old.connect()
        assert talks(sock)
        old.call("POST", DOWN)
        assert refused(old)
        old.lose_runner()
        assert eventually(lambda: not refused(old))
        sock = old.connect()
        assert talks(sock)
        assert old.call("POST", "/gameday/end")[0] == 202
        with proxy_process(upstream, proxies=proxies) as new:
            assert talks(new.connect())
            assert talks(sock), "the old connection goes on"
            assert old.process.poll() is None
            sock.close()
            assert old.process.wait(10) == 0
            assert talks(new.connect())


def test_a_port_in_use_is_told_and_nothing_is_left(upstream: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        free = f"127.0.0.1:{free_port()}"
        proxies = [
            {"name": "catalog", "listen": free, "upstream": upstream},
            {"name": "payments", "listen": listen, "upstream": upstream},
        ]
        assert _told({"proxies": proxies}) == f"proxy payments: listen tcp {listen}: bind: address already in use"
        assert _told({"control": listen}) == f"control: listen {listen}: Address already in use"
        socket.create_server(("127.0.0.1", int(free.rpartition(":")[2]))).close()


def _told(config: dict[str, object]) -> str:
    with start(config) as process:
        assert process.stdout is not None
        answer = json.loads(process.stdout.readline())
        assert process.wait(10) == 1
    assert set(answer) == {"error"}
    return str(answer["error"])


@pytest.mark.parametrize("text", [b"", b"{}", b"nonsense\n", b'{"control": "0.0.0.0:0"}\n', b'{"proxys": []}\n'])
def test_without_a_configuration_it_does_not_start(text: bytes) -> None:
    done = subprocess.run([sys.executable, "-m", "gameday.proxy"], input=text, capture_output=True, timeout=20)
    assert done.returncode == 1
    assert set(json.loads(done.stdout)) == {"error"}
    assert not done.stderr


def test_no_token_shows_in_its_arguments(upstream: str) -> None:
    with proxy_process(upstream, token="secret-of-a-test") as proxy:
        assert b"secret" not in Path(f"/proc/{proxy.process.pid}/cmdline").read_bytes()


def test_its_end_is_the_end_of_its_connections(upstream: str) -> None:
    """Nothing may linger half open: a client of a proxy that was killed learns of it at once."""
    with proxy_process(upstream) as proxy, closing(proxy.connect()) as sock:
        assert talks(sock)
        proxy.process.kill()
        with suppress(ConnectionResetError):
            assert sock.recv(1) == b""
