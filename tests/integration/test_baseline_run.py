"""The ratchet in real runs: a run writes its baseline, the next is held against it, and a worse one fails CI."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.harness import Lab, switch

pytestmark = pytest.mark.long
PHASES = {"warmup": "200ms", "baseline": "2s", "recovery": "2500ms"}


def changes(lab: Lab, fault: str) -> dict[str, Any]:
    """The target may fail half of the time while the fault is on: a loose objective."""
    objective = {"expect": "errors < 5%", "during": "errors < 90%", "recover": {"within": "1s", "hold": "1s"}}
    first = {"flip": {"do": "command", "with": switch(lab.folder, "harmless"), "at": "0s", "for": "2s"}}
    second = {"also": {"do": "command", "with": switch(lab.folder, fault), "at": "600ms", "for": "800ms"}}
    return {"phases": PHASES, "objectives": {"available": objective}, "faults": [first, second]}


def test_a_run_writes_what_the_next_one_may_not_be_worse_than(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    good = lab.measured(lab.write(**changes(lab, "nothing")))
    assert good.code == 0, good.err
    words = lab.command("judge", str(lab.run_folder), "--write-baseline", "base.yaml")
    done = subprocess.run(words, cwd=lab.folder, env=lab.environment(), capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert "baseline written: base.yaml" in done.stderr
    worse = lab.measured(lab.write(**changes(lab, "broken"), baseline="base.yaml"))
    assert worse.code == 1, worse.err
    criterion = worse.verdict["objectives"][0]["criteria"][0]
    assert criterion["phases"]["fault"]["result"] == "pass"
    assert {phase: one["result"] for phase, one in criterion["baseline"].items()} == {
        "baseline": "pass",
        "fault": "fail",
    }
    assert (lab.run_folder / "fragments" / "base.yaml").exists()
