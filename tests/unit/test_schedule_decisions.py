"""What becomes of a time that has come: window, blackout, missed, overlap, jitter, under a clock of the test's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.gamedays.schedule.decide import Decision, decide, put_off
from gameday.gamedays.schedule.gate import Gate, open_gate
from gameday.gamedays.schedule.occurrences import between
from gameday.gamedays.schedule.upcoming import next_times
from gameday.schema.day.schedule import Schedule

DAY = {
    "cron": "0 10 * * TUE",
    "timezone": "Europe/London",
    "window": {"days": "mon-thu", "from": "09:30", "to": "16:00"},
}
TUESDAY = "2026-11-24T10:00:00+00:00"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def schedule(**changes: Any) -> Schedule:
    return Schedule.model_validate({**DAY, **changes})


def decided(
    plan: Schedule,
    now: str,
    *,
    since: str = "2026-11-24T09:00:00+00:00",
    gate: Gate | str | None = None,
    busy: str = "",
    **more: Any,
) -> tuple[Decision, ...]:
    gates = open_gate(plan, Path(), at(now)) if gate is None else gate
    return decide(plan, gates, now=at(now), since=at(since), seed="day.yaml", busy=busy, **more)


NIGHT = {"cron": "0 15,18 * * TUE"}
XMAS = {"blackout": [{"from": "2026-11-24", "to": "2026-11-25"}]}
SUMMER = {"cron": "30 15 * * TUE", "window": {"from": "09:30", "to": "16:00"}}
CASES: dict[str, tuple[dict[str, Any], str, str, str]] = {
    # what: changes of the schedule, the clock, what is on → what becomes of the last time
    "on time": ({}, "2026-11-24T10:00:00+00:00", "", "run"),
    "a moment before": ({}, "2026-11-24T09:59:59+00:00", "", ""),
    "within the grace": ({}, "2026-11-24T10:01:00+00:00", "", "run"),
    "after the grace": ({}, "2026-11-24T10:01:01+00:00", "", "skip: missed: 1m1s late, and 1m is the most"),
    "late, as allowed": ({"if_missed": "run within 15m"}, "2026-11-24T10:15:00+00:00", "", "run"),
    "later than allowed": (
        {"if_missed": "run within 15m"},
        "2026-11-24T10:15:01+00:00",
        "",
        "skip: missed: 15m1s late, and 15m is the most",
    ),
    "shorter than the grace": ({"if_missed": "run within 5s"}, "2026-11-24T10:00:45+00:00", "", "run"),
    "another day is on": ({}, "2026-11-24T10:00:30+00:00", "a.yaml is on", "wait: overlap: a.yaml is on"),
    "it is on for too long": ({}, "2026-11-24T10:02:00+00:00", "a.yaml is on", "skip: overlap: a.yaml is on"),
    "it is on, and late is allowed": (
        {"if_missed": "run within 15m"},
        "2026-11-24T10:10:00+00:00",
        "a.yaml is on",
        "wait: overlap: a.yaml is on",
    ),
    "outside the window": (
        NIGHT,
        "2026-11-24T18:00:00+00:00",
        "",
        "skip: outside the window mon-thu 09:30 to 16:00 Europe/London",
    ),
    "the window closes while it is late": (
        {**SUMMER, "if_missed": "run within 1h"},
        "2026-11-24T16:00:00+00:00",
        "",
        "skip: outside the window mon-sun 09:30 to 16:00 Europe/London",
    ),
    "the last minute of the window": ({**SUMMER, "if_missed": "run within 1h"}, "2026-11-24T15:59:59+00:00", "", "run"),
    "in a blackout": (XMAS, TUESDAY, "", "skip: blackout until 2026-11-25 00:00 (2026-11-24 to 2026-11-25)"),
    "a blackout wins over the window": (
        {"blackout": [{"from": "2026-11-24T10:00", "to": "2026-11-24T10:00:01"}]},
        TUESDAY,
        "",
        "skip: blackout until 2026-11-24 10:00 (2026-11-24T10:00 to 2026-11-24T10:00:01)",
    ),
    "the end of a blackout is not in it": (
        {"blackout": [{"from": "2026-11-24T09:00", "to": "2026-11-24T10:00"}]},
        TUESDAY,
        "",
        "run",
    ),
    "a blackout is of the zone's days: in New York it is Monday still": (
        {"timezone": "America/New_York", "cron": "0 20 * * MON", "window": {}, **XMAS},
        "2026-11-24T01:00:00+00:00",
        "",
        "run",
    ),
    "a blackout that begins while it is late": (
        {"if_missed": "run within 1h", "blackout": [{"from": "2026-11-24T10:10", "to": "2026-11-25"}]},
        "2026-11-24T10:20:00+00:00",
        "",
        "skip: blackout until 2026-11-25 00:00 (2026-11-24T10:10 to 2026-11-25)",
    ),
}


@pytest.mark.parametrize(("changes", "now", "busy", "expected"), CASES.values(), ids=CASES)
def test_one_time(changes: dict[str, Any], now: str, busy: str, expected: str) -> None:
    since = "2026-11-23T00:00:00+00:00"
    found = decided(schedule(**changes), now, since=since, busy=busy)
    said = [f"{one.does}: {one.why}" if one.why else one.does for one in found]
    assert said[-1:] == ([expected] if expected else [])


def test_an_unreadable_calendar_lets_nothing_run() -> None:
    found = decided(schedule(), TUESDAY, gate="holidays.ics cannot be read: No such file or directory")
    assert [(one.does, one.why) for one in found] == [
        ("skip", "holidays.ics cannot be read: No such file or directory")
    ]


def test_of_several_missed_times_only_the_last_can_run() -> None:
    plan = schedule(cron="0 10,11,12 * * *", if_missed="run within 3h")
    found = decided(plan, "2026-11-24T12:30:00+00:00")
    assert [(one.due.hour, one.does) for one in found] == [(10, "skip"), (11, "skip"), (12, "run")]


def test_a_time_that_was_begun_is_not_begun_again_when_the_clock_is_set_back() -> None:
    plan = schedule(if_missed="run within 1h")
    first = decided(plan, "2026-11-24T10:30:00+00:00")
    done = frozenset(one.due for one in first if one.does == "run")
    assert len(done) == 1
    for back in ("2026-11-24T10:05:00+00:00", "2026-11-24T10:00:00+00:00", "2026-11-24T10:45:00+00:00"):
        assert decided(plan, back, since="2026-11-23T00:00:00+00:00", done=done) == ()


def test_a_done_last_time_does_not_make_an_earlier_one_run() -> None:
    plan = schedule(cron="0 10,11 * * *", if_missed="run within 3h")
    found = decided(plan, "2026-11-24T11:01:00+00:00", done=frozenset({at("2026-11-24T11:00:00+00:00")}))
    assert [one.does for one in found] == ["skip"]


def test_a_machine_that_slept_for_months_is_quick_and_names_only_the_last() -> None:
    plan = schedule(cron="* * * * *", window={})
    found = decided(plan, "2026-11-24T10:00:10+00:00", since="2024-01-01T00:00:00+00:00")
    assert len(found) == 200
    assert [one.does for one in found][-2:] == ["skip", "run"]


def test_the_jitter_waits_then_runs() -> None:
    plan = schedule(jitter="10m")
    begin = put_off(plan, "day.yaml", at(TUESDAY))
    assert at(TUESDAY) < begin < at(TUESDAY) + timedelta(minutes=10)
    assert [one.does for one in decided(plan, TUESDAY)] == ["wait"]
    assert [one.does for one in decided(plan, begin.isoformat())] == ["run"]
    assert [one.does for one in decided(plan, (begin + timedelta(seconds=61)).isoformat())] == ["skip"]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 3_600_000), st.text(max_size=20), st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)))  # noqa: DTZ001
def test_the_jitter_is_bounded_and_the_same_again(jitter_ms: int, seed: str, due: datetime) -> None:
    plan = schedule().model_copy(update={"jitter": jitter_ms})
    begin = put_off(plan, seed, due)
    assert due <= begin <= due + timedelta(milliseconds=jitter_ms)
    assert begin == put_off(plan, seed, due)


def test_the_jitter_spreads() -> None:
    plan = schedule(jitter="1h")
    offsets = {put_off(plan, f"{number}.yaml", at(TUESDAY)) - at(TUESDAY) for number in range(400)}
    quarters = [sum(1 for one in offsets if one // timedelta(minutes=15) == quarter) for quarter in range(4)]
    assert min(quarters) > 60  # 100 are expected in each; fewer by chance has a probability below 1e-5


def test_next_times_say_what_is_skipped() -> None:
    plan = schedule(blackout=[{"from": "2026-12-15", "to": "2027-01-05"}])
    now = at("2026-12-01T12:00:00+00:00")
    found = next_times(plan, open_gate(plan, Path(), now), "day.yaml", now, 6)
    assert [f"{one.due:%m-%d}" for one in found] == ["12-08", "12-15", "12-22", "12-29", "01-05", "01-12"]
    assert [bool(one.skipped) for one in found] == [False, True, True, True, False, False]


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Australia/Lord_Howe"])
def test_two_years_under_a_fake_clock(zone: str) -> None:
    """Looked at every 30 s to 12 h, asleep for days: each time is decided once, and none that is open and on time is left out."""
    plan = schedule(
        timezone=zone,
        blackout=[{"from": "2026-12-15", "to": "2027-01-05"}],
        cron="30 1,10 * * *",
        window={"from": "01:00", "to": "11:00"},
    )
    gate = open_gate(plan, Path(), at("2026-01-01T00:00:00+00:00"))
    now = since = at("2026-01-01T00:00:00+00:00")
    end, step, done, ran, skipped = at("2028-01-01T00:00:00+00:00"), 0, set[datetime](), 0, 0
    steps = [timedelta(seconds=30)] * 3 + [
        timedelta(hours=4),
        timedelta(minutes=7),
        timedelta(hours=12),
        timedelta(days=2),
    ]
    while now < end:
        for one in decide(plan, gate, now=now, since=since, seed="x", done=frozenset(done)):
            assert one.due not in done
            done.add(one.due)
            assert one.does in ("run", "skip")
            on_time = (
                now - one.due <= timedelta(seconds=60)
                and one.due == between(plan.cron, ZoneInfo(zone), since, now, 99)[-1]
            )
            assert (one.does == "run") == (on_time and not gate.closed(now))
            ran, skipped = ran + (one.does == "run"), skipped + (one.does == "skip")
        since, step = now, step + 1
        until = next_times(plan, gate, "x", now, 1)[0].due
        now = until if step % 2 else now + steps[step // 2 % len(steps)]
    assert done == set(between(plan.cron, ZoneInfo(zone), at("2026-01-01T00:00:00+00:00"), since, 5_000))
    assert len(done) > 1450  # two a day
    assert ran > 500
    assert skipped > 100
