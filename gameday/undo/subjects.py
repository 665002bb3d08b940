"""What the self-test breaks: for each driver something real of its own, and how to look at it without the driver.

A driver without a subject here is named as not tested: what it would break is not ours to make.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from gameday.model import ProcessRef
from gameday.spi import ProxyRef, World
from gameday.spi.processes import identify, marked, reap, send, start_process, state
from gameday.spi.world import ProcessSpec

_SLEEP = ("sleep", "600")
PROXY_PARAMS: Mapping[str, Mapping[str, Any]] = {
    "proxy.latency": {"latency": "50ms"},
    "proxy.bandwidth": {"rate": 10},
    "proxy.slow-close": {"delay": "50ms"},
    "proxy.reset-after": {"bytes": 10},
    "proxy.limit-data": {"bytes": 10},
    "proxy.slicer": {"size": 10},
    "proxy.http-delay": {"latency": "50ms"},
    "proxy.http-header": {"remove": ["ETag"]},
    "proxy.http-rate-limit": {"rate": 5},
    "proxy.http-throttle": {"rate": 3},
}
"""What a fault of a proxy must be told beside the proxy; one that is not here needs nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One thing to break, once."""

    driver: str
    params: Mapping[str, Any]
    world: World
    residue: Callable[[], str] = field(repr=False)
    """Say what is left of the fault, looked at without its driver; empty when nothing is."""


Maker = Callable[[Path, str], AbstractContextManager[Subject]]
"""Make a subject in a folder of its own, for a run of that name; it is ended with the context."""


@contextmanager
def command(folder: Path, run_id: str) -> Generator[Subject]:
    """Yield a command whose effect is a file, and takes a moment to come."""
    flag = folder / "flag"
    params = {
        "run": ["sh", "-c", 'sleep 0.04; : > "$0"; sleep 0.04', str(flag)],
        "undo": ["rm", "-f", str(flag)],
        "active": ["test", "-e", str(flag)],
    }
    yield Subject(
        driver="command",
        params=params,
        world=World(run_id=run_id),
        residue=lambda: f"{flag} is there" if flag.exists() else "",
    )


@contextmanager
def pause(folder: Path, run_id: str) -> Generator[Subject]:
    """Yield a process of our own, known by its pidfile: nothing but the undo resumes it."""
    with subprocess.Popen(  # noqa: S603 - our own argv
        _SLEEP, stdin=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            ref = identify(process.pid)
            (folder / "pid").write_text(f"{process.pid}\n", encoding="ascii")
            yield Subject(
                driver="process.pause",
                params={"pidfile": str(folder / "pid")},
                world=World(run_id=run_id),
                residue=lambda: _paused(ref),
            )
        finally:
            process.kill()


def _paused(ref: ProcessRef | None) -> str:
    found = None if ref is None else state(ref)
    if found is None:
        return "the process has died"
    return "the process is stopped" if found in "Tt" else ""


@contextmanager
def stop(folder: Path, run_id: str) -> Generator[Subject]:
    """Yield a process under ``system:``; after a lost run nothing of it may be left, started again or not."""
    spec = ProcessSpec(name="victim", argv=_SLEEP, log=str(folder / "victim.log"))
    world = World(run_id=run_id, system={"victim": spec})
    ref = start_process(spec, run_id, world.secrets)
    try:
        yield Subject(
            driver="process.stop", params={"process": "victim"}, world=world, residue=lambda: _left(run_id, ref)
        )
    finally:
        for _, left in marked(run_id, leaders=False):
            with suppress(OSError):
                send(left, signal.SIGKILL)
        reap(ref)


def _left(run_id: str, ref: ProcessRef) -> str:
    reap(ref)
    left = marked(run_id, leaders=False)
    return f"{len(left)} processes of system: are left" if left else ""


@contextmanager
def http(folder: Path, run_id: str) -> Generator[Subject]:
    """Yield a switch behind an HTTP endpoint of our own."""
    del folder
    switch = {"on": False}

    class Switch(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Keep quiet."""

        def _answer(self, *, on: bool | None = None) -> None:
            if on is not None:
                switch["on"] = on
            self.send_response(200)
            body = json.dumps(switch).encode()
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(body)

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer(on=True)

        def do_DELETE(self) -> None:
            self._answer(on=False)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Switch)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/switch"
    params = {
        "inject": {"post": url},
        "undo": {"delete": url},
        "active": {"get": url, "check": ["json.on == true"]},
    }
    try:
        yield Subject(
            driver="http",
            params=params,
            world=World(run_id=run_id),
            residue=lambda: "the switch is on" if switch["on"] else "",
        )
    finally:
        server.shutdown()
        server.server_close()


def proxy(driver: str) -> Maker:
    """Return the maker of a fault proxy of our own, which outlives the run as one that runs elsewhere does."""

    @contextmanager
    def make(folder: Path, run_id: str) -> Generator[Subject]:
        entry = {"name": "p", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:9"}
        tls = {"tls": {"names": ["127.0.0.1"]}} if driver.startswith("proxy.tls-") else {}
        config = {"proxies": [{**entry, **tls}], "run": run_id}
        with (folder / "proxy.log").open("wb") as log, _proxy_process(config, log) as (process, ready):
            ref = identify(process.pid)
            listen = str(ready["listens"]["p"])
            there = ProxyRef(control=str(ready["control"]), name="p", listen=listen, process=ref)
            yield Subject(
                driver=driver,
                params={"proxy": "p", **PROXY_PARAMS.get(driver, {})},
                world=World(run_id=run_id, proxies={"p": there}),
                residue=lambda: _set(there),
            )

    return make


@contextmanager
def _proxy_process(config: Mapping[str, Any], log: Any) -> Generator[tuple[subprocess.Popen[bytes], Mapping[str, Any]]]:
    with subprocess.Popen(
        [sys.executable, "-m", "gameday.proxy"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
    ) as process:
        try:
            assert process.stdin is not None  # noqa: S101 - asked for above
            assert process.stdout is not None  # noqa: S101 - asked for above
            process.stdin.write(json.dumps(config).encode() + b"\n")
            process.stdin.flush()
            yield process, json.loads(process.stdout.readline())
        finally:
            process.kill()


def _set(entry: ProxyRef) -> str:
    """Ask the proxy itself what is set on it."""
    from urllib.request import ProxyHandler, build_opener  # noqa: PLC0415 - heavy, and only here

    with build_opener(ProxyHandler({})).open(f"{entry.control}/gameday/proxies/{entry.name}", timeout=5) as reply:
        said = json.loads(reply.read(65536))
    found = [*said.get("down", {}), *said.get("toxics", {})]
    return f"still set on the proxy: {', '.join(found)}" if found else ""


def maker_of(driver: str) -> Maker | None:
    """Return who makes what this driver breaks; None when nobody here can."""
    known: dict[str, Maker] = {"command": command, "process.pause": pause, "process.stop": stop, "http": http}
    return proxy(driver) if driver.startswith("proxy.") else known.get(driver)
