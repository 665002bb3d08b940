"""A day of a schedule from inside: when it may begin, and what stops it, under a clock of the test's."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gameday.gamedays.schedule.attend import Attended, NotNowError, attend, due_now, wait_for_begin
from gameday.gamedays.schedule.decide import put_off
from gameday.gamedays.schedule.store import Store
from gameday.schema.day.schedule import Schedule

TEN = datetime(2026, 11, 24, 10, tzinfo=UTC)
DAY = {"cron": "0 10 * * TUE", "timezone": "Europe/London"}
EMPTY = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\nEND:VCALENDAR\r\n"


@dataclass
class World:
    folder: Path
    now: datetime = TEN
    said: list[str] = field(default_factory=list[str])
    why: str = ""
    stopped: threading.Event = field(default_factory=threading.Event)

    def stop(self, why: str) -> None:
        self.why = why
        self.stopped.set()

    def day(self, **schedule: Any) -> Attended:
        plan = Schedule.model_validate({**DAY, **schedule})
        return Attended(
            path=self.folder / "day.yaml", schedule=plan, clock=lambda: self.now, say=self.said.append, stop=self.stop
        )


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_window_that_closes_stops_the_day(world: World) -> None:
    with attend(world.day(window={"from": "09:30", "to": "16:00"}), TEN, None):
        world.now = TEN + timedelta(hours=6)
        assert world.stopped.wait(30)
    assert world.why == "outside the window mon-sun 09:30 to 16:00 Europe/London"
    assert world.said == [f"{world.why}: the day is stopped"]


def test_a_blackout_that_begins_stops_the_day(world: World) -> None:
    with attend(world.day(blackout=[{"from": "2026-11-24T11:00", "to": "2026-11-25"}]), TEN, None):
        world.now = TEN + timedelta(hours=1)
        assert world.stopped.wait(30)
    assert world.why == "blackout until 2026-11-25 00:00 (2026-11-24T11:00 to 2026-11-25)"


def test_a_calendar_that_cannot_be_read_any_more_stops_the_day(world: World) -> None:
    calendar = world.folder / "x.ics"
    calendar.write_text(EMPTY, newline="")
    with attend(world.day(blackout=[{"file": "x.ics"}]), TEN, None):
        calendar.unlink()
        assert world.stopped.wait(30)
    assert "cannot be read" in world.why


def test_a_day_that_ends_before_is_not_stopped(world: World) -> None:
    with attend(world.day(window={"from": "09:30", "to": "16:00"}), TEN, None):
        pass
    world.now = TEN + timedelta(hours=6)
    assert not world.stopped.is_set()


def test_a_time_is_claimed_once(world: World) -> None:
    store = Store(world.folder / "state")
    with (
        attend(world.day(), TEN, store),
        pytest.raises(NotNowError, match="another day is on"),
        attend(world.day(), TEN, store),
    ):
        pass
    with pytest.raises(NotNowError, match="begun for 2026-11-24 10:00 UTC already"), attend(world.day(), TEN, store):
        pass


@pytest.mark.parametrize(
    ("now", "schedule", "late", "due"),
    [
        (TEN, {}, None, TEN),
        (TEN + timedelta(minutes=30), {}, None, TEN),
        (TEN + timedelta(minutes=31), {}, None, None),
        (TEN + timedelta(minutes=31), {"if_missed": "run within 45m"}, None, TEN),
        (TEN + timedelta(minutes=2), {}, timedelta(minutes=1), None),
        (TEN + timedelta(minutes=2), {"jitter": "5m"}, timedelta(minutes=1), TEN),
        (TEN - timedelta(seconds=1), {}, None, None),
    ],
)
def test_which_time_has_come_for_another_engine(
    world: World, now: datetime, schedule: dict[str, Any], late: timedelta | None, due: datetime | None
) -> None:
    world.now = now
    if due is not None:
        assert due_now(world.day(**schedule), late) == due
    else:
        with pytest.raises(NotNowError, match="is not due"):
            due_now(world.day(**schedule), late)


def test_the_jitter_is_waited_for(world: World) -> None:
    day = world.day(jitter="10m")
    begin = put_off(day.schedule, "day.yaml", TEN)
    waiter = threading.Thread(target=wait_for_begin, args=(day, TEN), daemon=True)
    waiter.start()
    while not world.said:
        assert waiter.is_alive()
    assert waiter.is_alive()
    world.now = begin
    waiter.join(30)
    assert not waiter.is_alive()
    wait_for_begin(world.day(), TEN)
    world.now = TEN - timedelta(days=1)
    wait_for_begin(day, TEN)  # a clock that was set back by more than the jitter: nothing to wait for
