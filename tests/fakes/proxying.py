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
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeVar

from gameday.model import ProcessRef
from gameday.spi import ProxyRef, World
from gameday.spi.processes import identify

TOKEN = "correct horse"


def echo(sock: socket.socket) -> None:
    """Send back what comes, until its end."""
    while data := sock.recv(65536):
        sock.sendall(data)


def http_server(sock: socket.socket, body: bytes = b"x" * 1000) -> None:
    """Answer each request on a connection with 200, what was asked for in ``X-Asked``, and a body."""
    buffer = b""
    while True:
        while b"\r\n\r\n" not in buffer:
            data = sock.recv(65536)
            if not data:
                return
            buffer += data
        head, _, buffer = buffer.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        while len(buffer) < length:
            buffer += sock.recv(65536)
        buffer = buffer[length:]
        asked = head.split(b"\r\n")[0]
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-Asked: %s\r\n\r\n" % (len(body), asked) + body)


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


@contextmanager
def toxiproxy(proxy: ProxyProcess) -> Generator[str]:
    """Pass on the Toxiproxy part of the API alone, and answer the rest as Toxiproxy does; yield where."""

    class Passing(BaseHTTPRequestHandler):
        def _pass(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, content = 404, b"404 page not found\n"
            if not self.path.startswith("/gameday"):
                body: dict[str, Any] = json.loads(raw) if raw else {}
                known = {key: value for key, value in body.items() if key not in ("lease_ms", "fault")}
                status, found = proxy.call(self.command, self.path, known if raw else None)
                content = b"" if found is None else json.dumps(found).encode()
            self.send_response(status)
            self.end_headers()
            self.wfile.write(content)

        do_GET = _pass  # noqa: N815 - the base class's names
        do_POST = _pass  # noqa: N815
        do_DELETE = _pass  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class calls it
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Passing)) as (_, control):
        yield control


Server = TypeVar("Server", bound=ThreadingHTTPServer)


@contextmanager
def serving(server: Server) -> Generator[tuple[Server, str]]:
    """Run an HTTP server in a thread; yield it and its URL."""
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server, f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def talks(sock: socket.socket, data: bytes = b"ping") -> bool:
    """Whether what is sent comes back."""
    sock.sendall(data)
    back = b""
    while len(back) < len(data) and (chunk := sock.recv(len(data) - len(back))):
        back += chunk
    return back == data
