"""Every shipped experiment ends as the comment on its first lines says, passing and failing.

Those on dependencies have a file of their own, so that the two halves can run at the same time: each experiment has its own ports.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.journey.shipped import gameday, keeps_its_promise, promises

OTHERS = "[!dk]*"
"""The folders that are neither ``dependency`` nor ``kubernetes``, whose experiments need a cluster."""

pytestmark = [pytest.mark.long, pytest.mark.timeout(420)]


@pytest.mark.parametrize(("command", "word"), promises(OTHERS))
def test_ends_as_its_comment_says(command: str, word: str, tmp_path: Path) -> None:
    keeps_its_promise(command, word, tmp_path)


def test_every_promise_is_kept_somewhere() -> None:
    assert len(promises(OTHERS)) + len(promises("dependency")) + len(promises("kubernetes")) == len(promises("**"))


def test_the_same_hypothesis_holds_of_a_system_that_runs_already(tmp_path: Path) -> None:
    """``your-own-url.yaml`` against a shop that nobody but this test has started."""
    ports = {"catalog": 18981, "payments": 18982, "worker": 18983, "front": 18980}
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    through = "http://127.0.0.1:18992"
    pays = ["--payments", urls["payments"]]
    covered = ["--catalog", through, "--catalog-fallback", "cache", "--catalog-timeout", "300ms"]
    links = {"worker": pays, "front": [*pays, *covered, "--worker", urls["worker"]]}
    parts = [
        subprocess.Popen(
            [sys.executable, "-m", f"gameday.shop.{name}", "--port", str(port), *links.get(name, [])],
            stderr=subprocess.DEVNULL,
        )
        for name, port in ports.items()
    ]
    try:
        variables = {
            "base_url": urls["front"],
            "path": "/products",
            "upstream": "127.0.0.1:18981",
            "listen": "127.0.0.1:18992",
            "rate": "100/s",
            "baseline": "5s",
            "fault": "6s",
            "recovery": "15s",
        }
        given = " ".join(f"--var {name}={value}" for name, value in variables.items())
        code, verdict, shown = gameday(f"run experiments/your-own-url.yaml {given}", tmp_path)
    finally:
        for part in parts:
            part.terminate()
        for part in parts:
            part.wait(10)
    assert code == 0, (verdict["summary"], shown)
    assert verdict["faults"][0]["met"] > 0
