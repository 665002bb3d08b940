"""A server that speaks Prometheus's query API and lies in every way that a real one can: the way is ``mode``."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from gameday.spi import Source, World
from tests.fakes.flag_server import Handler, State


@dataclass
class Script(State):
    """What it answers."""

    age: float = 0.5
    """Seconds since the newest sample of every selector."""
    series: dict[str, list[dict[str, Any]]] = field(default_factory=dict[str, "list[dict[str, Any]]"])
    """Selector → what a range over it holds."""

    def world(self) -> World:
        source = Source(name="prometheus", kind="prometheus", url=self.url)
        return World(run_id="r", sources={"prometheus": source})


class Scripted(Handler):
    state: Script  # pyright: ignore[reportIncompatibleVariableOverride] - each server has a handler class of its own

    def result(self, kind: str, result: Any, **members: Any) -> None:
        document = {"status": "success", "data": {"resultType": kind, "result": result}, **members}
        self.answer(200, json.dumps(document).encode())

    @property
    def asked(self) -> str:
        return parse_qs(urlsplit(self.path).query)["query"][0]

    def good(self, **members: Any) -> None:
        query, now = self.asked, time.time()
        if query == "time()":
            self.result("scalar", [now, str(now)])
        elif query.endswith("s]"):
            self.result("matrix", self.state.series.get(query.rpartition("[")[0], []), **members)
        elif "timestamp(" in query:
            self.result("vector", [{"metric": {}, "value": [now, str(self.state.age)]}], **members)
        else:
            self.result("vector", [{"metric": {}, "value": [now, str(self.state.depth)]}], **members)

    def lie(self, sample: str | None, *, series: int = 1) -> None:
        """Answer a question about the system with this in place of each sample."""
        if self.asked == "time()":
            self.good()
        elif self.asked.endswith("s]"):
            values = [[time.time() - 2 + at, sample] for at in range(3)]
            self.result("matrix", [{"metric": {"n": str(n)}, "values": values} for n in range(series)])
        else:
            self.result("vector", [{"metric": {"n": str(n)}, "value": [time.time(), sample]} for n in range(series)])

    def nan(self) -> None:
        self.lie("NaN")

    def infinite(self) -> None:
        self.lie("+Inf")

    def text(self) -> None:
        self.lie("three\x07")

    def nothing(self) -> None:
        self.lie(None)

    def empty(self) -> None:
        self.lie("1", series=0)

    def several(self) -> None:
        self.lie("1", series=2)

    def partial(self) -> None:
        self.good(warnings=["a store did not answer"])

    def string(self) -> None:
        self.result("string", [time.time(), "7"])

    def rubbish(self) -> None:
        self.answer(200, b"<html>\x07welcome</html>")

    def truncated(self) -> None:
        self.answer(200, b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"7"')

    def shapeless(self) -> None:
        self.answer(200, b'{"status":"success","data":[{"result":7}]}')

    def refused(self) -> None:
        self.answer(422, b'{"status":"error","errorType":"execution","error":"many-to-many matching"}')

    def unauthorised(self) -> None:
        self.answer(401, b"who are you?")

    def huge(self) -> None:
        self.answer(200, b" " * (16 * 1024 * 1024 + 1))


@contextmanager
def scripted_prometheus() -> Generator[Script]:
    """Serve one for the length of a block."""
    state = Script()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Scripted,), {"state": state}))
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
