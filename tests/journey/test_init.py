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
pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


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
    assert len(commands) == 5
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
    summary = tmp_path / "summary.md"
    github = {"CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    gitlab = {"GITLAB_CI": "true", "CI_JOB_URL": "https://gitlab.example/jobs/7", "CI_PROJECT_DIR": str(folder)}
    done = {step: bash(step, folder, {**environ, **github, **gitlab}) for step in steps[1:]}
    codes = {step: one.returncode for step, one in done.items()}
    expected = {"gameday validate experiments/": 0, "gameday run experiments/": 1, "gameday recover --all": 0}
    assert codes == expected, "".join(one.stdout + one.stderr for one in done.values())
    verdicts = list((folder / "runs").glob("*/verdict.json"))
    [broken] = [json.loads(path.read_text())["objectives_broken"] for path in verdicts]
    assert "checkout-available" in broken
    assert all((path.parent / "report.html").exists() and (path.parent / "junit.xml").exists() for path in verdicts)
    assert "::error file=experiments/first.yaml,line=" in done["gameday run experiments/"].stderr
    assert summary.read_text().startswith("### ✕ Failed · Checkout survives a payments outage\n")
    page = (ROOT / "docs" / "ci.md").read_text()
    *_, metrics = re.findall(r"^    - (gameday .+)$", page, re.MULTILINE)
    assert bash(metrics, folder, environ).returncode == 0
    for kept in ("runs/*/junit.xml", "metrics.txt", "runs/.gitlab-links.json"):
        assert re.search(rf": {re.escape(kept)}$", page, re.MULTILINE)
        assert list(folder.glob(kept)), kept
    assert shutil.which("gameday", path=environ["PATH"]) is not None
