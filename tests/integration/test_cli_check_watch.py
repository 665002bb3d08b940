"""check and watch on real processes; what is shown of them, piped and on a terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from fcntl import ioctl
from pathlib import Path
from typing import Any

import pytest

from gameday.journal.folder import read_run
from gameday.judge import judge
from tests.harness import Lab, await_true

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def quick(lab: Lab, **changes: Any) -> Path:
    return lab.write(phases={"warmup": "200ms", "baseline": "1500ms", "recovery": "4s"}, **changes)


def call(lab: Lab, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        lab.command(*words),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**lab.environment(), **environ},
        cwd=lab.folder,
    )


def check(lab: Lab, path: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return call(lab, "check", str(path), "--output", str(lab.runs), *words, **environ)


def test_a_steady_state_that_holds(lab: Lab) -> None:
    done = check(lab, quick(lab), "--format", "json", FORCE_COLOR="1", TTY_COMPATIBLE="1")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["passed"], found["why"]) == (True, "")
    assert found["objectives"][0]["name"] == "available"
    kinds = [event["kind"] for event in lab.events()]
    assert not {"planned", "armed", "inject-called", "injected"} & set(kinds)
    assert kinds[-1] == "closed"
    assert not list((lab.run_folder / "logs").glob("host-*")), "no driver was even started"
    verdict = json.loads((lab.run_folder / "verdict.json").read_text())
    assert verdict["verdict"] == "inconclusive", "nothing was put to the test"
    assert judge(read_run(lab.run_folder))["verdict"] == "inconclusive"
    assert "\x1b" not in done.stderr
    assert "\r" not in done.stderr
    assert lab.left_over() == []


@pytest.mark.long
def test_a_steady_state_that_does_not_hold(lab: Lab) -> None:
    (lab.folder / "broken").touch()
    done = check(lab, quick(lab))
    assert done.returncode == 3, done.stdout
    assert "NOT STEADY: steady state does not hold" in done.stdout
    assert "available" in done.stdout


def test_a_system_that_does_not_start(lab: Lab) -> None:
    system = {"target": {"run": ["python", "-c", "raise SystemExit('no port')"], "ready": {"tcp": "127.0.0.1:1"}}}
    done = check(lab, quick(lab, system=system))
    assert done.returncode == 3
    assert "no port" in done.stdout


@pytest.mark.long
def test_watch_follows_a_run_to_its_end_and_has_its_exit_code(lab: Lab) -> None:
    path = quick(lab)
    with lab.started(path) as process:
        await_true(lambda: lab.happened("opened"), 20, "a journal")
        watching = subprocess.Popen(
            lab.command("watch", str(lab.run_folder)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=lab.environment(),
            cwd=lab.folder,
        )
        out, err = watching.communicate(timeout=60)
        process.wait(timeout=20)
    assert watching.returncode == process.returncode == 0, (out, err, lab.log())
    for part in ("baseline: measuring the steady state", "flip is on, proven", "flip reverted, proven gone"):
        assert part in err
    assert out.startswith("verdict: pass (proven)")


@pytest.mark.long
def test_watch_of_a_run_that_was_killed_ends_by_itself(lab: Lab) -> None:
    with lab.started(quick(lab)) as process:
        lab.await_event("phase", name="baseline")
        process.kill()
        process.wait()
        done = call(lab, "watch", str(lab.run_folder))
    assert done.returncode == 3
    assert "the runner is gone" in done.stderr
    assert "gameday judge" in done.stdout


def test_watch_of_what_is_no_run_folder(lab: Lab) -> None:
    done = call(lab, "watch", str(lab.folder))
    assert done.returncode == 2
    assert "is not a run folder" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.long
def test_output_that_nobody_reads_changes_no_exit_code(lab: Lab) -> None:
    process = subprocess.Popen(
        lab.command("check", str(quick(lab)), "--output", str(lab.runs)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=lab.environment(),
        cwd=lab.folder,
    )
    for stream in (process.stdout, process.stderr):
        assert stream is not None
        stream.close()
    assert process.wait(timeout=60) == 0


class Screen:
    """A pseudo terminal of a size, and everything that was written to it."""

    def __init__(self, columns: int, rows: int = 30) -> None:
        self.master, self.slave = pty.openpty()
        self.resize(columns, rows)
        self.text = ""

    def resize(self, columns: int, rows: int = 30) -> None:
        ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, process: subprocess.Popen[bytes], seconds: float = 60) -> str:
        """Read until the process has ended and nothing more comes."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.master], [], [], 0.1)[0]:
                self.text += os.read(self.master, 65536).decode(errors="replace")
            elif process.poll() is not None:
                return self.text
        raise AssertionError(f"not over within {seconds} s: {self.text[-2000:]}")

    def close(self) -> None:
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def narrow() -> Iterator[Screen]:
    screen = Screen(40)
    yield screen
    screen.close()


def on(screen: Screen, lab: Lab, path: Path, **environ: str) -> subprocess.Popen[bytes]:
    environment = {
        key: value for key, value in lab.environment().items() if key not in ("CI", "NO_COLOR", "FORCE_COLOR")
    }
    return subprocess.Popen(
        lab.command("check", str(path), "--output", str(lab.runs)),
        stdin=screen.slave,
        stdout=subprocess.DEVNULL,
        stderr=screen.slave,
        env={**environment, "TERM": "xterm-256color", **environ},
        cwd=lab.folder,
        start_new_session=True,
    )


def panels(text: str) -> list[list[str]]:
    """What was drawn between one clearing of the screen's end and the next, as lines without escapes."""
    return [ESCAPE.sub("", part).replace("\r", "").split("\n") for part in text.split("\x1b[J")[1:]]


def test_the_display_on_a_narrow_terminal(lab: Lab, narrow: Screen) -> None:
    process = on(narrow, lab, quick(lab))
    text = narrow.read(process)
    assert process.returncode == 0
    drawn = [panel for panel in panels(text) if any(line.startswith("baseline, ") for line in panel)]
    assert drawn, text
    for panel in drawn:
        first = next(index for index, line in enumerate(panel) if line.startswith("baseline, "))
        assert all(len(line) < 40 for line in panel[first:]), panel
    assert any(re.search(r"✓ available: 0\.0% of 5%", line) for panel in drawn for line in panel)
    assert "\x1b[32m" in text, "in colour"
    assert not panels(text)[-1][-1].strip(), "the display is gone at the end"
    assert "steady state holds; injecting" not in ESCAPE.sub("", panels(text)[-1][-1])


@pytest.mark.long
def test_without_colour_the_display_is_the_same(lab: Lab, narrow: Screen) -> None:
    process = on(narrow, lab, quick(lab), NO_COLOR="1", FORCE_COLOR="1")
    text = narrow.read(process)
    assert process.returncode == 0
    assert any("baseline, " in line for panel in panels(text) for line in panel)
    assert not re.search(r"\x1b\[[0-9;]*m", text), "no colour, and no bold"


@pytest.mark.long
@pytest.mark.parametrize("environ", [{"CI": "true"}, {"TERM": "dumb"}])
def test_a_terminal_that_is_not_a_person_s_gets_plain_lines(lab: Lab, narrow: Screen, environ: dict[str, str]) -> None:
    process = on(narrow, lab, quick(lab), FORCE_COLOR="1", **environ)
    text = narrow.read(process)
    assert process.returncode == 0
    assert "\x1b" not in text
    assert "baseline: measuring the steady state" in text


@pytest.mark.long
def test_a_terminal_that_goes_away_does_not_stop_the_check(lab: Lab) -> None:
    screen = Screen(100)
    process = on(screen, lab, quick(lab))
    lab.await_event("phase", name="baseline")
    screen.close()
    assert process.wait(timeout=60) == 0
    assert lab.happened("closed")
