"""``schedule:`` of a game-day file: what is refused, with the way out; and that what is accepted can be evaluated."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gameday.gamedays.schedule.export.exported import plain_cron
from gameday.gamedays.schedule.occurrences import upcoming
from gameday.schema.day.schedule import Schedule, check_cron
from gameday.schema.section import InvalidError
from gameday.spi.errors import GamedayError

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no cron": ({}, ""),
    "four fields": ({"cron": "0 10 * *"}, "write minute hour day month weekday"),
    "six fields": ({"cron": "0 0 10 * * TUE"}, "write minute hour day month weekday"),
    "a word": ({"cron": "@daily"}, "write minute hour day month weekday"),
    "an hour too many": ({"cron": "0 24 * * *"}, "from 0 to 23"),
    "the last day, as others write it": ({"cron": "0 10 L * *"}, "from 1 to 31"),
    "a step of nothing": ({"cron": "*/0 * * * *"}, "write *, 5, 1-5"),
    "a day that no month has": ({"cron": "0 10 31 2,4 *"}, "never comes"),
    "a zone that is none": ({"cron": "0 10 * * *", "timezone": "Europe/Londn"}, "Europe/London"),
    "a window that is never": ({"cron": "0 10 * * *", "window": {"from": "10:00", "to": "09:00"}}, "is not after"),
    "a window without a time": ({"cron": "0 18 * * *", "window": {"from": "10:00", "to": "16:00"}}, "is in its window"),
    "a window of other days": ({"cron": "0 10 * * SAT", "window": {"days": "mon-fri"}}, "is in its window"),
    "a blackout that is both": ({"cron": "0 10 * * *", "blackout": [{"file": "a.ics", "from": "2026-12-24"}]}, "either file, or"),
    "a blackout that never ends": ({"cron": "0 10 * * *", "blackout": [{"from": "2026-12-24"}]}, "either file, or"),
    "a blackout that is never": ({"cron": "0 10 * * *", "blackout": [{"from": "2026-12-24", "to": "2026-12-24"}]}, "is not after"),
    "a calendar from somewhere": ({"cron": "0 10 * * *", "blackout": [{"file": "https://x.example/a.ics"}]}, "a file beside this one"),
    "missed, and nothing said": ({"cron": "0 10 * * *", "if_missed": "run"}, "run within 15m"),
    "missed for ever": ({"cron": "0 10 * * *", "if_missed": "run within 0s"}, "longer than 0s"),
    "overlap": ({"cron": "0 10 * * *", "overlap": "allow"}, "forbid"),
    "a key that is none": ({"cron": "0 10 * * *", "jiter": "5m"}, ""),
}  # fmt: skip


@pytest.mark.parametrize(("raw", "said"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_refused(raw: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidError) as refused:
        Schedule.model_validate(raw)
    assert len(refused.value.mistakes) == 1
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("cron", "window"),
    [
        ("* * * * *", {"days": "thu"}),
        ("0 10 29 2 *", {"days": "sun"}),
        ("0,30 9-17 1 * *", {"days": "mon", "from": "17:30", "to": "17:31"}),
        ("59 23 * * SUN", {"from": "23:59"}),
    ],
)
def test_a_window_that_is_rarely_met_is_none_that_never_is(cron: str, window: dict[str, str]) -> None:
    assert Schedule.model_validate({"cron": cron, "window": window}).window is not None


NUMBERS = st.integers(0, 70).map(str)
NAMES = st.sampled_from(["mon", "SUN", "sat", "jan", "DEC", "L", "#2"])
PARTS = st.one_of(
    st.just("*"),
    NUMBERS,
    NAMES,
    st.builds("{}-{}".format, NUMBERS, NUMBERS),
    st.builds("*/{}".format, NUMBERS),
    st.builds("{}-{}/{}".format, NUMBERS, NUMBERS, NUMBERS),
)
FIELDS = st.lists(PARTS, min_size=1, max_size=2).map(",".join)


@settings(max_examples=400, deadline=None)
@given(st.lists(FIELDS, min_size=5, max_size=5).map(" ".join))
def test_what_is_accepted_can_be_evaluated_and_exported(cron: str) -> None:
    try:
        check_cron(cron)
    except ValueError:
        return
    times = upcoming(cron, ZoneInfo("Europe/London"), NOW, 5)
    assert times
    try:
        plain = plain_cron(cron)
    except GamedayError:
        return
    assert check_cron(plain) == plain
    assert upcoming(plain, ZoneInfo("Europe/London"), NOW, 5) == times


def test_it_is_written_back_as_it_was_read() -> None:
    raw = {
        "cron": "0 10 * * TUE",
        "timezone": "Europe/London",
        "window": {"days": "mon-thu", "from": "09:30", "to": "16:00"},
        "blackout": [{"file": "holidays.ics"}, {"from": "2026-12-15", "to": "2027-01-05"}],
        "if_missed": "run within 15m",
        "overlap": "forbid",
        "jitter": "30s",
    }
    assert Schedule.model_validate(raw).to_json() == raw
