"""A fault proxy in front of a real dependency, started as a runner starts it, and a world that knows it."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import uuid
from collections.abc import Callable, Generator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from gameday.model import ProcessRef
from gameday.spi import ProxyRef, World
from gameday.spi.processes import identify

TOKEN = "correct horse"


def echo(sock: socket.socket) -> None:
    """Send back what comes, until its end."""
    while data := sock.recv(65536):
        sock.sendall(data)


@contextmanager
def dependency(serve: Callable[[socket.socket], None] = echo) -> Generator[str]:
    """Serve each connection in a thread; yield the address."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as server:

        def handle(sock: socket.socket) -> None:
            with closing(sock), suppress(OSError):
                serve(sock)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    sock, _ = server.accept()
                    threading.Thread(target=handle, args=(sock,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        with suppress(OSError):
            server.shutdown(socket.SHUT_RDWR)


@dataclass
class ProxyProcess:
    """A running ``python -m gameday.proxy``, whose stdin only we hold."""

    process: subprocess.Popen[bytes]
    ready: dict[str, Any]
    token: str = ""
    opened: list[socket.socket] = field(default_factory=list[socket.socket])

    @property
    def control(self) -> str:
        return str(self.ready["control"])

    def address(self, name: str = "payments") -> tuple[str, int]:
        host, _, port = str(self.ready["listens"][name]).rpartition(":")
        return host, int(port)

    @property
    def ref(self) -> ProcessRef:
        ref = identify(self.process.pid)
        assert ref is not None
        return ref

    def connect(self, name: str = "payments") -> socket.socket:
        """Open a connection through the proxy; it is closed with the fixture."""
        host, port = self.address(name)
        sock = socket.create_connection((host.strip("[]"), port), timeout=5)
        self.opened.append(sock)
        return sock

    def turns_away(self) -> bool:
        """Whether a new connection is accepted only to be reset, perhaps before the client has seen it made."""
        try:
            self.connect().recv(1)
        except ConnectionResetError:
            return True
        return False

    def call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, Any]:
        """Ask the control port; return the status and the JSON of the body."""
        with closing(http.client.HTTPConnection(*self.control_address, timeout=5)) as connection:
            auth = {"Authorization": f"Bearer {self.token}"} if self.token else {}
            payload = None if body is None else json.dumps(body)
            connection.request(method, path, payload, {**auth, **(headers or {})})
            reply = connection.getresponse()
            raw = reply.read()
        return reply.status, json.loads(raw) if raw else None

    @property
    def control_address(self) -> tuple[str, int]:
        host, _, port = self.control.removeprefix("http://").rpartition(":")
        return host, int(port)

    def lose_runner(self) -> None:
        """End of file on its stdin, as when the runner dies."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def say(self, message: Mapping[str, Any]) -> None:
        """Write a line to its stdin."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def world(self, run_id: str = "") -> World:
        """A world that knows each proxy of this process."""
        refs = {
            name: ProxyRef(
                control=self.control,
                name=name,
                token=self.token,
                listen=listen,
                upstream="127.0.0.1:1",
                process=self.ref,
            )
            for name, listen in self.ready["listens"].items()
        }
        return World(run_id=run_id or f"test-{uuid.uuid4().hex[:12]}", proxies=refs)


def start(config: Mapping[str, Any]) -> subprocess.Popen[bytes]:
    """Start a proxy process and give it its configuration; its answer is still to be read."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gameday.proxy"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(os.environ)
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps(config).encode() + b"\n")
    process.stdin.flush()
    return process


@contextmanager
def proxy_process(upstream: str, **config: Any) -> Generator[ProxyProcess]:
    """Run a proxy ``payments`` in front of ``upstream``, or the proxies that ``config`` names; end it by its pid."""
    proxies = config.pop("proxies", [{"name": "payments", "listen": "127.0.0.1:0", "upstream": upstream}])
    process = start({"proxies": proxies, "run": "r1", **config})
    with process:
        assert process.stdout is not None
        proxy = ProxyProcess(
            process=process, ready=json.loads(process.stdout.readline()), token=config.get("token", "")
        )
        try:
            assert proxy.ready.get("ready") is True, proxy.ready
            yield proxy
        finally:
            for sock in proxy.opened:
                sock.close()
            process.kill()


@contextmanager
def borrowed(shared: ProxyProcess) -> Generator[ProxyProcess]:
    """Lend a proxy that several tests share: healed before, its connections closed after."""
    assert shared.call("POST", "/reset")[0] == 204
    yield shared
    for sock in shared.opened:
        sock.close()
    shared.opened.clear()


def talks(sock: socket.socket, data: bytes = b"ping") -> bool:
    """Whether what is sent comes back."""
    sock.sendall(data)
    back = b""
    while len(back) < len(data) and (chunk := sock.recv(len(data) - len(back))):
        back += chunk
    return back == data
