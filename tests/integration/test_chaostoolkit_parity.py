"""Experiments run with `chaos run` and with `gameday run`: the same activities in the same order with the same outputs.

Those that name a source are modelled on published ones. Only the verdicts differ, as docs/chaostoolkit.md says.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from gameday.schema.loader import load_experiment
from tests.harness import ROOT, Lab

FILES = sorted(path for path in (ROOT / "tests" / "chaostoolkit").iterdir() if path.suffix in (".json", ".yaml"))
SECRET = "correct-horse-battery"
VERDICTS = {
    "a-rollback-fails": ["action-failed"],
    "an-action-fails": ["action-failed"],
    "deviates": ["broken"],
    "game-day-setup": ["no-data"],
    "http": ["action-failed"],
    "not-steady-before": ["baseline"],
    "probe-fails-before": ["baseline"],
    "processes": ["action-failed"],
    "strategy-after": ["baseline"],
    "strategy-before": ["no-data"],
    "strategy-during": ["baseline"],
}
"""Why ours is no pass; every other one is proven."""


class Service(BaseHTTPRequestHandler):
    """What the experiments talk to."""

    def _answer(self, status: int, body: bytes = b"", kind: str = "text/plain") -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return "Mon, 01 Jan 2024 00:00:00 GMT"

    def do_GET(self) -> None:
        known = {"/health": (b"ok", "text/plain"), "/json": (b'{"state": "up", "n": 3}', "application/json")}
        self._answer(200, *known[self.path]) if self.path in known else self._answer(404)

    def do_POST(self) -> None:
        self._answer(201, b"made")

    def do_DELETE(self) -> None:
        self._answer(204)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nobody reads it."""


@contextmanager
def service() -> Generator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def environment(folder: Path, url: str) -> dict[str, str]:
    folder.mkdir()
    return {
        "CHAOS_FOLDER": str(folder),
        "CHAOS_URL": url,
        "CHAOS_TOKEN": SECRET,
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
    }


def chaos_runs(journals: Path, folder: Path, url: str) -> dict[str, Any]:
    """What `chaos run` makes of each, one after the other in one folder: its journals."""
    env = {**os.environ, **environment(folder, url)}
    chaos = str(Path(sys.executable).with_name("chaos"))
    found: dict[str, Any] = {}
    for path in FILES:
        journal = journals / f"{path.stem}.json"
        words = [chaos, "--no-version-check", "--no-log-file", "run", str(path), "--journal-path", str(journal)]
        done = subprocess.run(words, capture_output=True, env=env, cwd=folder, check=False, timeout=120)
        assert journal.exists(), done.stderr.decode()
        found[path.stem] = json.loads(journal.read_text())
    return found


def gameday_runs(lab: Lab, folder: Path, url: str) -> dict[str, tuple[Any, list[str]]]:
    """What `gameday run` makes of all of them: Chaos Toolkit's own journals, and the reasons of our verdicts."""
    done = subprocess.run(
        lab.command("run", *map(str, FILES), "--output", str(lab.runs), "--format", "json"),
        capture_output=True,
        env={**lab.environment(), **environment(folder, url)},
        cwd=folder,
        check=False,
        timeout=350,
    )
    verdicts = json.loads(done.stdout)
    journals = [json.loads((lab.runs / one["run"] / "chaos-journal.json").read_text()) for one in verdicts]
    return {path.stem: (journal, one["reasons"]) for path, journal, one in zip(FILES, journals, verdicts, strict=True)}


def plain(value: Any, folder: str, url: str) -> Any:
    """Take out of an output what differs between any two runs."""
    text = json.dumps(value, sort_keys=True).replace(folder, "FOLDER").replace(url, "URL")
    return json.loads(re.sub(r"0x[0-9a-f]{6,}|line \d+", "…", text))


def row(run: Any, folder: str, url: str) -> tuple[str, str, str, Any, Any]:
    activity = run["activity"]
    error = str((run.get("exception") or [""])[-1]).strip()
    return (
        activity["type"],
        activity["name"],
        run.get("status", "-"),
        plain(run.get("output"), folder, url),
        plain(error, folder, url),
    )


def outline(journal: Any, folder: Path, url: str) -> dict[str, Any]:
    """Everything that happened, in order, without times."""
    states = journal["steady_states"]
    found: dict[str, Any] = {"status": journal["status"], "deviated": journal["deviated"]}
    for when in ("before", "after"):
        state = states.get(when)
        rows = [row(run, str(folder), url) for run in state["probes"]] if state else []
        found[when] = (state and state["steady_state_met"], rows)
    found["during"] = {
        json.dumps([row(run, str(folder), url) for run in state["probes"]]) for state in states["during"]
    }
    found["method"] = [row(run, str(folder), url) for run in journal["run"]]
    found["rollbacks"] = [row(run, str(folder), url) for run in journal["rollbacks"]]
    return found


def test_there_are_enough_of_them_and_they_are_valid() -> None:
    assert len(FILES) >= 25
    published = [path for path in FILES if "https://github.com/" in path.read_text()]
    assert len(published) >= 10
    assert all(load_experiment(path).chaos for path in FILES)


@pytest.mark.long
@pytest.mark.timeout(400)
def test_the_same_activities_in_the_same_order_with_the_same_outputs(tmp_path: Path) -> None:
    lab, mine, yours = Lab(tmp_path), tmp_path / "ours", tmp_path / "theirs"
    with service() as url, ThreadPoolExecutor(1) as pool:
        theirs = pool.submit(chaos_runs, tmp_path, yours, url)
        ours = gameday_runs(lab, mine, url)
        for name, journal in theirs.result().items():
            assert outline(ours[name][0], mine, url) == outline(journal, yours, url), name
    assert {name: reasons for name, (_, reasons) in ours.items() if reasons != ["proven"]} == VERDICTS
    assert not (mine / "flag").exists(), "every rollback was played"
    assert SECRET not in "".join(path.read_text(errors="replace") for path in lab.runs.rglob("*") if path.is_file())
