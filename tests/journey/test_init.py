"""What a new user does: init in an empty folder, every command that it prints, and the workflow that it writes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """This checkout's gameday on PATH, and a state directory of its own."""
    program = tmp_path / "bin" / "gameday"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m gameday "$@"\n')
    program.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "GAMEDAY_STATE_DIR": str(tmp_path / "state"),
    }


def bash(command: str, folder: Path, environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run one line as GitHub runs a step."""
    argv = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", command]
    return subprocess.run(argv, cwd=folder, env=environ, text=True, capture_output=True, timeout=200, check=False)


def test_every_command_that_init_prints_works(tmp_path: Path, environ: dict[str, str]) -> None:
    done = bash("gameday init 'my tests'", tmp_path, environ)
    assert done.returncode == 0, done.stderr
    commands = [line.strip() for line in done.stdout.splitlines()]
    assert len(commands) == 4
    after = bash("\n".join(commands), tmp_path, environ)
    assert after.returncode == 0, after.stdout + after.stderr
    assert "verdict: pass (proven)" in after.stdout
    again = bash("gameday init 'my tests'", tmp_path, environ)
    assert again.returncode == 2
    assert "nothing was written" in again.stderr


def test_the_workflow_runs_and_its_first_experiment_can_fail(tmp_path: Path, environ: dict[str, str]) -> None:
    """The steps of the workflow with the checkout's program instead of pip's, and the protection taken away."""
    folder = tmp_path / "empty"
    folder.mkdir()
    assert bash("gameday init", folder, environ).returncode == 0
    file = folder / "experiments" / "first.yaml"
    file.write_text(file.read_text().replace("fallback: {default: queue}", "fallback: {default: none}"))
    workflow = (folder / ".github/workflows/resilience.yaml").read_text()
    steps = re.findall(r"^        run: (.+)$", workflow, re.MULTILINE)
    assert steps[0] == "pip install gameday-runner"
    done = {step: bash(step, folder, {**environ, "CI": "true"}) for step in steps[1:]}
    codes = {step: one.returncode for step, one in done.items()}
    expected = {"gameday validate experiments/": 0, "gameday run experiments/": 1, "gameday recover --all": 0}
    assert codes == expected, "".join(one.stdout + one.stderr for one in done.values())
    verdicts = list((folder / "runs").glob("*/verdict.json"))
    [broken] = [json.loads(path.read_text())["objectives_broken"] for path in verdicts]
    assert "checkout-available" in broken
    assert all((path.parent / "report.html").exists() and (path.parent / "junit.xml").exists() for path in verdicts)
    assert shutil.which("gameday", path=environ["PATH"]) is not None
