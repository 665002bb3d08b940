"""A real Prometheus (Debian's) with its own port, folder and configuration, started and stopped by a test."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.harness import await_true, free_port

READY_SECONDS = 20.0


@dataclass
class Prometheus:
    """One server, which scrapes what it is told and evaluates its rules each second."""

    folder: Path
    targets: Mapping[str, str]
    """Job → host:port of what has ``/metrics``; it need not be up."""
    interval: str = "1s"
    rules: str = ""
    """A rule file's text, as YAML."""
    alertmanager: str = ""
    """host:port of an Alertmanager that is told of alerts."""
    web: str = ""
    """A web configuration file's text: TLS and basic authentication."""
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers; https with a ``web`` that says so."""
        return f"{'https' if 'tls_server_config' in self.web else 'http'}://127.0.0.1:{self.port}"

    def configure(self) -> None:
        """Write its files; while it runs, ``reload`` makes it read them again."""
        self.folder.mkdir(parents=True, exist_ok=True)
        document: dict[str, Any] = {
            "global": {
                "scrape_interval": self.interval,
                "scrape_timeout": self.interval,
                "evaluation_interval": self.interval,
            },
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": [target]}]} for job, target in self.targets.items()
            ],
        }
        if self.rules:
            (self.folder / "rules.yml").write_text(self.rules)
            document["rule_files"] = [str(self.folder / "rules.yml")]
        if self.alertmanager:
            document["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [self.alertmanager]}]}]}
        (self.folder / "prometheus.yml").write_text(json.dumps(document, indent=1))
        (self.folder / "web.yml").write_text(self.web)

    def start(self) -> None:
        """Start it, and wait until it answers queries and scrapes its targets, up or down: that begins up to five seconds later."""
        program = shutil.which("prometheus")
        if program is None:
            pytest.skip("no prometheus: apt-get install prometheus")
        self.configure()
        argv = [
            program,
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            f"--web.config.file={self.folder / 'web.yml'}",
            "--web.enable-lifecycle",
            "--log.level=warn",
        ]
        with (self.folder / "prometheus.log").open("ab") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log)
        await_true(self._answers, READY_SECONDS, f"Prometheus answers; see {self.folder / 'prometheus.log'}")
        if not self.web:  # a password or TLS is its test's own business
            await_true(lambda: len(self.query("up")) >= len(self.targets), READY_SECONDS, "every target was tried")

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "prometheus.log").read_text()
        if self.web:
            return bool((self.folder / "prometheus.log").exists()) and _listens(self.port)
        try:
            return self.ask("/-/ready", decode=False) is not None
        except OSError:
            return False

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def reload(self) -> None:
        """Make it read its configuration again."""
        self.configure()
        request = urllib.request.Request(self.url + "/-/reload", method="POST")
        urllib.request.urlopen(request, timeout=5).close()

    def ask(self, path: str, *, decode: bool = True, **query: str) -> Any:
        """Return what its API answers: the parsed JSON, or the bytes."""
        with urllib.request.urlopen(f"{self.url}{path}?{urllib.parse.urlencode(query)}", timeout=5) as answer:
            body = answer.read()
        return json.loads(body) if decode else body

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the result of an instant query: ``[{"metric": {…}, "value": [at, "text"]}, …]``."""
        found: list[dict[str, Any]] = self.ask("/api/v1/query", query=expression)["data"]["result"]
        return found

    def await_scraped(self, expression: str, seconds: float = READY_SECONDS) -> None:
        """Wait until an expression has a result."""
        await_true(lambda: bool(self.query(expression)), seconds, f"Prometheus knows {expression}")


def _listens(port: int) -> bool:
    with socket.socket() as sock:
        sock.settimeout(1)
        return sock.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def prometheus(folder: Path, targets: Mapping[str, str], **options: Any) -> Generator[Prometheus]:
    """Run one for the length of a block."""
    server = Prometheus(folder, targets, **options)
    try:
        server.start()
        yield server
    finally:
        server.stop()
