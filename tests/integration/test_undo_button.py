"""The red button: every run of this user stops and reverts at once, and none starts until it is released."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from gameday.undo import state
from tests.harness import Lab, switch


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def gameday(lab: Lab, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(lab.command(*words), capture_output=True, text=True, timeout=30, env=lab.environment())


@pytest.mark.long
def test_stop_ends_a_run_and_lets_none_start_until_resume(lab: Lab) -> None:
    flip = {"flip": {"do": "command", "with": switch(lab.folder, "harmless"), "for": "30s"}}
    with lab.active(lab.write(faults=[flip])) as process:
        said = gameday(lab, "stop", "checkout", "is", "down")
        assert said.returncode == 0
        assert "gameday resume" in said.stdout
        lab.await_event("abort", 2, reason="person")
        assert process.wait(30) == 4, lab.log()
    pressed = (lab.folder / "state" / "stop").stat().st_mtime
    (abort,) = (event for event in lab.events() if event["kind"] == "abort")
    assert abort["wall"] - pressed < 0.6, "within half a second, and what a busy machine adds"
    assert abort["data"]["detail"] == "gameday stop: checkout is down"
    assert lab.happened("reverted", fault="flip", by="runner", proven=True)
    refused = lab.run(lab.write())
    assert refused.code == 3, refused.out
    assert refused.verdict["reasons"] == ["person"]
    assert refused.kinds() == ["opened", "refused", "closed"]
    assert "gameday resume" in refused.err
    assert gameday(lab, "resume").stdout == "runs may start again\n"
    assert gameday(lab, "resume").stdout == "nothing was stopped\n"
    assert lab.measured(lab.write()).code == 0


def test_what_root_presses_stops_every_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root's state directory is the machine's: its button can be read by everybody, and released by root alone."""
    machine = tmp_path / "machine"
    monkeypatch.delenv(state.VARIABLE, raising=False)
    monkeypatch.setattr(state, "MACHINE", machine)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert state.pressed() == ""
    state.press("fire\n in  the rack")
    assert (machine / "stop").stat().st_mode & 0o777 == 0o644
    assert machine.stat().st_mode & 0o777 == 0o755
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "user"))
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert state.pressed() == "fire in the rack (by root)"
    assert state.release() is False, "a user releases only their own"
    assert state.pressed()
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert state.release() is True
    assert state.pressed() == ""


def test_a_reason_is_bounded_and_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(state.VARIABLE, str(tmp_path / "state"))
    state.press("x\n" * 10_000)
    assert len(state.pressed()) <= 500
    assert "\n" not in state.pressed()
    state.press("")
    assert state.pressed() == "no reason given"
    assert (tmp_path / "state" / "stop").stat().st_mode & 0o777 == 0o600


def test_looking_makes_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(state.VARIABLE, str(tmp_path / "state"))
    assert state.pressed() == ""
    assert state.open_runs() == ()
    assert state.remembered_proxies() == {}
    state.forget_run(Path("nobody"))
    state.forget_proxies("nobody")
    assert state.release() is False
    assert not (tmp_path / "state").exists()
