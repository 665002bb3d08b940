"""The embedded shop as real processes on free ports, for tests."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DEADLINE = 15.0
SAMPLE = re.compile(r"([a-z_]+)(\{[^}]*\})? (\S+)")


@dataclass
class Part:
    """One process of the shop."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: object = None) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def checkout(self) -> int:
        return self.ask("POST", "/checkout", {"sku": "A1"})[0]

    def metrics(self) -> dict[str, float]:
        """Every sample of ``/metrics``; a line that is not Prometheus text fails the test."""
        samples: dict[str, float] = {}
        for line in self.ask("GET", "/metrics")[1].decode().splitlines():
            if not line.startswith("#"):
                match = SAMPLE.fullmatch(line)
                assert match is not None, line
                samples[match[1] + (match[2] or "")] = float(match[3])
        return samples


@dataclass
class Shop:
    """Starts parts on free ports and ends those it started."""

    folder: Path
    parts: list[Part] = field(default_factory=list[Part])

    def start(self, name: str, *arguments: str, port: int = 0) -> Part:
        log = self.folder / f"{name}-{len(self.parts)}.log"
        argv = [sys.executable, "-m", f"gameday.shop.{name}", "--port", str(port), *arguments]
        with log.open("wb") as stderr:
            process = subprocess.Popen(argv, stderr=stderr, stdin=subprocess.DEVNULL)
        part = Part(process, 0, log)
        self.parts.append(part)
        until(lambda: '"listening"' in log.read_text() or process.poll() is not None)
        part.port = int(json.loads(log.read_text().splitlines()[0])["port"])
        return part

    def open(self, *switches: str, worker: tuple[str, ...] = ()) -> tuple[Part, Part, Part, Part]:
        """Front with ``switches``, catalog, payments and worker."""
        catalog, payments = self.start("catalog"), self.start("payments")
        pays_later = self.start("worker", "--payments", payments.url, "--payments-timeout", "500ms", *worker)
        links = ("--catalog", catalog.url, "--payments", payments.url, "--worker", pays_later.url)
        return self.start("front", *links, *switches), catalog, payments, pays_later

    def close(self) -> None:
        for part in self.parts:
            part.process.kill()
            part.process.wait()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.01)


def kill(part: Part) -> None:
    part.process.kill()
    part.process.wait()


def gauges(part: Part) -> dict[str, Any]:
    """What a probe reads."""
    found: dict[str, Any] = json.loads(part.ask("GET", "/gauges")[1])
    return found
