"""The server step by step, under a clock and with processes of the test's: what begins, what is said, what is remembered."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gameday.gamedays.schedule.files import Watched
from gameday.gamedays.schedule.locks import ON, SERVER, held, opener
from gameday.gamedays.schedule.serve import Server
from gameday.gamedays.schedule.store import Store
from gameday.spi.errors import GamedayError
from gameday.spi.processes import identify

TEXT = """version: 1
title: Test
schedule: {{cron: "{cron}", timezone: Europe/London{more}}}
agenda:
  - brief: Hello
"""
EMPTY = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nEND:VCALENDAR\r\n"
TEN = datetime(2026, 11, 24, 10, tzinfo=UTC)


@dataclass
class Process:
    pid: int
    code: int | None = None
    stopped: bool = False

    def poll(self) -> int | None:
        return self.code

    def wait(self) -> int:
        assert self.code is not None
        return self.code

    def terminate(self) -> None:
        self.stopped, self.code = True, 4 if self.code is None else self.code


@dataclass
class World:
    folder: Path
    now: datetime = TEN - timedelta(minutes=5)
    said: list[str] = field(default_factory=list[str])
    begun: list[tuple[str, datetime]] = field(default_factory=list[tuple[str, datetime]])
    processes: list[Process] = field(default_factory=list[Process])
    claims: bool = True

    def file(self, name: str = "day.yaml", cron: str = "0 10 * * TUE", more: str = "") -> Path:
        path = self.folder / name
        path.write_text(TEXT.format(cron=cron, more=more))
        stamp = 1_000_000_000_000_000_000 + len(self.said) * 1_000_000_000
        os.utime(path, ns=(stamp, stamp))
        return path

    @property
    def store(self) -> Store:
        return Store(self.folder / "state")

    def server(self, *names: str) -> Server:
        files = [Watched(path=self.folder / name) for name in names or ("day.yaml",)]
        return Server(files=files, store=self.store, clock=lambda: self.now, launch=self.launch, say=self.said.append)

    def launch(self, path: Path, due: datetime) -> Process:
        process = Process(pid=1_000 + len(self.processes))
        self.begun.append((path.name, due))
        self.processes.append(process)
        if self.claims:
            assert self.store.claim(str(path), due, process.pid, self.now)
        return process

    def end_when_it_begins(self, server: Server) -> None:
        def say(line: str) -> None:
            self.said.append(line)
            if "begins" in line:
                server.over.set()

        server.say = say

    def at(self, server: Server, when: datetime) -> None:
        self.now = when
        server.step()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(folder=tmp_path)


def test_a_day_begins_at_its_time_and_its_exit_code_is_kept(world: World) -> None:
    path = world.file()
    server = world.server()
    server.step()
    assert world.said == [f"{path}: next is 2026-11-24 10:00 GMT"]
    world.at(server, TEN - timedelta(seconds=1))
    assert world.begun == []
    for second in range(3):
        world.at(server, TEN + timedelta(seconds=second))
    assert world.begun == [("day.yaml", TEN)]
    world.processes[0].code = 3
    world.at(server, TEN + timedelta(minutes=10))
    assert world.said[-1] == f"{path} of 2026-11-24 10:00 GMT: ended with exit code 3"
    (row,) = world.store.begun()
    assert (row.state, row.exit_code, row.due) == ("ended", 3, TEN)


def test_it_sleeps_until_the_next_time_and_never_longer_than_half_a_minute(world: World) -> None:
    world.file()
    server = world.server()
    assert server.step() == 30
    world.now = TEN - timedelta(seconds=7)
    assert server.step() == 7
    world.now = TEN
    assert server.step() <= 30
    assert server.step() == 0.5, "a day is on"


def test_a_server_that_is_started_again_does_not_begin_it_again(world: World) -> None:
    world.file()
    world.server().step()
    world.now = TEN
    world.server().step()
    for _ in range(3):
        world.server().step()
    assert world.begun == [("day.yaml", TEN)]


def test_a_time_that_came_while_no_server_was_there(world: World) -> None:
    path = world.file()
    world.server().step()
    world.at(world.server(), TEN + timedelta(seconds=50))
    assert world.begun == [("day.yaml", TEN)], "within the grace"
    world.at(world.server(), TEN + timedelta(days=7, minutes=2))
    assert world.begun == [("day.yaml", TEN)]
    assert world.said[-1] == f"{path} of 2026-12-01 10:00 GMT: skipped: missed: 2m late, and 1m is the most"
    assert [why for _, why in world.store.skipped(str(path))] == ["missed: 2m late, and 1m is the most"]


def test_a_server_that_is_killed_before_the_day_claimed_its_time_loses_nothing(world: World) -> None:
    world.file()
    world.claims = False
    first = world.server()
    first.step()
    world.at(first, TEN)
    for second in range(1, 20):
        world.at(first, TEN + timedelta(seconds=second))
    assert len(world.begun) == 1, "it waits for its process"
    world.claims = True
    world.at(world.server(), TEN + timedelta(seconds=20))
    assert world.begun == [("day.yaml", TEN)] * 2, "the first process never claimed it"
    world.at(world.server(), TEN + timedelta(seconds=30))
    assert len(world.begun) == 2


def test_a_day_that_ends_before_it_began_is_not_started_again(world: World) -> None:
    path = world.file()
    world.claims = False
    server = world.server()
    server.step()
    world.at(server, TEN)
    world.processes[0].code = 2
    for second in range(1, 50):
        world.at(server, TEN + timedelta(seconds=second))
    world.server().step()
    assert len(world.begun) == 1
    assert f"{path} of 2026-11-24 10:00 GMT: did not begin (exit code 2)" in world.said
    assert [one.state for one in world.store.begun()] == ["refused"]


def test_a_process_that_lost_the_claim_does_not_end_the_other(world: World) -> None:
    path = world.file()
    world.claims = False
    server = world.server()
    server.step()
    world.at(server, TEN)
    with held(world.store.folder / ON):
        assert world.store.claim(str(path), TEN, 77, TEN)
        world.processes[0].code = 6
        world.at(server, TEN + timedelta(seconds=1))
        (row,) = world.store.begun()
        assert (row.state, row.pid, row.exit_code) == ("begun", 77, None)


@pytest.mark.parametrize("back", [timedelta(seconds=10), timedelta(hours=1), timedelta(days=400)])
def test_a_clock_that_is_set_back_never_begins_twice(world: World, back: timedelta) -> None:
    world.file()
    server = world.server()
    server.step()
    world.at(server, TEN)
    world.processes[0].code = 0
    world.at(server, TEN + timedelta(seconds=1))
    world.at(server, TEN + timedelta(seconds=1) - back)
    assert any("set back" in line for line in world.said)
    world.at(server, TEN - timedelta(seconds=1))
    for second in range(3):
        world.at(server, TEN + timedelta(seconds=second))
    assert world.begun == [("day.yaml", TEN)]


def test_a_clock_that_was_far_ahead_loses_no_later_time(world: World) -> None:
    world.file()
    server = world.server()
    server.step()
    world.at(server, TEN + timedelta(days=400))
    world.at(server, TEN - timedelta(minutes=1))
    world.at(server, TEN)
    assert world.begun == [("day.yaml", TEN)], "it had only been skipped"


def test_one_day_at_a_time_the_other_waits_as_long_as_it_may(world: World) -> None:
    world.file("a.yaml")
    b, c = world.file("b.yaml", more=", if_missed: run within 15m"), world.file("c.yaml")
    server = world.server("a.yaml", "b.yaml", "c.yaml")
    server.step()
    world.at(server, TEN)
    assert world.begun == [("a.yaml", TEN)]
    world.at(server, TEN + timedelta(minutes=5))
    assert any(
        line == f"{c} of 2026-11-24 10:00 GMT: skipped: overlap: {world.folder / 'a.yaml'} is on" for line in world.said
    )
    world.processes[0].code = 0
    world.at(server, TEN + timedelta(minutes=6))
    assert world.begun == [("a.yaml", TEN), ("b.yaml", TEN)]
    waits = [line for line in world.said if "waits" in line and str(b) in line]
    assert len(waits) == 1, "it is said once"


def test_a_broken_file_is_left_alone_and_the_others_go_on(world: World) -> None:
    world.file("a.yaml")
    world.file("b.yaml")
    server = world.server("a.yaml", "b.yaml")
    server.step()
    (world.folder / "a.yaml").write_text("version: 1\ntitle: [")
    world.at(server, TEN)
    assert world.begun == [("b.yaml", TEN)]
    broken = [line for line in world.said if "nothing of it runs until it is mended" in line]
    assert len(broken) == 1
    (world.folder / "b.yaml").unlink()
    world.at(server, TEN + timedelta(minutes=1))
    assert any("cannot be read" in line for line in world.said)
    world.processes[0].code = 0
    world.said += ["", ""]  # a newer file
    world.file("a.yaml")
    world.at(server, TEN + timedelta(minutes=2))
    assert any(line.endswith("a.yaml: can be read again") for line in world.said)
    assert any("missed: 2m late" in line for line in world.said)


def test_a_changed_schedule_begins_anew(world: World) -> None:
    world.file()
    server = world.server()
    server.step()
    world.file(cron="50 9 * * TUE", more=", if_missed: run within 1h")
    world.at(server, TEN - timedelta(minutes=2))
    assert world.begun == [], "09:50 was before the file said so"
    assert any("so has its schedule" in line for line in world.said)
    world.file(cron="50 9 * * TUE", more=", if_missed: run within 2h")
    world.at(world.server(), TEN + timedelta(minutes=2))
    assert world.begun == []


def test_a_calendar_that_is_gone_lets_nothing_run_and_is_spoken_of_at_once(world: World) -> None:
    calendar = world.folder / "x.ics"
    calendar.write_text(EMPTY, newline="")
    path = world.file(more=", blackout: [{file: x.ics}]")
    server = world.server()
    server.step()
    calendar.unlink()
    world.at(server, TEN - timedelta(minutes=1))
    assert world.said[-1] == f"{path}: {calendar} cannot be read: No such file or directory"
    world.at(server, TEN)
    assert world.begun == []
    assert world.said[-1].endswith(f"skipped: {calendar} cannot be read: No such file or directory")
    calendar.write_text(EMPTY, newline="")
    world.at(server, TEN + timedelta(seconds=1))
    assert world.said[-1] == f"{path}: its calendars can be read again"


def test_a_day_that_cannot_be_started_is_tried_again_as_long_as_it_may_begin(world: World) -> None:
    path = world.file()
    server = world.server()
    server.step()

    def full(_path: Path, _due: datetime) -> Process:
        raise OSError(28, "No space left on device")

    server.launch = full
    world.at(server, TEN)
    assert world.said[-1] == f"{path} of 2026-11-24 10:00 GMT: waits: cannot be started: No space left on device"
    server.launch = world.launch
    world.at(server, TEN + timedelta(seconds=30))
    assert world.begun == [("day.yaml", TEN)]


def test_a_day_whose_process_vanished_is_said_to_be_lost(world: World) -> None:
    path = world.file()
    assert world.store.claim(str(path), TEN - timedelta(days=7), 77, TEN)
    server = world.server()
    server.step()
    assert any("nobody saw how" in line for line in world.said)
    assert [one.state for one in world.store.begun()] == ["lost"]
    said = len(world.said)
    server.step()
    assert len(world.said) == said


def test_the_day_of_an_earlier_server_is_waited_for(world: World) -> None:
    path = world.file()
    server = world.server()
    with held(world.store.folder / ON) as free:
        assert free
        assert world.store.claim(str(path), TEN - timedelta(days=7), 77, TEN)
        server.step()
        assert any("started by an earlier server (process 77)" in line for line in world.said)
        world.at(server, TEN)
        assert world.begun == []
        assert world.store.end(str(path), TEN - timedelta(days=7), 0, TEN, pid=77)
    world.at(server, TEN + timedelta(seconds=30))
    assert world.begun == [("day.yaml", TEN)]
    assert not any("nobody saw how" in line for line in world.said)


def test_ending_the_server_stops_the_day_that_is_on(world: World) -> None:
    path = world.file()
    server = world.server()
    server.step()
    world.now = TEN
    world.end_when_it_begins(server)
    server.serve()
    assert world.processes[0].stopped
    assert world.said[-3:] == [
        f"{path}: is stopped, because the server ends",
        f"{path} of 2026-11-24 10:00 GMT: ended with exit code 4",
        "the server has ended",
    ]
    assert [one.exit_code for one in world.store.begun()] == [4]


def test_ending_the_server_before_the_day_claimed_leaves_it_to_the_next(world: World) -> None:
    world.file()
    world.claims = False
    server = world.server()
    server.step()
    world.now = TEN
    world.end_when_it_begins(server)
    server.serve()
    world.claims = True
    world.server().step()
    assert [one.state for one in world.store.begun()] == ["begun"]


def test_one_server_for_a_state_folder(world: World) -> None:
    world.file()
    server = world.server()
    with held(world.store.folder / SERVER), pytest.raises(GamedayError, match="another server"):
        server.serve()


def test_a_state_folder_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(GamedayError, match="cannot be made"):
        Store(tmp_path / "file")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "schedule.sqlite3").write_text(
        "this is no database, and it is longer than a header of one " * 20
    )
    with pytest.raises(GamedayError, match="cannot be used"):
        Store(tmp_path / "state")


def test_only_the_process_that_has_the_lock_is_its_opener(tmp_path: Path) -> None:
    """A pid that somebody else got since is not signalled."""
    lock = tmp_path / ON
    assert opener(lock, os.getpid()) is None
    with held(lock) as free:
        assert free
        assert opener(lock, os.getpid()) == identify(os.getpid())
        assert opener(lock, os.getppid()) is None
    assert opener(lock, os.getpid()) is None
