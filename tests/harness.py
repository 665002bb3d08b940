"""Real runs of small experiments, for tests: a target whose faults are files, a YAML file, and `gameday run` in a child."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.fakes.busy import TRIES, unmeasured, until_measured

ROOT = Path(__file__).parents[1]
INCONCLUSIVE = 3


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def await_true(check: Callable[[], bool], seconds: float, what: str | Callable[[], str]) -> None:
    """Poll until ``check`` holds; fail with ``what`` when it does not within ``seconds``."""
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, f"not within {seconds} s: {what if isinstance(what, str) else what()}"
        time.sleep(0.01)


def switch(folder: Path, name: str = "broken") -> dict[str, Any]:
    """A command fault that is a file: on while it exists."""
    file = str(folder / name)
    return {"run": ["touch", file], "undo": ["rm", "-f", file], "active": ["test", "-e", file]}


@dataclass
class Lab:
    """One folder with a target's switches, an experiment file and its runs."""

    folder: Path
    port: int = field(default_factory=free_port)

    @property
    def switches(self) -> Path:
        return self.folder

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    def document(self) -> dict[str, Any]:
        """An experiment that passes: a fault that the target survives, and objectives it keeps."""
        return {
            "version": 1,
            "title": "The target survives a switch",
            "system": {
                "target": {
                    "run": ["python", "-m", "tests.fakes.target", str(self.port), str(self.folder)],
                    "cwd": str(ROOT),
                    "ready": {"tcp": f"127.0.0.1:{self.port}"},
                },
            },
            "load": {
                "target": f"http://127.0.0.1:{self.port}",
                "rate": "100/s",
                "timeout": "1s",
                "requests": [{"name": "home", "get": "/"}],
            },
            "objectives": {"available": {"expect": "errors < 5%", "recover": {"within": "2s", "hold": "1s"}}},
            "phases": {"warmup": "500ms", "baseline": "2s", "recovery": "4s"},
            "faults": [{"flip": {"do": "command", "with": switch(self.folder, "harmless"), "at": "0s", "for": "2s"}}],
        }

    def write(self, document: Mapping[str, Any] | None = None, **changes: Any) -> Path:
        """Write the experiment file; JSON is YAML."""
        path = self.folder / "experiment.yaml"
        path.write_text(json.dumps({**(document or self.document()), **changes}, indent=1))
        return path

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "gameday", *words]

    def environment(self) -> dict[str, str]:
        state = self.folder / "state"
        return {**os.environ, "GAMEDAY_STATE_DIR": str(state), "PYTHONPATH": str(ROOT)}

    def run(self, path: Path, *words: str, timeout: float = 60) -> Ran:
        """Run to the end."""
        return self.run_verb("run", str(path), "--output", str(self.runs), *words, timeout=timeout)

    def run_verb(self, *words: str, timeout: float = 60) -> Ran:
        """Run any verb to its end."""
        done = subprocess.run(
            self.command(*words),
            capture_output=True,
            text=True,
            timeout=timeout,
            env=self.environment(),
            cwd=self.folder,
            check=False,
        )
        return Ran(self, done.returncode, done.stdout, done.stderr)

    @contextmanager
    def started(self, path: Path, *words: str) -> Generator[subprocess.Popen[bytes]]:
        """Start a run in a session of its own, and end what is left of it."""
        with (self.folder / "out.log").open("wb") as out:
            process = subprocess.Popen(
                self.command("run", str(path), "--output", str(self.runs), *words),
                stdout=out,
                stderr=subprocess.STDOUT,
                env=self.environment(),
                cwd=self.folder,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.wait()

    @contextmanager
    def active(self, path: Path, *words: str, fault: str = "flip") -> Generator[subprocess.Popen[bytes]]:
        """Start a run, as ``started`` does, and wait until its fault is on; again where the machine was too busy to measure a baseline."""
        for _ in range(TRIES):
            with self.started(path, *words) as process:
                await_true(partial(self._on_or_over, process, fault), 20, "a fault that is on, or an end")
                if self.is_on(fault):
                    yield process
                    return
            verdict = self.run_folder / "verdict.json"
            if not verdict.exists() or not unmeasured(json.loads(verdict.read_text())):
                break
            shutil.rmtree(self.run_folder)
        raise AssertionError(f"{fault} was never on: {self.log()}")

    def is_on(self, fault: str) -> bool:
        """Whether a fault of the newest run was proven to be on."""
        return self.happened("active", fault=fault, when="proof", active=True)

    def _on_or_over(self, process: subprocess.Popen[bytes], fault: str) -> bool:
        return self.is_on(fault) or process.poll() is not None

    def measured(self, path: Path, *words: str, timeout: float = 60) -> Ran:
        """Run to the end, as ``run`` does; again where the machine was too busy to measure."""

        before, made = self._folders(), set[Path]()

        def attempt(_: int) -> Ran:
            for folder in made:
                shutil.rmtree(folder)  # as if it had never been
            ran = self.run(path, *words, timeout=timeout)
            made.clear()
            made.update(self._folders() - before)
            return ran

        def busy(ran: Ran) -> bool:
            verdicts = [folder / "verdict.json" for folder in made]
            return ran.code == INCONCLUSIVE and any(
                unmeasured(json.loads(verdict.read_text())) for verdict in verdicts if verdict.exists()
            )

        return until_measured(attempt, busy)

    def _folders(self) -> set[Path]:
        return set(self.runs.iterdir()) if self.runs.exists() else set()

    @property
    def run_folder(self) -> Path:
        """The newest run's folder."""
        return max(self.runs.iterdir(), key=lambda path: path.stat().st_mtime_ns)

    def events(self) -> list[dict[str, Any]]:
        """Whole records of the newest run's journal; empty before there is one."""
        if not self.runs.exists() or not any(self.runs.iterdir()):
            return []
        journal = self.run_folder / "journal.ndjson"
        if not journal.exists():
            return []
        *lines, _ = journal.read_bytes().split(b"\n")
        return [record for line in lines if isinstance(record := _json(line), dict)]

    def happened(self, kind: str, **data: Any) -> bool:
        """Whether such a record is in the newest run's journal."""
        return any(e["kind"] == kind and all(e["data"].get(k) == v for k, v in data.items()) for e in self.events())

    def await_event(self, kind: str, seconds: float = 20, **data: Any) -> None:
        """Wait for such a record."""
        await_true(lambda: self.happened(kind, **data), seconds, lambda: f"{kind} {data}; {self.log()}")

    def log(self) -> str:
        path = self.folder / "out.log"
        return path.read_text(errors="replace")[-3000:] if path.exists() else ""

    def left_over(self) -> list[str]:
        """Command lines of processes that belong to this lab's runs and still live."""
        if not self.runs.exists():
            return []
        marks = [run.name.encode() for run in self.runs.iterdir()] + [str(self.folder).encode()]
        found: list[str] = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                words, environ = (entry / "cmdline").read_bytes(), (entry / "environ").read_bytes()
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if state not in "ZX" and any(mark in words or mark in environ for mark in marks):
                found.append(words.replace(b"\0", b" ").decode(errors="replace"))
        return found


def _json(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


@dataclass
class Ran:
    """A run that has ended."""

    lab: Lab
    code: int
    out: str
    err: str

    @property
    def verdict(self) -> dict[str, Any]:
        """verdict.json of the run."""
        document: dict[str, Any] = json.loads((self.lab.run_folder / "verdict.json").read_text())
        return document

    @property
    def reasons(self) -> list[str]:
        return list(self.verdict["reasons"])

    def kinds(self) -> list[str]:
        return [event["kind"] for event in self.lab.events()]
