"""The APIs of a Prometheus and an Alertmanager as far as alerts need them, with every way of not answering."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Json = dict[str, Any]


def stamp(wall: float) -> str:
    """A time as both APIs write it."""
    return datetime.fromtimestamp(wall, UTC).isoformat().replace("+00:00", "Z")


@dataclass
class State:
    mode: str = "good"
    """``good``, ``silent``, ``500``, ``400``, ``moved``, ``cut``, ``rubbish``, ``list``, ``failed``, ``huge``."""
    rules: list[Json] = field(default_factory=list[Json])
    alerts: list[Json] = field(default_factory=list[Json])
    matrix: dict[str, list[Json]] = field(default_factory=dict[str, list[Json]])
    """Beginning of a query → its series."""
    seen: list[tuple[str, dict[str, str], str]] = field(default_factory=list[tuple[str, dict[str, str], str]])
    """Path, query and Authorization of each request."""
    ended: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def rule(self, name: str = "Burn", **changes: Any) -> Json:
        """Add an alerting rule that is evaluated, and silent."""
        made: Json = {
            "type": "alerting", "name": name, "query": "up == 0", "duration": 0, "labels": {}, "alerts": [],
            "health": "ok", "lastError": "", "lastEvaluation": stamp(time.time()), "state": "inactive", **changes,
        }  # fmt: skip
        self.rules.append(made)
        return made


class Handler(BaseHTTPRequestHandler):
    state: State

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's
        pass

    def do_GET(self) -> None:
        split = urlsplit(self.path)
        query = dict(parse_qsl(split.query))
        self.state.seen.append((split.path, query, self.headers.get("Authorization", "")))
        try:
            self.reply(split.path, query)
        except OSError:
            self.close_connection = True

    def reply(self, path: str, query: dict[str, str]) -> None:
        match self.state.mode:
            case "silent":
                self.state.ended.wait(20)
            case "500":
                self.send(503, b"upstream is gone")
            case "400":
                self.send(400, b'{"status":"error","error":"bad_data"}')
            case "moved":
                self.send_response(302)
                self.send_header("Location", "http://127.0.0.1:1/elsewhere")
                self.end_headers()
            case "cut":
                body = json.dumps(self.good(path, query)).encode()
                self.send(200, body[: len(body) // 2])
            case "rubbish":
                self.send(200, b"<html>login</html>")
            case "list":
                self.send(200, b'{"status":"success","data":[1]}' if "v1" in path else b'{"alerts":[]}')
            case "failed":
                self.send(200, b'{"status":"error","error":"out of memory"}')
            case "huge":
                self.send(200, b"[" + b"1," * (9 * 1024 * 1024) + b"1]")
            case _:
                self.send(200, json.dumps(self.good(path, query)).encode())

    def send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def good(self, path: str, query: dict[str, str]) -> Any:
        state = self.state
        if path.endswith("/api/v2/alerts"):
            return state.alerts
        if path.endswith("/api/v1/rules"):
            data: Any = {"groups": [{"name": "g", "interval": 1, "rules": state.rules}]}
        elif path.endswith("/api/v1/targets"):
            data = {"activeTargets": [{"scrapeInterval": "15s"}, {"scrapeInterval": "15s"}, {"scrapeInterval": "5s"}]}
        elif query["query"] == "time()":
            data = {"resultType": "scalar", "result": [time.time(), str(time.time())]}
        else:
            nothing: list[Json] = []
            found = next((rows for begin, rows in state.matrix.items() if query["query"].startswith(begin)), nothing)
            data = {"resultType": "matrix", "result": found}
        return {"status": "success", "data": data}


@contextmanager
def alert_api() -> Generator[State]:
    """Serve until the block ends."""
    state = State()
    handler = type("Bound", (Handler,), {"state": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    state.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield state
    finally:
        state.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
