"""The server as a real process that is killed: nothing begins twice, and nothing is lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from gameday.gamedays.schedule.locks import ON, is_held
from gameday.gamedays.schedule.store import Store

ROOT = Path(__file__).parents[2]
TEXT = """version: 1
title: Test
schedule: {cron: "0 10 * * *", timezone: Europe/London}
agenda:
  - brief: Hello
"""
TEN = datetime(2026, 11, 24, 10, tzinfo=UTC)


def until(what: Callable[[], object], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


@dataclass
class World:
    folder: Path
    servers: list[subprocess.Popen[bytes]] = field(default_factory=list[subprocess.Popen[bytes]])

    def at(self, now: datetime) -> None:
        draft = self.folder / "clock.draft"
        draft.write_text(now.isoformat())
        draft.replace(self.folder / "clock")

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def said(self) -> str:
        return "".join(path.read_text() for path in sorted(self.folder.glob("server-*.log")))

    @property
    def began(self) -> list[str]:
        path = self.state / "began"
        return [line.rpartition(" ")[0] for line in path.read_text().splitlines()] if path.exists() else []

    def has_begun(self, what: str) -> bool:
        return what in self.began

    def serve(self) -> subprocess.Popen[bytes]:
        with (self.folder / f"server-{len(self.servers):02}.log").open("wb") as log:
            server = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "tests.fakes.scheduled",
                    "serve",
                    str(self.state),
                    str(self.folder / "clock"),
                    str(self.folder / "day.yaml"),
                ],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self.servers.append(server)
        return server

    def kill(self, server: subprocess.Popen[bytes]) -> None:
        server.kill()
        server.wait()

    def release(self) -> None:
        (self.state / "release").touch()
        until(lambda: not is_held(self.state / ON))
        (self.state / "release").unlink()


@pytest.fixture
def world(tmp_path: Path) -> Generator[World]:
    made = World(folder=tmp_path)
    made.state.mkdir()
    (tmp_path / "day.yaml").write_text(TEXT)
    made.at(TEN - timedelta(minutes=1))
    yield made
    for server in made.servers:
        if server.poll() is None:
            made.kill(server)
    begun = made.state / "began"
    for line in begun.read_text().splitlines() if begun.exists() else ():
        try:
            os.kill(int(line.split()[-1]), signal.SIGKILL)
        except ProcessLookupError:
            continue


def test_killed_while_a_day_is_on_it_waits_for_that_day_and_keeps_its_exit_code(world: World) -> None:
    first = world.serve()
    until(lambda: "next is 2026-11-24 10:00 GMT" in world.said)
    world.at(TEN + timedelta(seconds=5))
    until(lambda: world.began)
    world.kill(first)
    second = world.serve()
    until(lambda: "is on, started by an earlier server" in world.said)
    world.release()
    until(lambda: "the day of the earlier server has ended" in world.said)
    second.send_signal(signal.SIGTERM)
    assert second.wait(30) == 0
    assert world.began == ["day.yaml 24"]
    (row,) = Store(world.state).begun()
    assert (row.state, row.exit_code) == ("ended", 3), "the day itself wrote it down"


def test_sigterm_stops_the_day_that_is_on_whoever_started_it(world: World) -> None:
    first = world.serve()
    until(lambda: "next is" in world.said)
    world.at(TEN)
    until(lambda: world.began)
    world.kill(first)
    second = world.serve()
    until(lambda: "is on, started by an earlier server" in world.said)
    second.send_signal(signal.SIGTERM)
    assert second.wait(30) == 0
    assert not is_held(world.state / ON)
    assert "the server has ended" in world.said


@pytest.mark.long
@pytest.mark.timeout(150)
def test_killed_at_any_moment_every_time_begins_exactly_once(world: World) -> None:
    choose = random.Random(7)
    world.at(TEN - timedelta(days=1))
    first = world.serve()
    until(lambda: "next is" in world.said)
    world.kill(first)
    for number in range(4):
        world.at(TEN + timedelta(days=number, seconds=20))
        server = world.serve()
        time.sleep(choose.uniform(0, 1.2))  # whatever it does by then
        world.kill(server)
        server = world.serve()
        until(partial(world.has_begun, f"day.yaml {24 + number}"))
        world.kill(server)
        server = world.serve()
        until(
            lambda: (
                "started by an earlier server" in (world.folder / f"server-{len(world.servers) - 1:02}.log").read_text()
            )
        )
        world.release()
        world.kill(server)
    assert world.began == [f"day.yaml {24 + number}" for number in range(4)]
    assert [row.due.day for row in Store(world.state).begun()] == [24, 25, 26, 27]
    assert {row.exit_code for row in Store(world.state).begun()} == {3}


def test_a_day_that_is_killed_is_said_to_be_lost_and_is_not_begun_again(world: World) -> None:
    server = world.serve()
    until(lambda: "next is" in world.said)
    world.at(TEN)
    until(lambda: world.began)
    world.kill(server)
    os.kill(int((world.state / "began").read_text().split()[-1]), signal.SIGKILL)
    until(lambda: not is_held(world.state / ON))
    world.serve()
    until(lambda: "ended and nobody saw how" in world.said)
    assert [row.state for row in Store(world.state).begun()] == ["lost"]
    assert world.began == ["day.yaml 24"]


def test_a_second_server_of_the_folder_is_refused(world: World) -> None:
    world.serve()
    until(lambda: "next is" in world.said)
    second = world.serve()
    assert second.wait(30) != 0
    assert "another server uses" in world.said
