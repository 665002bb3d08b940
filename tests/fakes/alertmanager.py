"""A real Alertmanager (Debian's) with its own port and folder, started and stopped by a test."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.harness import await_true, free_port

READY_SECONDS = 20.0


@dataclass
class Alertmanager:
    """One server that tells nobody: its only receiver has no address."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def address(self) -> str:
        """host:port, as Prometheus's configuration has it."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        program = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
        if program is None:
            pytest.skip("no alertmanager: apt-get install prometheus-alertmanager")
        self.folder.mkdir(parents=True, exist_ok=True)
        config = {"route": {"receiver": "nobody", "group_wait": "1s"}, "receivers": [{"name": "nobody"}]}
        (self.folder / "alertmanager.yml").write_text(json.dumps(config))
        argv = [
            program,
            f"--config.file={self.folder / 'alertmanager.yml'}",
            f"--storage.path={self.folder / 'data'}",
            f"--web.listen-address={self.address}",
            "--cluster.listen-address=",
            "--log.level=warn",
        ]
        with (self.folder / "alertmanager.log").open("ab") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log)
        await_true(self._ready, READY_SECONDS, f"Alertmanager is ready; see {self.folder / 'alertmanager.log'}")

    def _ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "alertmanager.log").read_text()
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def post(self, path: str, document: Any) -> Any:
        """Post JSON to its API and return what it answers."""
        request = urllib.request.Request(
            self.url + path, data=json.dumps(document).encode(), headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            body = answer.read()
        return json.loads(body) if body else None


@contextmanager
def alertmanager(folder: Path) -> Generator[Alertmanager]:
    """Run one for the length of a block."""
    server = Alertmanager(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
