"""A small HTTP server that gives recorded replies of an API: what a test lays out for a path, and what was asked of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Recorded:
    reply: Callable[[Call], tuple[int, Any]]
    """Status, and body: bytes as they are, anything else as JSON."""
    login: str = ""
    """The only good Authorization header; empty: none is asked for."""
    silent: bool = False
    location: str = ""
    """Where every request is redirected to."""
    seen: list[Call] = field(default_factory=list["Call"])
    ended: threading.Event = field(default_factory=threading.Event)
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    recorded: Recorded

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's
        pass

    def do_POST(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        recorded, split = self.recorded, urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        query = {name: values[-1] for name, values in parse_qs(split.query).items()}
        call = Call(self.command, split.path, query, dict(self.headers.items()), body)
        recorded.seen.append(call)
        if recorded.silent:
            recorded.ended.wait(30)
            return
        status, answer = recorded.reply(call)
        if recorded.login and call.headers.get("Authorization") != recorded.login:
            status, answer = 401, {"error": "unauthorized"}
        if recorded.location:
            status = 302
        sent = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(sent)))
        if recorded.location:
            self.send_header("Location", recorded.location)
        self.end_headers()
        self.wfile.write(sent)

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except OSError:
            self.close_connection = True


@contextmanager
def recorded_api(reply: Callable[[Call], tuple[int, Any]]) -> Generator[Recorded]:
    recorded = Recorded(reply)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"recorded": recorded}))
    server.daemon_threads = True
    server.block_on_close = False
    recorded.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield recorded
    finally:
        recorded.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
