"""The kill matrix: every reversible driver, killed at every point of its fault's life, leaves nothing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gameday.journal.reader import read_journal
from gameday.spi import World
from gameday.testing import eventually
from gameday.undo.guardian import LEASE_SECONDS
from gameday.undo.selftest import BRIEFLY, MECHANISMS, POINTS, Kill, Point, breakable, kill_once, selftest
from gameday.undo.subjects import Maker, Subject, command

pytestmark = [pytest.mark.long, pytest.mark.timeout(280)]
IN_FLIGHT = Point(name="apply command in flight", at="inject-called", after_ms=60)


def test_no_death_at_any_point_leaves_anything() -> None:
    report = selftest(rounds=2, workers=8, names=MECHANISMS)
    killed = [kill for kill in report.kills if kill.point != "hung"]
    assert report.residues == ()
    assert len(killed) >= 180
    assert len(report.kills) >= 200
    assert {kill.driver for kill in killed} == MECHANISMS
    hung = [kill for kill in report.kills if kill.point == "hung"]
    assert all(kill.seconds is not None and kill.seconds < LEASE_SECONDS + 1 for kill in hung), hung


def test_every_other_driver_that_can_be_tested_here_leaves_nothing_either() -> None:
    """A driver that is added is in the matrix, or says why not."""
    makers, untested = breakable(None)
    rest = set(makers) - MECHANISMS
    report = selftest(points=BRIEFLY, workers=8, names=sorted(rest))
    assert report.residues == ()
    assert {kill.driver for kill in report.kills} == rest
    elsewhere = (
        "toxiproxy.",
        "process.kill",
        "chaostoolkit",
        "k8s.",
        "alertmanager.",
    )  # each has its contract, kill cases included
    assert all(name.startswith(elsewhere) for name in untested), untested


@contextmanager
def slow_command(folder: Path, run_id: str, *, apart: bool = False) -> Generator[Subject]:
    """A command that applies its fault 150 ms after it began: killed in between, it is in flight."""
    with command(folder, run_id) as subject:
        apply = ["sh", "-c", 'sleep 0.15; : > "$0"', str(folder / "flag")]
        # In a session of its own no fence reaches it: only the pipe that it holds tells that it is still there.
        run = ["setsid", "--wait", *apply] if apart else apply
        yield Subject(
            driver="command", params={**subject.params, "run": run}, world=subject.world, residue=subject.residue
        )


@contextmanager
def slow_command_apart(folder: Path, run_id: str) -> Generator[Subject]:
    with slow_command(folder, run_id, apart=True) as subject:
        yield subject


@pytest.mark.parametrize("maker", [slow_command, slow_command_apart])
def test_a_command_in_flight_at_the_kill_leaves_nothing(maker: Maker) -> None:
    kills: list[Kill] = [kill_once(maker, "command", IN_FLIGHT) for _ in range(10)]
    assert [kill.left for kill in kills] == [()] * 10


def bare(folder: Path, run: list[str], **more: object) -> subprocess.Popen[bytes]:
    """Start a bare runner of a command fault; it writes a line once the fault is on."""
    flag = str(folder / "flag")
    params = {"run": run, "undo": ["rm", "-f", flag], "active": ["test", "-e", flag]}
    request = {"driver": "command", "params": params, "world": World(run_id=folder.name).to_json(with_secrets=True)}
    process = subprocess.Popen(
        [sys.executable, "-m", "gameday.undo.bare"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(json.dumps({"run_folder": str(folder), **request, **more}).encode() + b"\n")
    process.stdin.flush()
    return process


def kinds(folder: Path, kind: str) -> list[dict[str, object]]:
    return [dict(event.data) for event in read_journal(folder / "journal.ndjson").events if event.kind == kind]


def notes(folder: Path) -> list[str]:
    return [str(note["text"]) for note in kinds(folder, "note")]


def test_a_background_child_that_holds_the_pipe_delays_nothing_and_is_undone_at_its_end(tmp_path: Path) -> None:
    """It leaves its session and applies the fault once more when nobody waits for it any longer, half a second before its end."""
    folder = tmp_path / "held-1"
    folder.mkdir()
    flag = folder / "flag"
    run = ["sh", "-c", 'setsid sh -c "sleep 3.5; touch $0; sleep 0.5" & touch "$0"', str(flag)]
    with bare(folder, run) as runner:
        assert runner.stdout is not None
        assert runner.stdout.readline()
        runner.kill()
        killed = time.monotonic()
    assert eventually(lambda: not flag.exists(), 1.5), "the first revert waits at most a second for the pipe"
    assert time.monotonic() - killed < 2
    assert eventually(lambda: len(kinds(folder, "reverted")) == 1, 1)
    assert eventually(lambda: any("still in flight" in said and "sleep (pid" in said for said in notes(folder)), 2)
    assert eventually(flag.exists, 5), "it applies the fault again"
    assert eventually(lambda: not flag.exists(), 2), "and is undone again, when it lets go of the pipe"
    assert eventually(lambda: len(kinds(folder, "reverted")) == 2, 2)


def test_a_death_during_another_faults_inject_undoes_both_newest_first(tmp_path: Path) -> None:
    folder = tmp_path / "two-1"
    folder.mkdir()
    order = folder / "order"

    def fault(name: str) -> dict[str, object]:
        flag = str(folder / name)
        undo = ["sh", "-c", 'rm -f "$0"; echo "$1" >> "$2"', flag, name, str(order)]
        run = ["sh", "-c", 'sleep 0.1; touch "$0"', flag]
        return {"driver": "command", "params": {"run": run, "undo": undo, "active": ["test", "-e", flag]}}

    end = {"at": "inject-called", "fault": "second", "after_ms": 30}
    faults = {"first": fault("first"), "second": fault("second")}
    with bare(folder, [], faults=faults, end=end) as runner:
        assert runner.wait(20) == -signal.SIGKILL
    assert eventually(lambda: len(kinds(folder, "reverted")) == 2, 5)
    assert order.read_text().split() == ["second", "first"]
    assert not (folder / "first").exists()
    assert not (folder / "second").exists()


def test_each_point_is_reached(tmp_path: Path) -> None:
    """A point that no runner ever comes to would prove nothing: at each of them one has died."""
    reached = {point.at for point in POINTS}
    folder = tmp_path / "whole-1"
    folder.mkdir()
    with bare(folder, ["touch", str(folder / "flag")], hold_ms=10) as runner:
        assert runner.wait(20) == 0
    written = {event.kind for event in read_journal(folder / "journal.ndjson").events}
    assert reached - {"told"} <= written
    assert not (folder / "flag").exists()
