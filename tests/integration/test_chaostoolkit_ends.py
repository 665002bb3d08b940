"""However a run of a Chaos Toolkit file ends, its rollbacks are played, and what was stopped is not believed to have ended well."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.chaos_files import action, experiment, write
from tests.harness import Lab, await_true

pytestmark = pytest.mark.long


def held(folder: Path, **changes: Any) -> Path:
    """An experiment that makes its file and then holds it for a long time."""
    steps = [action("make", "switch_on", path=str(folder / "flag")), action("hold", "sleep", seconds=60)]
    return write(folder / "held.json", experiment(folder, **{"method": steps, **changes}))


def child_of(lab: Lab) -> int:
    return next(int(e["data"]["pid"]) for e in lab.events() if e["kind"] == "told" and e["data"]["what"] == "child")


def begun(lab: Lab, name: str) -> None:
    lab.await_event("told", what="begins", name=name)


def test_a_signalled_child_is_aborted_and_rolled_back(tmp_path: Path) -> None:
    """chaoslib 1.44 swallows SIGTERM inside an action and ends with exit code 0."""
    lab = Lab(tmp_path)
    with lab.started(held(tmp_path)) as process:
        begun(lab, "hold")
        os.kill(child_of(lab), signal.SIGTERM)
        assert process.wait(20) == 4, lab.log()
    assert not (tmp_path / "flag").exists()
    assert lab.happened("abort", reason="signal")
    assert (lab.run_folder / "chaos-journal.json").exists(), "it still wrote its journal"
    assert lab.left_over() == []


def test_a_killed_child_is_aborted_and_rolled_back_by_its_parent(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    with lab.started(held(tmp_path)) as process:
        begun(lab, "hold")
        os.kill(child_of(lab), signal.SIGKILL)
        assert process.wait(20) == 4, lab.log()
    assert not (tmp_path / "flag").exists()
    assert lab.happened("told", what="activity", section="rollbacks", status="succeeded")
    assert lab.happened("reverted", proven=True)


def test_ctrl_c_rolls_back_and_lets_no_background_activity_begin(tmp_path: Path) -> None:
    """With `chaos run` a background activity that is still pausing injects after the abort."""
    lab = Lab(tmp_path)
    late = {**action("late", "switch_on", path=str(tmp_path / "late")), "background": True, "pauses": {"before": 5}}
    steps = [late, action("make", "switch_on", path=str(tmp_path / "flag")), action("hold", "sleep", seconds=60)]
    with lab.started(held(tmp_path, method=steps)) as process:
        begun(lab, "hold")
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 4, lab.log()
    assert not (tmp_path / "flag").exists()
    assert not (tmp_path / "late").exists()
    assert lab.left_over() == []


def test_an_action_that_cannot_be_stopped_is_killed(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    steps = [action("make", "switch_on", path=str(tmp_path / "flag")), action("stubborn", "never_stop")]
    with lab.started(held(tmp_path, method=steps)) as process:
        begun(lab, "stubborn")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 4, lab.log()
    assert not (tmp_path / "flag").exists()
    assert lab.left_over() == []


@pytest.mark.parametrize("watchdog", [False, True])
def test_a_killed_runner_is_rolled_back(watchdog: bool, tmp_path: Path) -> None:
    """By the watchdog; and where that is killed, too, by `gameday recover`."""
    lab = Lab(tmp_path)
    with lab.started(held(tmp_path)) as process:
        begun(lab, "hold")
        guard = next(event["data"]["pid"] for event in lab.events() if event["kind"] == "watchdog-started")
        if watchdog:
            process.send_signal(signal.SIGSTOP)
            os.kill(guard, signal.SIGKILL)
        process.kill()
        process.wait()
    if watchdog:
        assert lab.run_verb("recover", str(lab.run_folder)).code == 0
    await_true(lambda: not (tmp_path / "flag").exists(), 15, "rolled back")
    await_true(lambda: lab.happened("reverted", proven=True), 15, "proven")
    await_true(lambda: lab.left_over() == [], 10, "nobody is left")


def test_a_control_that_interrupts_aborts(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    control = {"name": "guard", "provider": {"type": "python", "module": "tests.fakes.chaos_control"}}
    steps = [
        action("make", "switch_on", path=str(tmp_path / "flag")),
        action("never", "switch_on", path=str(tmp_path / "never")),
    ]
    ran = lab.run(held(tmp_path, method=steps, controls=[control]))
    assert (ran.code, ran.verdict["aborted_by"]) == (4, "guard"), ran.out + ran.err
    assert not (tmp_path / "flag").exists()
    assert not (tmp_path / "never").exists()
