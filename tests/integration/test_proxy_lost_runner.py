"""SIGKILL of the runner while a proxy slows traffic down: traffic never stops, and the fault is gone in time."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gameday.model import ProcessRef
from gameday.proxy.address import parse_address
from gameday.spi.driver import EXPIRY_SECONDS
from gameday.spi.processes import alive, await_gone, identify
from tests.fakes.proxying import dependency, http_server, proxy_process
from tests.harness import Lab, await_true, free_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
LATENCY_MS = 400


@dataclass
class Traffic:
    """One client that asks on and on through a proxy, on one connection as long as that holds."""

    seconds: list[float] = field(default_factory=list[float])
    errors: list[str] = field(default_factory=list[str])

    @property
    def slow(self) -> bool:
        return bool(self.seconds) and self.seconds[-1] >= LATENCY_MS / 1000


@contextmanager
def traffic(address: str) -> Generator[Traffic]:
    told, stop = Traffic(), threading.Event()
    to = parse_address(address)

    def ask() -> None:
        with closing(http.client.HTTPConnection(to.host, to.port, timeout=5)) as client:
            while not stop.is_set():
                began = time.monotonic()
                try:
                    client.request("GET", "/")
                    client.getresponse().read()
                except (OSError, http.client.HTTPException) as error:
                    told.errors.append(repr(error))
                    client.close()
                told.seconds.append(time.monotonic() - began)
                time.sleep(0.01)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield told
    finally:
        stop.set()
        thread.join()


def experiment(lab: Lab, proxies: dict[str, Any], target: str) -> Path:
    latency = {"proxy": "dependency", "latency": f"{LATENCY_MS}ms"}
    document = lab.document()
    del document["system"]
    return lab.write(
        document,
        proxies=proxies,
        load={
            "target": f"http://{target}",
            "rate": "60/s",
            "timeout": "5s",
            "requests": [{"name": "home", "get": "/"}],
        },
        faults=[{"slow": {"do": "proxy.latency", "with": latency, "at": "0s", "for": "60s"}}],
        phases={"warmup": "500ms", "baseline": "2s", "recovery": "4s"},
    )


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


@pytest.fixture
def upstream() -> Iterator[str]:
    with dependency(http_server) as upstream:
        yield upstream


def own_proxy(lab: Lab) -> ProcessRef:
    """The proxy process that the run owns."""
    [pid] = [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and _is_proxy_of(entry, str(lab.folder / "state").encode())
    ]
    ref = identify(pid)
    assert ref is not None
    return ref


def _is_proxy_of(entry: Path, mark: bytes) -> bool:
    try:
        return b"gameday.proxy\0" in (entry / "cmdline").read_bytes() and mark in (entry / "environ").read_bytes()
    except OSError:
        return False


def test_an_embedded_proxy_passes_traffic_on_and_is_stopped_by_recover(lab: Lab, upstream: str) -> None:
    listen = f"127.0.0.1:{free_port()}"
    path = experiment(lab, {"dependency": {"listen": listen, "upstream": upstream}}, listen)
    with lab.started(path) as runner:
        lab.await_event("phase", name="fault", seconds=40)
        proxy = own_proxy(lab)
        with traffic(listen) as told:
            await_true(lambda: told.slow, 20, "the fault")
            runner.send_signal(signal.SIGKILL)
            killed = time.monotonic()
            await_true(lambda: not told.slow, 5, "the fault is gone")
            assert time.monotonic() - killed < 5
            asked = len(told.seconds)
            await_true(lambda: len(told.seconds) > asked + 20, 10, "traffic goes on")
            assert not told.errors
            await_true(lambda: lab.happened("reverted", by="watchdog", proven=True), 10, "the watchdog's proof")
            assert alive(proxy), "it sits in the path of traffic"
        assert alive(proxy), "somebody may come back"
        words, env = lab.command("recover", str(lab.run_folder)), lab.environment()
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, env=env, cwd=lab.folder)
        assert done.returncode == 0, done.stdout + done.stderr
        assert await_gone(proxy, 10), "recover stops it, when nobody is connected"


def test_a_proxy_of_nobodys_run_drops_the_fault_when_its_lease_is_over(lab: Lab, upstream: str) -> None:
    """Runner and watchdog are both killed: nobody is left to take it off."""
    with proxy_process(upstream, run="") as proxy:
        listen = str(proxy.ready["listens"]["payments"])
        path = experiment(lab, {"dependency": {"control": proxy.control, "name": "payments"}}, listen)
        with lab.started(path) as runner, traffic(listen) as told:
            lab.await_event("phase", name="fault", seconds=40)
            await_true(lambda: told.slow, 20, "the fault")
            time.sleep(EXPIRY_SECONDS + 2)
            assert told.slow, "the runner renews its lease"
            runner.send_signal(signal.SIGSTOP)
            os.kill(watchdog(lab), signal.SIGKILL)
            runner.send_signal(signal.SIGKILL)
            killed = time.monotonic()
            await_true(lambda: not told.slow, EXPIRY_SECONDS + 3, "the lease ends")
            assert time.monotonic() - killed > 1, "nobody else took it off"
            assert not told.errors
        account = proxy.call("GET", "/gameday/proxies/payments")[1]
        assert account["toxics"] == {}
        assert proxy.process.poll() is None


def watchdog(lab: Lab) -> int:
    [pid] = [event["data"]["pid"] for event in lab.events() if event["kind"] == "watchdog-started"]
    return int(pid)
