"""Recover: what a lost run left is listed, refused at the next start, and undone once, by whoever comes first."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gameday.journal.reader import read_journal
from gameday.journal.writer import Journal
from gameday.model import Plan
from gameday.spi import World
from gameday.spi.processes import state
from gameday.testing import eventually, stays
from gameday.undo.recover import recover_run
from gameday.undo.state import forget_run, open_runs, register_run
from tests.fakes.busy import unmeasured
from tests.fakes.victims import stranger
from tests.harness import Lab, await_true, switch


@pytest.fixture(autouse=True)
def state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GAMEDAY_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


def lose(folder: Path, *, watchdog: bool = True, undo: str = "") -> Path:
    """Lose a runner, with its watchdog or without, while a command fault is on; return the fault's flag."""
    folder.mkdir()
    flag = folder.parent / "flag"
    script = f'{undo} rm -f "$0"; echo undone >> "$0.log"'
    params = {
        "run": ["touch", str(flag)],
        "undo": ["sh", "-c", script, str(flag)],
        "active": ["test", "-e", str(flag)],
    }
    request = {
        "run_folder": str(folder),
        "driver": "command",
        "params": params,
        "world": World(run_id=folder.name).to_json(with_secrets=True),
        "end": {"at": "active", "watchdog": watchdog},
    }
    done = subprocess.run(
        [sys.executable, "-m", "gameday.undo.bare"], input=json.dumps(request).encode(), capture_output=True, timeout=30
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    register_run(folder)
    return flag


def gameday(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gameday", *words], capture_output=True, text=True, timeout=60, env=os.environ
    )


def undone(flag: Path) -> int:
    log = Path(f"{flag}.log")
    return len(log.read_text().split()) if log.exists() else 0


def test_recover_all_lists_undoes_and_forgets(tmp_path: Path) -> None:
    flag = lose(tmp_path / "lost-1")
    listed = gameday("recover", "--all", "--dry-run")
    assert listed.returncode == 5
    assert listed.stdout.startswith("lost-1: would revert fault: command on ")
    assert flag.exists()
    done = gameday("recover", "--all")
    assert done.returncode == 0, done.stdout
    assert done.stdout == "lost-1: reverted fault: proven gone\n"
    assert not flag.exists()
    assert open_runs() == ()
    journal = (tmp_path / "lost-1" / "journal.ndjson").read_bytes()
    again = gameday("recover", str(tmp_path / "lost-1"))
    assert (again.returncode, again.stdout) == (0, "nothing was left of this run\n")
    assert (tmp_path / "lost-1" / "journal.ndjson").read_bytes() == journal, "a second recover writes nothing"
    assert undone(flag) == 1
    assert gameday("recover", "--all").stdout == "no run has left anything\n"


def test_recover_finds_an_open_run_by_its_name_from_anywhere(tmp_path: Path) -> None:
    flag = lose(tmp_path / "lost-1")
    assert gameday("recover", "lost-1").returncode == 0
    assert not flag.exists()
    unknown = gameday("recover", "lost-1")
    assert unknown.returncode == 2
    assert "there is no run lost-1" in unknown.stderr
    assert "--all --dry-run" in unknown.stderr


@pytest.mark.parametrize("words", [[], ["lost-1", "--all"]])
def test_recover_wants_one_run_or_all(words: list[str]) -> None:
    refused = gameday("recover", *words)
    assert refused.returncode == 2
    assert "name one run, or say --all" in refused.stderr


def test_a_folder_that_is_gone_is_told_once_and_loudly(tmp_path: Path) -> None:
    register_run(tmp_path / "gone-1")
    first = gameday("recover", "--all")
    assert first.returncode == 5
    assert first.stdout.startswith("DIRTY: gone-1: its folder")
    assert gameday("recover", "--all").returncode == 0


def test_two_recovers_at_once_undo_once_and_are_both_clean(tmp_path: Path) -> None:
    flag = lose(tmp_path / "lost-1", undo="sleep 0.5;")
    both = [
        subprocess.Popen(
            [sys.executable, "-m", "gameday", "recover", str(tmp_path / "lost-1")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=30) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert undone(flag) == 1, "the loser waits, and finds nothing left"
    assert sorted("reverted fault" in out for out, _ in said) == [False, True]


def test_recover_waits_for_a_watchdog_that_is_at_work(tmp_path: Path) -> None:
    flag = lose(tmp_path / "lost-1", watchdog=False, undo="sleep 2.5;")
    await_true(lambda: held(tmp_path / "lost-1"), 5, "the watchdog takes the journal over")
    done = gameday("recover", str(tmp_path / "lost-1"))
    assert done.returncode == 0, done.stdout
    assert "waiting for watchdog" in done.stderr
    assert undone(flag) == 1


def held(folder: Path) -> bool:
    return any(event.kind == "taken-over" for event in read_journal(folder / "journal.ndjson").events)


def test_another_boot_voids_what_processes_held_and_nothing_else(tmp_path: Path) -> None:
    """Before the reboot, a process was paused and a file made; now the pid may be anybody's, and the file is still there."""
    folder, flag = tmp_path / "rebooted-1", tmp_path / "flag"
    folder.mkdir()
    flag.touch()
    with stranger() as ref:
        os.kill(ref.pid, signal.SIGSTOP)
        assert eventually(lambda: state(ref) == "T")
        process = {**ref.to_json(), "boot_id": "the-boot-before"}
        specs = [
            {"name": "hung", "do": "process.pause", "with": {"pidfile": str(tmp_path / "pid")}},
            {"name": "file", "do": "command", "with": {"run": ["true"], "undo": ["rm", "-f", str(flag)]}},
        ]
        plans = {
            "hung": Plan(driver="process.pause", targets=("sleep",), undo={"process": process}),
            "file": Plan(
                driver="command",
                targets=("true",),
                undo={"undo": ["rm", "-f", str(flag)], "active": ["test", "-e", str(flag)], "timeout_ms": 5000},
            ),
        }
        (folder / "plan.json").write_text(json.dumps({"schema": "gameday/plan/1", "experiment": {"faults": specs}}))
        journal = Journal.create(folder / "journal.ndjson")
        journal.write("opened", {"boot_id": "the-boot-before", "pid": 1, "start": 1})
        for name, plan in plans.items():
            journal.write("armed", {"fault": name, "plan": plan.to_json()})
        journal.close()
        outcome = recover_run(folder)
        assert outcome.clean
        assert {one.fault for one in outcome.undone} == {"hung", "file"}
        assert stays(lambda: state(ref) == "T"), "a process of this boot was signalled for one of the last"
    assert not flag.exists()
    events = read_journal(folder / "journal.ndjson").events
    assert [event.data["text"] for event in events if event.kind == "note"] == [
        "hung ended with the boot it was made in"
    ]


def test_a_pid_that_is_somebody_elses_by_now_is_never_signalled(tmp_path: Path) -> None:
    folder = tmp_path / "recycled-1"
    folder.mkdir()
    with stranger() as ref:
        os.kill(ref.pid, signal.SIGSTOP)
        assert eventually(lambda: state(ref) == "T")
        earlier = {**ref.to_json(), "start": ref.start - 100}
        plan = Plan(driver="process.pause", targets=("sleep",), undo={"process": earlier})
        spec = {"name": "hung", "do": "process.pause", "with": {"pidfile": "pid"}}
        (folder / "plan.json").write_text(json.dumps({"schema": "gameday/plan/1", "experiment": {"faults": [spec]}}))
        journal = Journal.create(folder / "journal.ndjson")
        journal.write("opened", {"boot_id": ref.boot_id, "pid": ref.pid, "start": ref.start - 100})
        journal.write("armed", {"fault": "hung", "plan": plan.to_json()})
        journal.close()
        assert recover_run(folder).clean
        assert stays(lambda: state(ref) == "T")


def test_a_driver_that_cannot_be_loaded_does_not_keep_the_others_on(tmp_path: Path) -> None:
    flag = lose(tmp_path / "lost-1")
    path = tmp_path / "lost-1" / "plan.json"
    plan = json.loads(path.read_text())
    journal = Journal.take_over(tmp_path / "lost-1" / "journal.ndjson", by="test", why="another fault")
    journal.write("armed", {"fault": "alien", "plan": Plan(driver="alien", targets=("mars",)).to_json()})
    journal.close()
    plan["experiment"]["faults"].append({"name": "alien", "do": "alien", "with": {}})
    path.write_text(json.dumps(plan))
    done = gameday("recover", str(tmp_path / "lost-1"))
    assert done.returncode == 5
    assert done.stdout.startswith("DIRTY: alien may still be on (mars): no driver is called 'alien'")
    assert f"gameday recover {tmp_path / 'lost-1'}" in done.stdout
    assert not flag.exists()
    assert open_runs() == (tmp_path / "lost-1",)


def test_recover_on_a_journal_that_cannot_be_written_still_undoes(tmp_path: Path) -> None:
    """The disk is full: the undo goes on without the journal, and says so."""
    flag = lose(tmp_path / "lost-1")
    size = (tmp_path / "lost-1" / "journal.ndjson").stat().st_size
    script = (
        f"import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size})); "
        "sys.argv[1:] = ['recover', sys.argv[1]]; from gameday.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "lost-1")], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "not in the journal: cannot write the journal" in done.stdout
    assert "reverted fault: proven gone" in done.stdout
    assert not flag.exists()


@pytest.mark.long
def test_a_run_is_refused_while_an_earlier_one_left_something_on_its_targets(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    flip = {"flip": {"do": "command", "with": switch(lab.folder, "harmless"), "for": "30s"}}
    with lab.active(lab.write(faults=[flip])) as process:
        watchdog = next(event["data"]["pid"] for event in lab.events() if event["kind"] == "watchdog-started")
        os.kill(process.pid, signal.SIGSTOP)
        os.kill(watchdog, signal.SIGKILL)
        process.kill()
        process.wait()
    lost = lab.run_folder
    refused = lab.run(lab.write())
    assert refused.code == 3, refused.out
    assert refused.verdict["reasons"] == ["residue"]
    assert f"gameday recover {lost}" in refused.out
    assert refused.kinds() == ["opened", "refused", "closed"], "nothing was touched"
    passed = lab.run(lab.write(), "--after-recover")
    assert "reverted flip: proven gone" in passed.err
    if unmeasured(passed.verdict):  # what it undid is gone; whether the target passes is another run's to say
        passed = lab.measured(lab.write())
    assert passed.code == 0, passed.out + passed.err
    assert lab.left_over() == []


def test_a_run_that_left_nothing_refuses_nobody(tmp_path: Path) -> None:
    folder = tmp_path / "open-1"
    register_run(folder)
    assert open_runs() == (folder,)
    forget_run(folder)
    forget_run(folder)
    assert open_runs() == ()
