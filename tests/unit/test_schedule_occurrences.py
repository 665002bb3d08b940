"""Which moments a cron expression means where clocks change: two years of three zones, day by day, and the rules for any zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.gamedays.schedule.occurrences import after, between, latest, moment, upcoming

BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)
LONDON, NEW_YORK, LORD_HOWE, KOLKATA = "Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"

CHANGES = {
    # zone, wall clock of the file → what happens on that day, as the wall clock and the offset say it
    # London: forward 01:00 → 02:00 on the last Sunday of March, back 02:00 → 01:00 on the last of October
    (LONDON, "30 0 * * *", date(2026, 3, 29)): "2026-03-29T00:30:00+00:00",
    (LONDON, "0 1 * * *", date(2026, 3, 29)): "2026-03-29T02:00:00+01:00",
    (LONDON, "30 1 * * *", date(2026, 3, 29)): "2026-03-29T02:00:00+01:00",
    (LONDON, "59 1 * * *", date(2027, 3, 28)): "2027-03-28T02:00:00+01:00",
    (LONDON, "0 2 * * *", date(2027, 3, 28)): "2027-03-28T02:00:00+01:00",
    (LONDON, "0 1 * * *", date(2026, 10, 25)): "2026-10-25T01:00:00+01:00",
    (LONDON, "30 1 * * *", date(2026, 10, 25)): "2026-10-25T01:30:00+01:00",
    (LONDON, "59 1 * * *", date(2027, 10, 31)): "2027-10-31T01:59:00+01:00",
    (LONDON, "0 2 * * *", date(2027, 10, 31)): "2027-10-31T02:00:00+00:00",
    # New York: forward 02:00 → 03:00 on the second Sunday of March, back 02:00 → 01:00 on the first of November
    (NEW_YORK, "59 1 * * *", date(2026, 3, 8)): "2026-03-08T01:59:00-05:00",
    (NEW_YORK, "0 2 * * *", date(2026, 3, 8)): "2026-03-08T03:00:00-04:00",
    (NEW_YORK, "30 2 * * *", date(2027, 3, 14)): "2027-03-14T03:00:00-04:00",
    (NEW_YORK, "0 3 * * *", date(2027, 3, 14)): "2027-03-14T03:00:00-04:00",
    (NEW_YORK, "0 1 * * *", date(2026, 11, 1)): "2026-11-01T01:00:00-04:00",
    (NEW_YORK, "30 1 * * *", date(2027, 11, 7)): "2027-11-07T01:30:00-04:00",
    (NEW_YORK, "0 2 * * *", date(2027, 11, 7)): "2027-11-07T02:00:00-05:00",
    # Lord Howe: half an hour; back 02:00 → 01:30 on the first Sunday of April, forward 02:00 → 02:30 on the first of October
    (LORD_HOWE, "15 1 * * *", date(2026, 4, 5)): "2026-04-05T01:15:00+11:00",
    (LORD_HOWE, "30 1 * * *", date(2026, 4, 5)): "2026-04-05T01:30:00+11:00",
    (LORD_HOWE, "45 1 * * *", date(2027, 4, 4)): "2027-04-04T01:45:00+11:00",
    (LORD_HOWE, "0 2 * * *", date(2027, 4, 4)): "2027-04-04T02:00:00+10:30",
    (LORD_HOWE, "0 2 * * *", date(2026, 10, 4)): "2026-10-04T02:30:00+11:00",
    (LORD_HOWE, "15 2 * * *", date(2026, 10, 4)): "2026-10-04T02:30:00+11:00",
    (LORD_HOWE, "30 2 * * *", date(2027, 10, 3)): "2027-10-03T02:30:00+11:00",
    (LORD_HOWE, "0 3 * * *", date(2027, 10, 3)): "2027-10-03T03:00:00+11:00",
    # Kolkata: no change, ever, and half an hour off the others
    (KOLKATA, "30 1 * * *", date(2026, 3, 29)): "2026-03-29T01:30:00+05:30",
    (KOLKATA, "30 2 * * *", date(2027, 11, 7)): "2027-11-07T02:30:00+05:30",
}
TRANSITIONS = {LONDON: 4, NEW_YORK: 4, LORD_HOWE: 4, KOLKATA: 0}


@pytest.mark.parametrize(("case", "expected"), CHANGES.items(), ids=str)
def test_where_clocks_change(case: tuple[str, str, date], expected: str) -> None:
    name, cron, day = case
    zone = ZoneInfo(name)
    times = between(cron, zone, BEGIN, END, 5_000)
    there = [time.astimezone(zone) for time in times]
    assert [time.isoformat() for time in there if time.date() == day] == [expected]


@pytest.mark.parametrize("name", TRANSITIONS)
@pytest.mark.parametrize(
    "clock",
    ["00:00", "00:30", "01:00", "01:15", "01:30", "01:45", "02:00", "02:15", "02:30", "03:00", "10:00", "23:59"],
)
def test_a_daily_time_runs_once_on_every_day_of_two_years(name: str, clock: str) -> None:
    zone = ZoneInfo(name)
    hour, minute = map(int, clock.split(":"))
    times = between(f"{minute} {hour} * * *", zone, BEGIN - timedelta(days=1), END, 5_000)
    days = [time.astimezone(zone).date() for time in times]
    assert days == [days[0] + timedelta(days=number) for number in range(len(days))]
    assert len(days) in (731, 732)
    odd = [time for time in times if time.astimezone(zone).strftime("%H:%M") != clock]
    assert len(odd) <= 2, "only where clocks go forward"


@pytest.mark.parametrize(("name", "count"), TRANSITIONS.items())
def test_the_table_has_every_change_of_its_zones(name: str, count: int) -> None:
    zone = ZoneInfo(name)
    offsets = [(BEGIN + timedelta(hours=hour)).astimezone(zone).utcoffset() for hour in range(24 * 730)]
    days = {
        (BEGIN + timedelta(hours=hour + 1)).astimezone(zone).date()
        for hour in range(len(offsets) - 1)
        if offsets[hour] != offsets[hour + 1]
    }
    assert len(days) == count
    assert days <= {day for zone_name, _, day in CHANGES if zone_name == name}


@pytest.mark.parametrize("name", [LONDON, NEW_YORK])
@pytest.mark.parametrize(
    "cron", ["30 1 * * *", "30 2 * * *", "0 10 * * TUE", "15 1,2,3 * * SUN", "0 9 1 * *", "0 9 13 * FRI"]
)
def test_as_a_peer_where_both_have_the_same_rule(name: str, cron: str) -> None:
    zone = ZoneInfo(name)
    peer: list[datetime] = []
    for time in CronSim(cron, BEGIN.astimezone(zone)):
        if time >= END:
            break
        if not peer or time.astimezone(UTC) > peer[-1]:  # it gives what falls together twice
            peer.append(time.astimezone(UTC))
    assert list(between(cron, zone, BEGIN, END - timedelta(seconds=1), 5_000)) == peer


def test_what_falls_together_after_a_gap_is_one_run() -> None:
    zone = ZoneInfo(LONDON)
    start = datetime(2026, 3, 29, tzinfo=UTC)
    found = [time.astimezone(zone).strftime("%H:%M") for time in upcoming("*/20 0-2 * * *", zone, start, 6)]
    assert found == ["00:20", "00:40", "02:00", "02:20", "02:40", "00:00"]


def test_what_comes_twice_is_the_first() -> None:
    zone = ZoneInfo(LONDON)
    start = datetime(2026, 10, 25, 0, 10, tzinfo=UTC)  # 01:10 BST
    found = [time.isoformat() for time in upcoming("*/30 * * * *", zone, start, 3)]
    assert found == ["2026-10-25T00:30:00+00:00", "2026-10-25T02:00:00+00:00", "2026-10-25T02:30:00+00:00"]


def test_a_day_that_an_island_left_out() -> None:
    zone = ZoneInfo("Pacific/Apia")
    times = upcoming("0 10 * * *", zone, datetime(2011, 12, 29, tzinfo=UTC), 3)
    assert [time.astimezone(zone).isoformat() for time in times] == [
        "2011-12-29T10:00:00-10:00",
        "2011-12-31T00:00:00+14:00",
        "2011-12-31T10:00:00+14:00",
    ]


def test_never_is_never() -> None:
    assert latest("0 0 29 2 *", ZoneInfo("UTC"), datetime(2026, 1, 1, tzinfo=UTC)) == datetime(2024, 2, 29, tzinfo=UTC)
    assert between("0 0 1 1 *", ZoneInfo("UTC"), BEGIN, BEGIN + timedelta(days=300), 10) == ()


ZONES = st.sampled_from(
    [LONDON, NEW_YORK, LORD_HOWE, KOLKATA, "UTC", "Africa/Casablanca", "America/St_Johns", "Pacific/Chatham"]
)
STARTS = st.integers(0, 2 * 366 * 24 * 60).map(lambda minutes: BEGIN + timedelta(minutes=minutes))


@settings(max_examples=150, deadline=None)
@given(ZONES, STARTS, st.integers(0, 59), st.integers(0, 23), st.sampled_from(["*", "1-5", "0", "3"]))
def test_forwards_and_backwards_agree(name: str, start: datetime, minute: int, hour: int, days: str) -> None:
    zone, cron = ZoneInfo(name), f"{minute} {hour} * * {days}"
    ahead = upcoming(cron, zone, start, 12)
    assert list(ahead) == sorted(set(ahead))
    assert all(time > start for time in ahead)
    assert between(cron, zone, start, ahead[-1], 50) == ahead
    assert latest(cron, zone, ahead[4]) == ahead[4]
    assert latest(cron, zone, ahead[4] - timedelta(microseconds=1)) == ahead[3]
    assert next(after(cron, zone, ahead[0])) == ahead[1]


@settings(max_examples=200, deadline=None)
@given(ZONES, STARTS)
def test_the_moment_of_a_wall_clock_is_never_before_it(name: str, start: datetime) -> None:
    zone = ZoneInfo(name)
    wall = start.replace(tzinfo=None)
    found = moment(wall, zone)
    there = found.astimezone(zone).replace(tzinfo=None)
    assert there >= wall
    if there > wall:  # a gap: one second earlier the clock had not been changed yet
        assert (found - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None) < wall
