"""Locust's own master and workers over loopback: started by hand, lost, plain, or not there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from gameday.load import generator
from gameday.load.generator import LoadChild
from gameday.schema.experiment import LoadProfile
from gameday.spi.errors import LoadError
from tests.fakes.load_run import EVERYTHING, run_load, stall_server
from tests.harness import Lab, await_true, free_port

ROOT = Path(__file__).parents[2]
OURS, PLAIN = ("gameday.load.worker",), ("locust", "--worker")
Worker = subprocess.Popen[bytes]


@contextmanager
def workers(port: int, folder: Path, *kinds: tuple[str, ...], locustfile: Path = EVERYTHING) -> Generator[list[Worker]]:
    """Start workers as a person would; end them in the end."""
    with (folder / "workers.log").open("ab") as log:
        started = [
            subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    *kind,
                    "-f",
                    str(locustfile),
                    "--master-host",
                    "127.0.0.1",
                    "--master-port",
                    str(port),
                ],
                stdout=log,
                stderr=log,
                cwd=folder,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )
            for kind in kinds
        ]
    try:
        yield started
    finally:
        for worker in started:
            worker.kill()
            worker.wait()


def load(address: str, port: int, expect: int = 2, **more: Any) -> LoadProfile:
    document = {"target": f"http://{address}", "timeout": "1s", "locustfile": str(EVERYTHING), "users": 6}
    return LoadProfile.model_validate({**document, "workers": {"expect": expect, "port": port}, **more})


@pytest.mark.slow
def test_two_workers_are_one_stream_and_end_with_the_run(tmp_path: Path) -> None:
    port, totals = free_port(), tmp_path / "totals.json"
    with stall_server() as address, workers(port, tmp_path, OURS, OURS) as started:
        heard = run_load(load(address, port, args=["--totals", str(totals), "--item", "7"]), 3.0, tmp_path)
        assert [worker.wait(5) for worker in started] == [0, 0]
    counted = {
        name: [sum(kinds.values()), sum(n for kind, n in kinds.items() if kind != "ok")]
        for name, kinds in heard.counts().items()
    }
    assert counted == json.loads(totals.read_text())
    assert heard.rows == heard.bye["offered"]
    assert heard.bye["drained"] is True
    assert {(tick["workers"], tick["missing"]) for tick in heard.of("tick")} == {(2, 0)}
    assert "item" in heard.counts(), "arguments of the file reach the workers"


@pytest.mark.slow
def test_a_worker_that_is_killed_is_missing_within_two_seconds(tmp_path: Path) -> None:
    port = free_port()

    async def kill_one(child: LoadChild) -> None:
        await anyio.sleep(1.5)
        started[0].kill()

    with stall_server() as address, workers(port, tmp_path, OURS, OURS) as started:
        heard = run_load(load(address, port), 5.0, tmp_path, during=kill_one)
    ticks = heard.of("tick")
    assert (ticks[0]["workers"], ticks[0]["missing"]) == (2, 0)
    assert (ticks[-1]["workers"], ticks[-1]["missing"]) == (1, 1)
    assert sum(tick["missing"] for tick in ticks) >= 2
    assert heard.bye["drained"] is False


@pytest.mark.slow
def test_a_plain_locust_worker_takes_part_and_is_told_to_be_missing(tmp_path: Path) -> None:
    """Users are given to it, and what they send is in no row: that is what missing means."""
    port = free_port()
    with stall_server() as address, workers(port, tmp_path, OURS, PLAIN):
        heard = run_load(load(address, port, expect=1), 7.0, tmp_path)
    assert heard.of("tick")[-1]["missing"] == 1
    assert heard.bye["drained"] is False


def test_workers_that_do_not_come_are_told_with_the_command_that_starts_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generator, "WORKERS_S", 1.0)
    with pytest.raises(
        LoadError, match=r"0 of 2 workers came within 1 s; start each with: python -m gameday\.load\.worker"
    ):
        run_load(load("127.0.0.1:9", free_port()), 0.1, tmp_path)


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with stall_server() as address, pytest.raises(LoadError, match="cannot be awaited at"):
        run_load(load(address, int(address.rpartition(":")[2])), 0.1, tmp_path)


@pytest.mark.slow
def test_a_run_that_loses_a_worker_is_inconclusive(tmp_path: Path) -> None:
    lab, port = Lab(tmp_path), free_port()
    (tmp_path / "shopper.py").write_text(
        "from locust import FastHttpUser, constant, task\n"
        "class Shopper(FastHttpUser):\n    wait_time = constant(0.05)\n"
        "    @task\n    def home(self):\n        self.client.get('/', name='home')\n"
    )
    document = lab.document()
    document["load"] = {
        "target": document["load"]["target"],
        "timeout": "1s",
        "locustfile": "shopper.py",
        "users": 10,
        "workers": {"expect": 2, "port": port},
    }
    document["phases"]["warmup"] = "3s"
    document["faults"][0]["flip"]["for"] = "5s"
    path = lab.write(document)
    with workers(port, tmp_path, OURS, OURS, locustfile=tmp_path / "shopper.py") as started, lab.started(path) as run:
        await_true(
            lambda: lab.happened("active", when="proof") or run.poll() is not None, 40, "the fault is on, or the end"
        )
        started[0].kill()
        code = run.wait(60)
    verdict: dict[str, Any] = json.loads((lab.run_folder / "verdict.json").read_text())
    assert (code, verdict["verdict"]) == (3, "inconclusive"), lab.log()
    assert "load-generator" in verdict["reasons"]
