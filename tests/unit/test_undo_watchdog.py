"""When a watchdog acts: by boot time alone, on silence, on a maximum, on a death; and never because a clock was set."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gameday.model import Plan
from gameday.spi import World
from gameday.spi.processes import identify
from gameday.undo import watchdog as module
from gameday.undo.pipe import Pipe
from gameday.undo.watchdog import Watchdog
from tests.fakes.victims import stranger


class Clock:
    """Boot time and suspended time, in seconds, moved by hand."""

    def __init__(self) -> None:
        self.boot, self.suspended = 1000.0, 0.0


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "boottime", lambda: clock.boot)
    monkeypatch.setattr(module, "slept", lambda: clock.suspended)
    return clock


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    read, write = os.pipe()
    yield read, write
    for descriptor in (read, write):
        try:
            os.close(descriptor)
        except OSError:
            continue


@pytest.fixture
def dog(clock: Clock, ends: tuple[int, int], tmp_path: Path) -> Watchdog:
    me = identify(os.getpid())
    assert me is not None
    setup = {
        "run_id": "r",
        "journal": str(tmp_path / "journal.ndjson"),
        "runner": me.to_json(),
        "lease_seconds": 5.0,
        "max_seconds": 100.0,
        "faults": {"f": {"driver": "command", "params": {"run": ["true"], "undo": ["true"]}}},
        "world": World(run_id="r").to_json(with_secrets=True),
    }
    return Watchdog(setup, Pipe(ends[0]))


def say(ends: tuple[int, int], *messages: dict[str, Any] | None) -> None:
    for message in messages:
        os.write(ends[1], (json.dumps(message).encode() if message else b"") + b"\n")


ARMED = {"say": "armed", "fault": "f", "plan": Plan(driver="command", targets=("t",)).to_json(), "max_seconds": 10.0}


def later(dog: Watchdog, clock: Clock, seconds: float, *, suspended: float = 0.0) -> str:
    heard, awake = clock.boot, clock.suspended
    clock.boot += seconds
    clock.suspended += suspended
    return dog.too_late(heard, awake)


def test_silence_for_the_lease_is_a_death(dog: Watchdog, clock: Clock) -> None:
    assert later(dog, clock, 4.9) == ""
    assert later(dog, clock, 5.0) == "no heartbeat for 5 s"


def test_a_machine_that_slept_has_lost_its_lease_although_heartbeats_wait_in_the_pipe(
    dog: Watchdog, clock: Clock
) -> None:
    assert later(dog, clock, 0.1, suspended=4.0) == ""
    assert later(dog, clock, 0.1, suspended=3600.0) == "this machine was suspended for 3600 s"


def test_the_runs_maximum_ends_it_although_heartbeats_go_on(dog: Watchdog, clock: Clock) -> None:
    clock.boot += 99.0
    assert later(dog, clock, 0.5) == ""
    assert later(dog, clock, 1.0) == "the run takes longer than its maximum"


def test_a_faults_maximum_ends_the_run_unless_it_is_reverted(dog: Watchdog, clock: Clock) -> None:
    dog.hear(json.dumps(ARMED).encode())
    clock.boot += 9.0
    assert later(dog, clock, 0.5) == ""
    dog.hear(b'{"say": "reverted", "fault": "f"}')
    assert later(dog, clock, 1.0) == ""
    assert dog.armed == {}
    dog.hear(json.dumps(ARMED).encode())
    clock.boot += 9.5
    assert later(dog, clock, 0.6) == "f is on for longer than its maximum"


def test_no_decision_reads_the_wall_clock(
    dog: Watchdog, clock: Clock, ends: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wall_clock() -> float:
        raise AssertionError("a decision was made by the wall clock")

    monkeypatch.setattr(time, "time", wall_clock)
    say(ends, ARMED, None, {"say": "goodbye"})
    assert dog.watch() == ""
    assert later(dog, clock, 1.0) == ""
    assert later(dog, clock, 5.0) == "no heartbeat for 5 s"


def test_a_heartbeat_that_waited_while_we_were_starved_counts(
    dog: Watchdog, clock: Clock, ends: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watchdog itself had no CPU for longer than the lease: what lies in the pipe is read before anything is decided."""
    answered: list[bytes] = []
    monkeypatch.setattr(module, "_answer", answered.append)
    say(ends, None, {"say": "goodbye"})
    clock.boot += 60.0
    assert dog.watch() == ""
    assert dog.said_goodbye


def test_what_a_stray_writer_puts_into_the_pipe_is_no_message(dog: Watchdog) -> None:
    for line in (
        b"not json",
        b"[1]",
        b"{}",
        b'{"say": "armed"}',
        b'{"say": "host", "pid": []}',
        b"\xff\xfe",
        b"7",
        b"null",
    ):
        dog.hear(line)
    assert dog.armed == {}
    dog.hear(json.dumps(ARMED).encode())
    assert list(dog.armed) == ["f"]


def test_a_runner_that_closes_its_pipe_without_goodbye_is_lost(dog: Watchdog, ends: tuple[int, int]) -> None:
    os.close(ends[1])
    assert dog.watch() == "the runner closed its pipe without goodbye"


def test_a_runner_that_died_is_lost_and_its_last_words_are_heard(dog: Watchdog, ends: tuple[int, int]) -> None:
    with stranger() as ref:
        dog.runner = ref
    say(ends, ARMED)
    assert "gone" in dog.watch()
    assert list(dog.armed) == ["f"]


def test_who_holds_the_pipe_is_named(ends: tuple[int, int]) -> None:
    pipe = Pipe(ends[0])
    with subprocess.Popen(["sleep", "30"], pass_fds=(ends[1],)) as holder:
        try:
            assert f"sleep (pid {holder.pid})" in pipe.holders()
        finally:
            holder.kill()
