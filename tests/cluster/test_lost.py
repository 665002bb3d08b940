"""What happens to a fault in a real cluster when the runner, or the cluster's API server, is lost in the middle."""

from __future__ import annotations

import os
import signal
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gameday.testing import eventually
from tests.cluster.machine import control
from tests.cluster.machine.place import Place
from tests.cluster.real import WAIT_SECONDS, Shop
from tests.cluster.runs import experiment
from tests.harness import Lab

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(150, func_only=True)]
BACK_SECONDS = 15.0


def scaled_away(shop: Shop, url: str, seconds: int) -> dict[str, Any]:
    scale = {"do": "k8s.deployment-scale", "with": {**shop.where, "deployment": "web"}, "for": f"{seconds}s"}
    return experiment(url, scale)


@contextmanager
def stopped(pid: int) -> Generator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_killed_runner_leaves_no_deployment_scaled_away(shop: Shop, tmp_path: Path) -> None:
    url, lab = shop.deploy(), Lab(tmp_path)
    with lab.started(lab.write(scaled_away(shop, url, 60))) as runner:
        lab.await_event("active", 60, active=True)
        assert shop.replicas() == 0
        assert shop.annotations()
        runner.kill()
        assert eventually(lambda: shop.replicas() == 3, BACK_SECONDS), lab.log()
    assert eventually(lambda: not shop.annotations(), BACK_SECONDS)
    assert eventually(lambda: len(shop.ready()) == 3, WAIT_SECONDS)
    assert eventually(lambda: lab.happened("reverted", by="watchdog", proven=True), BACK_SECONDS)


def test_an_api_server_that_stops_answering_is_no_evidence(shop: Shop, machine: Place, tmp_path: Path) -> None:
    url, lab = shop.deploy(), Lab(tmp_path)
    server = control.find(machine, "kube-apiserver")
    with lab.started(lab.write(scaled_away(shop, url, 20))) as runner:
        lab.await_event("active", 60, active=True)
        with stopped(server):
            lab.await_event("action-failed", 40, action="active")
        code = runner.wait(100)
    assert code not in (0, 1), lab.log()
    assert lab.happened("reverted", proven=True), lab.log()
    assert shop.replicas() == 3
    assert not shop.annotations()
    assert "inconclusive" in (lab.run_folder / "verdict.json").read_text()


def test_another_machine_finds_and_undoes_what_nobody_is_left_to_undo(shop: Shop, tmp_path: Path) -> None:
    """Runner and watchdog are gone, and so are the run's folder and this machine's memory of it."""
    url, lab = shop.deploy(), Lab(tmp_path)
    with lab.started(lab.write(scaled_away(shop, url, 60))) as runner:
        lab.await_event("active", 60, active=True)
        (watchdog,) = (event["data"]["pid"] for event in lab.events() if event["kind"] == "watchdog-started")
        runner.send_signal(signal.SIGSTOP)  # or it would see the watchdog's death, and undo
        os.kill(watchdog, signal.SIGKILL)
        runner.kill()
    run = shop.annotations()["gameday.io/run"]
    elsewhere = Lab(tmp_path / "elsewhere")
    elsewhere.folder.mkdir()
    recover = ["recover", "--kubernetes", "--namespace", shop.namespace]
    recover += ["--kubeconfig", shop.reach.kubeconfig, "--context", shop.reach.context, run]
    listed = elsewhere.run_verb(*recover, "--dry-run")
    assert run in listed.out, listed.out + listed.err
    assert shop.replicas() == 0
    done = elsewhere.run_verb(*recover)
    assert done.code == 0, done.out + done.err
    assert shop.replicas() == 3
    assert not shop.annotations()
    assert elsewhere.run_verb(*recover).code == 0
