"""A secret reaches what needs it, and is written nowhere: no file of the run folder, no command line, no output."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.fakes.busy import unmeasured
from tests.harness import Lab

pytestmark = pytest.mark.long
SECRET = "hunter2-correct-horse"


def lab_with_secret(tmp_path: Path) -> tuple[Lab, Path]:
    """A system process that gets the secret in its environment and writes it down, and requests that carry it."""
    lab = Lab(tmp_path)
    document = lab.document()
    document["variables"] = {"token": {"env": "TEST_TOKEN", "secret": True}}
    document["system"]["target"]["env"] = {"TOKEN": "${token}"}
    document["load"]["headers"] = {"Authorization": "Bearer ${token}"}
    return lab, lab.write(document)


def holders(folder: Path) -> list[str]:
    return [str(path) for path in folder.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


def command_lines_with_secret() -> list[str]:
    found: list[str] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if SECRET.encode() in words:
                found.append(entry.name)
    return found


def test_a_secret_is_used_and_written_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_TOKEN", SECRET)
    lab, path = lab_with_secret(tmp_path)
    with lab.active(path) as process:
        target = next(e["data"]["pid"] for e in lab.events() if e["kind"] == "process-started")
        assert f"TOKEN={SECRET}".encode() in (Path("/proc") / str(target) / "environ").read_bytes()
        assert command_lines_with_secret() == []
        code = process.wait(30)
    assert holders(tmp_path) == []
    verdict = json.loads((lab.run_folder / "verdict.json").read_text())
    if unmeasured(verdict):  # then it may be told another way: whether the target passes is another run's to say
        code = lab.measured(path).code
        assert holders(tmp_path) == []
    assert code == 0, lab.log()


def test_a_missing_secret_is_a_wrong_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_TOKEN", raising=False)
    lab, path = lab_with_secret(tmp_path)
    ran = lab.run(path)
    assert ran.code == 2
    assert "TEST_TOKEN" in ran.err


def test_recover_takes_a_secret_from_the_environment_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """process.stop's undo starts the process again with its environment: that needs the secret."""
    monkeypatch.setenv("TEST_TOKEN", SECRET)
    lab, path = lab_with_secret(tmp_path)
    document = lab.document()
    document["variables"] = {"token": {"env": "TEST_TOKEN", "secret": True}}
    document["system"]["target"]["env"] = {"TOKEN": "${token}"}
    stop = {"gone": {"do": "process.stop", "with": {"process": "target"}, "for": "30s"}}
    path = lab.write(document, faults=[stop])
    with lab.active(path, fault="gone") as process:
        watchdog = next(event["data"]["pid"] for event in lab.events() if event["kind"] == "watchdog-started")
        process.send_signal(signal.SIGSTOP)
        os.kill(watchdog, signal.SIGKILL)
        process.kill()
        process.wait()
    environment = {name: value for name, value in lab.environment().items() if name != "TEST_TOKEN"}
    without = subprocess.run(
        lab.command("recover", str(lab.run_folder)), capture_output=True, text=True, env=environment, check=False
    )
    assert without.returncode == 5
    assert "token" in without.stdout
    done = subprocess.run(
        lab.command("recover", str(lab.run_folder)), capture_output=True, text=True, env=lab.environment(), check=False
    )
    assert done.returncode == 0, done.stdout
    assert lab.left_over() == []
    assert holders(tmp_path) == []
