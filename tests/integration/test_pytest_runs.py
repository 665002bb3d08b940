"""Experiments run as tests: real runs, one at a time, reverted whatever ends the session."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import parse

import pytest

from tests.harness import Lab, await_true, switch

pytestmark = [pytest.mark.long, pytest.mark.timeout(180)]


RECOVER = {"recover": {"within": "2s", "hold": "1s"}}


def short(lab: Lab, fault: str, **changes: Any) -> dict[str, Any]:
    """An experiment of a few seconds without load, so that a busy machine changes nothing: its gauge is 100 while ``broken`` exists."""
    gauge = ["sh", "-c", "if [ -e broken ]; then echo 100; else echo 1; fi"]
    return {
        **{key: value for key, value in lab.document().items() if key in ("version", "title")},
        "slis": {"state": {"command": gauge, "every": "200ms"}},
        "objectives": {"available": {"expect": "max(state) < 50", **RECOVER}},
        "phases": {"warmup": "300ms", "baseline": "1s", "recovery": "3s"},
        "faults": [{"flip": {"do": "command", "with": switch(lab.folder, fault), "for": "1s"}}],
        **changes,
    }


def write(folder: Path, name: str, document: dict[str, Any]) -> None:
    (folder / name).write_text(json.dumps(document, indent=1))


def command(*words: str) -> list[str]:
    """As users have it: with every plugin that is installed, Locust's too."""
    return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--gameday", *words]


def call(lab: Lab, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words),
        cwd=lab.folder,
        env={**lab.environment(), **environ},
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )


def spans(lab: Lab) -> list[tuple[float, float]]:
    """Begin and end of each run, by its own journal."""
    found: list[tuple[float, float]] = []
    for journal in lab.runs.glob("*/journal.ndjson"):
        records = [json.loads(line) for line in journal.read_text().splitlines()]
        assert records[-1]["kind"] == "closed"
        found.append((records[0]["wall"], records[-1]["wall"]))
    return sorted(found)


def test_a_pass_and_a_fail_in_two_workers_one_at_a_time_and_told_to_ci_once(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    write(tmp_path, "a_passes.yaml", short(lab, "harmless"))
    write(tmp_path, "b_fails.yaml", short(lab, "broken", title="It does not survive"))
    summary = tmp_path / "summary.md"
    github = {"GITHUB_STEP_SUMMARY": str(summary), "GITHUB_ACTIONS": "true"}
    done = call(lab, ".", "-n", "2", "--dist", "load", "--junitxml", "junit.xml", **github)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 failed, 1 passed" in done.stdout
    assert "It does not survive: fail (broken)" in done.stdout
    assert re.search(r"^  fail +available: broken  \(b_fails\.yaml:\d+\)$", done.stdout, re.MULTILINE)
    report = re.search(r"^report: (.+/report\.html)$", done.stdout, re.MULTILINE)
    assert report is not None
    assert Path(report[1]).is_file()
    assert "injecting flip" in done.stdout, "what the run said is captured"
    (begin, end), (other, _) = spans(lab)
    assert begin < end <= other, "never two at once"
    assert done.stderr.count("::error file=b_fails.yaml,line=") == 1
    assert summary.read_text().count("### gameday") == 1
    cases = {case.get("name"): case for case in parse(tmp_path / "junit.xml").getroot().iter("testcase")}
    told = {item.get("name"): item.get("value") for item in cases["b_fails"].iter("property")}
    assert told["gameday_verdict"] == "fail"
    assert Path(str(told["gameday_run"])).is_dir()
    assert not (tmp_path / "broken").exists()


def test_inconclusive_is_a_failure_with_its_reason(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    write(tmp_path, "blind.yaml", short(lab, "harmless", slis={"state": {"command": ["false"], "every": "200ms"}}))
    done = call(lab, "blind.yaml", "--gameday-accept", "near-limit", "--gameday-output", "elsewhere")
    assert done.returncode == 1, done.stdout + done.stderr
    [folder] = (tmp_path / "elsewhere").iterdir()
    verdict = json.loads((folder / "verdict.json").read_text())
    assert verdict["verdict"] == "inconclusive"
    assert f"The target survives a switch: inconclusive ({', '.join(verdict['reasons'])})" in done.stdout
    assert f"report: {folder}/report.html" in done.stdout


@contextmanager
def started(lab: Lab) -> Generator[subprocess.Popen[bytes]]:
    """Start a session whose run is holding a fault."""
    write(lab.folder, "long.yaml", short(lab, "broken", faults=[_long(lab)]))
    with (lab.folder / "out.log").open("wb") as out:
        session = subprocess.Popen(
            command("long.yaml", "-p", "no:xdist"),
            cwd=lab.folder,
            env=lab.environment(),
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        lab.await_event("active", when="proof")
        assert (lab.folder / "broken").exists()
        yield session
    finally:
        if session.poll() is None:
            session.kill()
        session.wait()


def _long(lab: Lab) -> dict[str, Any]:
    return {"flip": {"do": "command", "with": switch(lab.folder, "broken"), "for": "60s"}}


def test_ctrl_c_reverts_before_pytest_ends(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    with started(lab) as session:
        session.send_signal(signal.SIGINT)
        session.wait(40)
    assert not (tmp_path / "broken").exists()
    assert lab.happened("abort", reason="signal")
    assert lab.happened("reverted", fault="flip", proven=True)
    assert lab.happened("closed", undone=True)
    assert session.returncode == int(pytest.ExitCode.INTERRUPTED)
    assert "reverting its faults" in lab.log()
    assert lab.left_over() == []


def test_a_killed_session_leaves_no_fault_and_the_next_one_waits_for_it(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    with started(lab) as session:
        os.kill(session.pid, signal.SIGKILL)
        session.wait(10)
        write(tmp_path, "next.yaml", short(lab, "harmless"))
        done = call(lab, "next.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (tmp_path / "broken").exists()
    (_, end), (begin, _) = spans(lab)
    assert end <= begin
    await_true(lambda: lab.left_over() == [], 20, "nothing is left")
