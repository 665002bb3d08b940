"""``gameday proxy`` as a program: flags, file, environment, signals, logs and metrics."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gameday.testing import eventually
from tests.fakes.proxying import dependency, talks
from tests.harness import free_port


@dataclass
class Program:
    """A running ``gameday proxy`` and the events it has logged."""

    process: subprocess.Popen[str]
    port: int
    events: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def happened(self, event: str, **details: Any) -> bool:
        return any(
            one["event"] == event and all(one.get(k) == v for k, v in details.items()) for one in list(self.events)
        )

    def call(self, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, str]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)) as connection:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def listen(self, name: str) -> tuple[str, int]:
        host, _, port = json.loads(self.call("GET", f"/proxies/{name}")[1])["listen"].rpartition(":")
        return host, int(port)


@contextmanager
def program(*words: str, **env: str) -> Generator[Program]:
    port = free_port()
    argv = [sys.executable, "-m", "gameday", "proxy", "--port", str(port), *words]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, env={**os.environ, **env}) as process:
        running = Program(process, port)
        threading.Thread(target=_follow, args=(running,), daemon=True).start()
        try:
            assert eventually(lambda: running.happened("ready"), 20), running.events
            yield running
        finally:
            process.kill()


def _follow(running: Program) -> None:
    assert running.process.stderr is not None
    for line in running.process.stderr:
        running.events.append(json.loads(line))


def refused(*words: str, **env: str) -> str:
    """Start it so that it cannot; return what it says, which must be short, and name no internals."""
    argv = [sys.executable, "-m", "gameday", "proxy", *words]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=30, env={**os.environ, **env}, check=False)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.fixture
def upstream() -> Iterator[str]:
    with dependency() as upstream:
        yield upstream


def complains(running: Program, since: int) -> bool:
    """Whether it has logged an error after its first ``since`` events."""
    return any("error" in event for event in running.events[since:])


def works(running: Program, name: str) -> bool:
    with closing(socket.create_connection(running.listen(name), timeout=5)) as sock:
        return talks(sock)


def test_it_starts_from_flags_and_from_a_file(upstream: str, tmp_path: Path) -> None:
    file = tmp_path / "toxiproxy.json"
    file.write_text(
        json.dumps(
            [
                {"name": "redis", "listen": "127.0.0.1:0", "upstream": upstream, "enabled": True},
                {"name": "off", "listen": "127.0.0.1:0", "upstream": upstream, "enabled": False},
            ]
        )
    )
    with program(
        "--config", str(file), "--proxy", f"db=127.0.0.1:0={upstream}", "--proxy", f"any={upstream}"
    ) as running:
        found = json.loads(running.call("GET", "/proxies")[1])
        assert {name: proxy["enabled"] for name, proxy in found.items()} == {
            "any": True,
            "db": True,
            "off": False,
            "redis": True,
        }
        assert all(works(running, name) for name in ("redis", "db", "any"))
        assert running.happened("created", proxy="redis", upstream=upstream)
        assert (
            running.call("POST", "/proxies/redis/toxics", {"type": "latency", "attributes": {"latency": 1}})[0] == 200
        )
        assert eventually(lambda: running.happened("toxic", proxy="redis", name="latency_downstream"))
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(10) == 0
        assert eventually(lambda: running.happened("ending"))


def test_a_terminal_ends_it(upstream: str) -> None:
    with program("--proxy", f"a={upstream}") as running:
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(10) == 0


def test_a_hangup_reads_the_file_again_and_leaves_alone_what_has_not_changed(upstream: str, tmp_path: Path) -> None:
    file = tmp_path / "proxies.json"
    ports = {name: free_port() for name in ("same", "gone", "moved", "new", "off")}

    def entry(name: str, to: str = upstream, **more: Any) -> dict[str, Any]:
        return {"name": name, "listen": f"127.0.0.1:{ports[name]}", "upstream": to, **more}

    file.write_text(json.dumps([entry("same"), entry("gone"), entry("moved", "127.0.0.1:1"), entry("off")]))
    with program("--config", str(file), "--proxy", f"flag={upstream}") as running:
        live = {name: socket.create_connection(("127.0.0.1", ports[name]), timeout=5) for name in ("same", "gone")}
        assert all(talks(sock) for sock in live.values())
        toxic = {"type": "latency", "attributes": {"latency": 1}}
        assert running.call("POST", "/proxies/moved/toxics", toxic)[0] == 200
        file.write_text(json.dumps([entry("same"), entry("moved"), entry("new"), entry("off", enabled=False)]))
        running.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: running.happened("reload", proxies=4)), running.events
        assert talks(live["same"]), "its connections go on"
        with pytest.raises(ConnectionResetError):
            live["gone"].recv(1)
        assert all(works(running, name) for name in ("same", "moved", "new", "flag"))
        found = json.loads(running.call("GET", "/proxies")[1])
        assert set(found) == {"same", "moved", "new", "off", "flag"}
        assert found["off"]["enabled"] is False
        assert len(found["moved"]["toxics"]) == 1, "what somebody has set stays"
        for text in ("nonsense", '[{"name": "x"}]', '[{"name": "x", "upstream": "a:1", "extra": 1}]', "{}"):
            said = partial(complains, running, len(running.events))
            file.write_text(text)
            running.process.send_signal(signal.SIGHUP)
            assert eventually(said)
        assert talks(live["same"])
        assert set(json.loads(running.call("GET", "/proxies")[1])) == set(found)
        for sock in live.values():
            sock.close()


def test_strangers_need_a_token(upstream: str, tmp_path: Path) -> None:
    assert "GAMEDAY_PROXY_TOKEN" in refused("--host", "0.0.0.0")
    file = tmp_path / "token"
    file.write_text("from-a-file\n")
    for words, env, token in (
        (["--host", "0.0.0.0"], {"GAMEDAY_PROXY_TOKEN": "from-the-environment"}, "from-the-environment"),
        (["--token-file", str(file)], {}, "from-a-file"),
    ):
        with program(*words, **env) as running:
            assert running.call("GET", "/proxies")[0] == 401
            assert running.call("GET", "/metrics", token="wrong")[0] == 401
            assert running.call("GET", "/proxies", token=token)[0] == 200
            assert token.encode() not in Path(f"/proc/{running.process.pid}/cmdline").read_bytes()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--proxy", "nonsense"], "write NAME=LISTEN=UPSTREAM"),
        (["--proxy", "a=b=c=d"], "write NAME=LISTEN=UPSTREAM"),
        (["--proxy", "a=127.0.0.1:1x=127.0.0.1:1"], "write HOST:PORT"),
        (["--host", "not a host"], "control"),
        (["--config", "/absent.json"], "does not exist"),
        (["--token-file", os.devnull], "is empty"),
    ],
)
def test_what_is_wrong_is_said(words: list[str], says: str) -> None:
    assert says in refused(*words)


def test_a_port_in_use_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"listen 127.0.0.1:{port}: Address already in use" in refused("--port", str(port))


def test_metrics_can_be_read_by_prometheus(upstream: str) -> None:
    with program("--proxy", f"db={upstream}", "--seed", "7") as running:
        assert works(running, "db")
        toxic = {"name": 'a"b\\c', "type": "latency", "attributes": {"latency": 1}}
        assert running.call("POST", "/proxies/db/toxics", toxic)[0] == 200
        assert works(running, "db")
        text = running.call("GET", "/metrics")[1]
    samples: dict[str, float] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            samples[name] = float(value)
    assert samples['gameday_proxy_accepted_total{proxy="db"}'] == 2
    assert samples['gameday_proxy_bytes_total{proxy="db",stream="upstream"}'] == 8
    assert samples['gameday_proxy_bytes_total{proxy="db",stream="downstream"}'] == 8
    assert samples['gameday_proxy_toxic_met{proxy="db",toxic="a\\"b\\\\c",type="latency"}'] == 1
    helped = {line.split()[2] for line in text.splitlines() if line.startswith("# HELP")}
    assert {name.partition("{")[0] for name in samples} <= helped


def test_the_other_loop_must_be_installed(upstream: str, tmp_path: Path) -> None:
    with program("--proxy", f"db={upstream}", "--loop", "uvloop") as running:
        assert works(running, "db")
        assert running.happened("ready", loop="uvloop")
    (tmp_path / "uvloop.py").write_text("raise ImportError('not here')")
    with program("--proxy", f"db={upstream}", PYTHONPATH=str(tmp_path)) as running:
        assert running.happened("ready", loop="asyncio"), "without it, the other one is taken"
    assert "gameday-runner[uvloop]" in refused("--loop", "uvloop", PYTHONPATH=str(tmp_path))
