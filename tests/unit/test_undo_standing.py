"""Where a watchdog stands: a unit, a control group or a session of its own, whichever this machine gives; and it says which."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gameday.undo import standing
from gameday.undo.standing import make_cgroup, possible, remove_cgroup, unit_prefix


@pytest.fixture
def no_systemd(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(standing, "_SYSTEMD", tmp_path / "nothing")


@pytest.fixture
def systemd(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A systemd-run that runs its command at once, as --scope does, and notes how it was asked."""
    program = tmp_path / "bin" / "systemd-run"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\necho "$@" > {tmp_path}/asked\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n'
    )
    program.chmod(0o755)
    monkeypatch.setattr(standing, "_SYSTEMD", tmp_path)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "asked"


def test_without_systemd_there_is_no_unit(no_systemd: None) -> None:
    assert unit_prefix("r") == []
    assert possible().place in ("cgroup", "session")
    assert "systemd does not run this machine" in possible().words()


def test_with_systemd_the_watchdog_gets_a_scope_of_its_own(systemd: Path) -> None:
    if os.geteuid() == 0:
        prefix = unit_prefix("run-1")
        assert prefix[1:] == ["--scope", "--quiet", "--collect", "--unit=gameday-watchdog-run-1", "--"]
    assert possible().place == "unit" or os.geteuid() != 0


def test_a_user_without_a_manager_gets_no_unit(systemd: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "none"))
    assert unit_prefix("r") == []
    (tmp_path / "run" / "systemd").mkdir(parents=True)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    assert unit_prefix("r")[1] == "--user"


def tree(tmp_path: Path, inside: str) -> tuple[Path, Path]:
    """A /proc/self that says where control groups are mounted and which one we are in; any folder will do as one."""
    mount, proc = tmp_path / "cgroup", tmp_path / "proc"
    (mount / inside.lstrip("/")).mkdir(parents=True)
    proc.mkdir()
    (proc / "mountinfo").write_text(f"30 23 0:26 / {mount} rw - cgroup2 cgroup2 rw\n")
    (proc / "cgroup").write_text(f"1:cpu:/\n0::{inside}\n")
    return mount, proc


def anything(_path: Path, _mode: int) -> bool:
    return True


def test_a_control_group_beside_ours_is_better_than_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mount, proc = tree(tmp_path, "/service")
    monkeypatch.setattr(os, "access", anything)
    assert make_cgroup("r", proc=proc) == mount / "gameday-watchdog-r"


def test_in_the_root_group_ours_is_below_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mount, proc = tree(tmp_path, "/")
    monkeypatch.setattr(os, "access", anything)
    made = make_cgroup("r", proc=proc)
    assert made is not None
    assert made == mount / "gameday-watchdog-r"
    remove_cgroup(made)
    assert not made.exists()


def test_where_none_may_be_used_none_is_left(tmp_path: Path) -> None:
    mount, proc = tree(tmp_path, "/service")
    assert make_cgroup("r", proc=proc) is None, "a plain folder has no cgroup.procs"
    assert list(mount.iterdir()) == [mount / "service"]


def test_without_control_groups_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    assert make_cgroup("r", proc=tmp_path / "proc") is None


def test_what_a_killed_watchdog_left_is_swept_and_what_was_just_made_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mount, proc = tree(tmp_path, "/")
    monkeypatch.setattr(os, "access", anything)
    for name in ("stale", "busy", "new"):
        (mount / f"gameday-watchdog-{name}").mkdir()
    (mount / "gameday-watchdog-busy" / "someone").mkdir()
    for name in ("stale", "busy"):
        os.utime(mount / f"gameday-watchdog-{name}", (1, 1))
    make_cgroup("r", proc=proc)
    assert sorted(path.name.removeprefix("gameday-watchdog-") for path in mount.iterdir()) == ["busy", "new", "r"]
