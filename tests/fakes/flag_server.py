"""A small HTTP server with a fault of its own and a number: POST /fault turns it on, DELETE turns it off, GET /fault says so.

GET /depth answers JSON with a number, GET /plain the number alone. Requests are served side by side, and POST takes a moment
before it acts: a client that is cut off there has still turned the fault on.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Seen = tuple[str, str, dict[str, str], bytes]
"""Method, path, headers and body of a request."""


@dataclass
class State:
    on: bool = False
    depth: float = 3
    delay: float = 0.08
    mode: str = "good"
    """``good``, ``silent``, ``drip``, ``rubbish``, ``broken``, ``huge``; ``away``, ``moved``, ``loop`` redirect."""
    seen: list[Seen] = field(default_factory=list["Seen"])
    ended: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Handler(BaseHTTPRequestHandler):
    state: State

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's
        pass

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True

    def begin(self) -> bytes:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.state.seen.append((self.command, self.path, dict(self.headers.items()), body))
        return body

    def do_POST(self) -> None:
        self.begin()
        time.sleep(self.state.delay)
        self.state.on = True
        self.answer(201)

    def do_DELETE(self) -> None:
        self.begin()
        was, self.state.on = self.state.on, False
        self.answer(204 if was else 404)

    def do_GET(self) -> None:
        self.begin()
        if self.path == "/fault":
            self.answer(200 if self.state.on else 404)
        else:
            getattr(self, self.state.mode)()

    def good(self) -> None:
        if self.path == "/plain":
            self.answer(200, f" {self.state.depth}\n".encode())
        else:
            self.answer(200, json.dumps({"queues": [{"depth": self.state.depth, "name": "jobs"}]}).encode())

    def silent(self) -> None:
        self.state.ended.wait(30)

    def drip(self) -> None:
        """One byte of an endless header at a time: each arrives well within any time-out of a socket."""
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        while not self.state.ended.wait(0.05):
            self.wfile.write(b"x")
            self.wfile.flush()

    def rubbish(self) -> None:
        self.answer(200, b'{"queues": [{"depth": "three\x07"}]}')

    def broken(self) -> None:
        self.answer(503, b"7")

    def huge(self) -> None:
        self.answer(200, b" " * (1024 * 1024 + 1))

    def away(self) -> None:
        self.answer(302, Location=f"http://localhost:{self.state.port}/depth")

    def moved(self) -> None:
        if self.path == "/new":
            self.good()
        else:
            self.answer(301, Location="/new")

    def loop(self) -> None:
        self.answer(302, Location="/again")


@contextmanager
def flag_server() -> Generator[State]:
    state = State()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"state": state}))
    server.daemon_threads = True
    server.block_on_close = False
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield state
    finally:
        state.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
